# `cargo wasmshare test`, and `cargo test` through the runner: unit tests, documentation tests, programs without modules, and
# crates that have wasm-bindgen somewhere among what they depend on.
. "$(dirname "$0")/../lib.sh"
use_rust
example cargo
rm -r .cargo # `cargo wasmshare test` needs none of it
sed -i 's/crate-type = .*/crate-type = ["cdylib", "rlib"]/' shout/Cargo.toml
cat >>shout/src/lib.rs <<'END'

/// Passed a module's pointer.
///
/// ```
/// let text = unsafe { std::ffi::CStr::from_ptr(shout::shout()) };
/// assert_eq!(text, c"HELLO FROM A MODULE OF ITS OWN");
/// ```
///
/// ```should_panic
/// assert_eq!(shout::two(), 3);
/// ```
pub fn two() -> i32 {
    2
}
END
mkdir shout/tests
printf '#[test]\nfn two_is_two() {\n    assert_eq!(shout::two(), 2)\n}\n' >shout/tests/whole.rs
cargo wasmshare test 2>&1 | tee test.log
expect 'Running unittests src/lib.rs' test.log
expect 'Running tests/whole.rs' test.log
expect 'Doc-tests shout' test.log
expect '2 passed; 0 failed' test.log
RUSTDOCFLAGS='--cfg user_flag' cargo wasmshare test -q -p shout --doc 2>&1 | tee test.log
expect '2 passed' test.log
sed -i 's/shout::two(), 3/shout::two(), 2/' shout/src/lib.rs
refuses 'marked `should_panic`' cargo wasmshare test -p shout --doc
sed -i 's/shout::two(), 2/shout::two(), 3/; s/HELLO FROM A M/GOODBYE FROM A M/' shout/src/lib.rs
refuses 'trapped: RuntimeError: unreachable' cargo wasmshare test -p shout --lib
expect shouts_what_the_other_module_says refused.log
sed -i 's/GOODBYE FROM A M/HELLO FROM A M/' shout/src/lib.rs
# one target directory for the tests, and for the modules that they are placed with
cargo wasmshare test -q --lib --target-dir "$work/target" 2>&1 | tee test.log
[ -d "$work/target/wasmshare/debug/run" ] || fail 'the modules are not where the tests are'

# a program that imports no module runs as its linker made it: without relocations, without modules, and with a memory of its
# own or an imported one
mkdir -p "$work/alone/src"
cd "$work/alone"
printf '[package]\nname = "alone"\nversion = "0.1.0"\nedition = "2021"\n[workspace]\n' >Cargo.toml
cat >src/lib.rs <<'END'
/// ```
/// assert_eq!(alone::two(), 2);
/// ```
pub fn two() -> i32 {
    2
}
#[test]
fn two_is_two() {
    assert_eq!(two(), 2);
}
END
printf 'fn main() {\n    std::process::exit(alone::two() + 40)\n}\n' >src/main.rs
mkdir .cargo
printf '[build]\ntarget = "wasm32-unknown-unknown"\n[target.wasm32-unknown-unknown]\nrunner = "cargo-wasmshare runner"\n' >.cargo/config.toml
exits() { # exits STATUS COMMAND...
    local expected=$1 status=0
    shift
    "$@" || status=$?
    [ $status = $expected ] || fail "$* ends with $status"
}
for flags in '' '-Clink-arg=--import-memory'; do
    CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS=$flags cargo test 2>&1 | tee test.log
    expect '1 passed' test.log
    # a code that the target's own standard library forgets
    CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS=$flags exits 42 cargo run -q
done
exits 42 cargo wasmshare run -q --bin alone
printf 'fn main() {\n    std::process::exit(0)\n}\n' >src/main.rs
exits 0 cargo run -q
printf 'fn main() {\n    panic!()\n}\n' >src/main.rs
exits 134 cargo run -q

cd "$work"
rm -r cargo
# a program of any member, by its own name or its package's
example cargo
mkdir -p app/src app/examples tool/src
sed -i 's/^members.*/members = ["greeting", "shout", "app", "tool"]\ndefault-members = ["greeting"]/' Cargo.toml
for name in app tool; do
    printf '[package]\nname = "%s"\nversion = "0.1.0"\nedition = "2021"\n' $name >$name/Cargo.toml
done
cat >app/src/main.rs <<'END'
#[link(wasm_import_module = "shout")]
extern "C" {
    fn shout() -> *mut std::ffi::c_char;
}
fn main() {
    let text = unsafe { std::ffi::CStr::from_ptr(shout()) };
    std::process::exit(text.count_bytes() as i32)
}
END
cp app/src/main.rs app/examples/other.rs
printf 'fn main() {\n    std::process::exit(3)\n}\n' >tool/src/main.rs
exits 30 cargo wasmshare run -q -p app --bin app
exits 30 cargo wasmshare run -q --bin app
exits 30 cargo wasmshare run -q --example other -- --locked
exits 3 cargo wasmshare run -q --bin tool
mkdir -p tool/src/bin
mv tool/src/main.rs tool/src/bin/app.rs
refuses 'both `app` and `tool` have it: say which with --package' cargo wasmshare run --bin app
exits 3 cargo wasmshare run -q -p tool --bin app
refuses 'no package of the workspace has a program for --bin nonesuch' cargo wasmshare run --bin nonesuch
refuses 'package `shuot` is not in the workspace of '"$PWD"' (did you mean '"'shout'"'?)' cargo wasmshare build -p shuot

# where cargo builds is where the layout is, whichever way it is said
for where in "--target-dir $work/elsewhere" "-- --target-dir=$work/elsewhere"; do
    rm -rf "$work/elsewhere"
    cargo wasmshare build -p greeting $where
    [ -e "$work/elsewhere/wasmshare/debug/layout.mjs" ] || fail "not in $where"
done
