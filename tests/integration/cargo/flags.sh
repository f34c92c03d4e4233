# The link arguments are added to the flags that the user has, wherever those come from, and to nothing else.
. "$(dirname "$0")/../lib.sh"
use_rust
example cargo
rm -r .cargo # whose rustflags would do
cat >>greeting/src/lib.rs <<'END'

#[no_mangle]
#[allow(unexpected_cfgs)]
pub extern "C" fn flag() -> i32 {
    i32::from(cfg!(user_flag))
}

#[no_mangle]
pub static EXPORTED: [i32; 2] = [1, 2];
END
cat >main.mjs <<'END'
import { readFile } from 'node:fs/promises';
const { createMemory, modules } = await import(process.env.WASMSHARE_LAYOUT);
const { instance } = await WebAssembly.instantiate(await readFile(modules[0].url), { env: { memory: createMemory() } });
console.log('user flag:', instance.exports.flag());
END
flag() {
    cargo wasmshare run 2>&1 | tee run.log
    expect "user flag: $1" run.log
}
flag 0
RUSTFLAGS='--cfg user_flag' flag 1
CARGO_ENCODED_RUSTFLAGS=--cfg$'\x1f'user_flag flag 1
CARGO_BUILD_RUSTFLAGS='--cfg user_flag' flag 1
mkdir .cargo
printf '[build]\nrustflags = ["--cfg", "user_flag"]\n' >.cargo/config.toml
flag 1
printf '[target.wasm32-unknown-unknown]\nrustflags = ["--cfg", "user_flag"]\n' >.cargo/config.toml
flag 1
printf "[target.'cfg(target_family = \"wasm\")']\nrustflags = [\"--cfg\", \"user_flag\"]\n" >.cargo/config.toml
flag 1
rm -r .cargo

# the user's own wrapper is called, with the flags
cat >"$work/wrapper" <<'END'
#!/bin/sh
case "$*" in *--crate-name\ greeting*) echo "$*" >>"$WRAPPER_LOG" ;; esac
exec "$@"
END
chmod +x "$work/wrapper"
touch greeting/src/lib.rs
WRAPPER_LOG=$work/wrapper.log RUSTC_WORKSPACE_WRAPPER=$work/wrapper cargo wasmshare build
expect -Clink-arg=--emit-relocs "$work/wrapper.log"

# a dependency that cargo wasmshare has compiled is not compiled again when plain cargo was there in between, and build
# scripts are given no link arguments
mkdir -p "$work/dependency/src"
printf '[package]\nname = "dependency"\nversion = "0.1.0"\nedition = "2021"\n' >"$work/dependency/Cargo.toml"
touch "$work/dependency/src/lib.rs"
printf '\n[dependencies]\ndependency = { path = "../../dependency" }\n' >>greeting/Cargo.toml
printf 'fn main() {\n    println!("cargo:rerun-if-changed=build.rs");\n}\n' >greeting/build.rs
cargo wasmshare build 2>&1 | tee build.log
expect 'Compiling dependency' build.log
cargo build --target wasm32-unknown-unknown
cargo wasmshare build 2>&1 | tee build.log
expect_no 'Compiling dependency' build.log
wasmshare verify "$CARGO_TARGET_DIR/wasmshare/debug"

# each gets modules of its own kind, whichever was there before, and only links again when the other one was there: with
# what is a dependency as well, and for programs
module=$CARGO_TARGET_DIR/wasm32-unknown-unknown/debug/greeting.wasm
sed -i 's/"cdylib"/"cdylib", "rlib"/' greeting/Cargo.toml
rm greeting/build.rs
mkdir -p shout/examples
cat >shout/examples/asks.rs <<'END'
#[link(wasm_import_module = "greeting")]
extern "C" {
    fn greeting() -> *const u8;
}
fn main() {
    assert!(!unsafe { greeting() }.is_null())
}
END
plain() {
    cargo build --target wasm32-unknown-unknown --lib --examples 2>&1 | tee plain.log
    wasmshare inspect "$module" >inspect.log || true
    expect 'relocations  none' inspect.log
}
placed() {
    cargo wasmshare build "$@" 2>&1 | tee build.log
    wasmshare verify "$CARGO_TARGET_DIR/wasmshare/debug"
}
cargo clean --target wasm32-unknown-unknown -p greeting -p shout
for _ in first second; do
    plain
    placed
    expect '  Rebuilding greeting, shout, linked without relocations by `cargo build`' build.log
    placed
    expect_no Compiling build.log
done
plain
plain
expect_no Compiling plain.log
# a program, which cargo itself keeps apart; the modules that it is placed with are not
placed
plain
cargo wasmshare run --example asks 2>&1 | tee build.log
expect '  Rebuilding greeting, shout, linked' build.log
# parts in another place than cargo's default: at least it is said
cargo build --target wasm32-unknown-unknown --config "build.build-dir='$work/parts'"
refuses 'run `cargo clean`' cargo wasmshare build -- --config "build.build-dir='$work/parts'"
# a target directory in cargo's own flags
plain
rm -rf "$work/target"
cargo build --target wasm32-unknown-unknown --target-dir "$work/target"
placed -- --target-dir "$work/target"
