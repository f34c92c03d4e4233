# `cargo run` and `cargo test` of WebAssembly programs: placed with the workspace's modules, which their imports are
# resolved from, run in Node, the exit code passed on.
. "$(dirname "$0")/../lib.sh"
use_rust
example cargo
mkdir -p shout/examples
cat >shout/examples/exit.rs <<'END'
use std::ffi::{c_char, CStr};
use std::process::ExitCode;

#[link(wasm_import_module = "shout")]
extern "C" {
    fn shout() -> *mut c_char;
}

fn main() -> ExitCode {
    let text = unsafe { CStr::from_ptr(shout()) };
    assert_eq!(text, c"HELLO FROM A MODULE OF ITS OWN");
    ExitCode::from(text.count_bytes() as u8)
}
END
status=0
cargo run -q --example exit || status=$?
[ $status = 30 ] || fail "cargo run ends with $status"
status=0
cargo wasmshare run --example exit || status=$?
[ $status = 30 ] || fail "cargo wasmshare run --example ends with $status"

# a script's exit code and arguments
printf 'console.log(process.argv.slice(2).join("+")); process.exit(7);\n' >exit.mjs
status=0
cargo wasmshare run exit.mjs one --two -- --locked >exit.log || status=$?
[ $status = 7 ] || fail "a script ends with $status"
expect one+--two exit.log

cargo test 2>&1 | tee test.log
expect 'Running unittests src/lib.rs' test.log
sed -i 's/HELLO FROM A/GOODBYE FROM A/' shout/src/lib.rs
refuses 'cargo-wasmshare runner' cargo test
expect 'trapped: RuntimeError: unreachable' refused.log
expect shouts_what_the_other_module_says refused.log
[ "$(grep -c '^    at ' refused.log)" -lt 10 ] || fail 'the trace is long'
RUST_BACKTRACE=full refuses lang_start cargo test

# an import that nothing exports is named
sed -i 's/fn shout()/fn nonesuch()/; s/shout())/nonesuch())/' shout/examples/exit.rs
refuses 'exit.wasm: imports the function shout.nonesuch, which shout does not export' cargo run -q --example exit

# a wasi program, here in C, has arguments, output and an exit code; its modules share its stack and table when told to
cat >wasi.c <<'END'
#include <stdio.h>
__attribute__((import_module("shout"), import_name("shout"))) char *shout(void);
int main(int argc, char **argv) {
  printf("%s %s: %s\n", argv[0], argv[argc - 1], shout());
  return argc;
}
END
clang=$(ls /usr/bin/clang-[0-9]* | sort -V | tail -n 1)
"$clang" --target=wasm32-wasi -Wno-deprecated --no-wasm-opt -O2 -Wl,--emit-relocs,--import-memory wasi.c -o wasi.wasm
sed -i 's/GOODBYE FROM A/HELLO FROM A/' shout/src/lib.rs
for how in private shared; do
    [ $how = private ] || printf 'stack = "shared"\ntable = "shared"\n' >>Cargo.toml
    status=0
    cargo-wasmshare runner wasi.wasm one two >wasi.log || status=$?
    [ $status = 3 ] || fail "a wasi program ends with $status"
    expect 'wasi two: HELLO FROM A MODULE OF ITS OWN' wasi.log
done
sed -i '/= "shared"/d' Cargo.toml

# without relocations: what to do about it
sed -i 's/nonesuch/shout/g' shout/examples/exit.rs
printf '[build]\ntarget = "wasm32-unknown-unknown"\n[target.wasm32-unknown-unknown]\nrunner = "cargo-wasmshare runner"\n' >.cargo/config.toml
refuses emit-relocs cargo run -q --example exit
