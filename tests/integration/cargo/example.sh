# The example's README: build, run, and a test program that is placed with the modules.
. "$(dirname "$0")/../lib.sh"
use_rust
example cargo
follow_readme
expect 'Combining greeting, shout' output.log
wasmshare verify "$CARGO_TARGET_DIR/wasmshare/debug"
# in the newest edition, as `cargo new` makes them, too
sed -i 's/edition = .*/edition = "2024"/' */Cargo.toml
RUSTFLAGS=-Dwarnings cargo wasmshare build
# what docs/cargo.md shows of a module compiles in old and new editions
docs=$WASMSHARE_SOURCE/docs/cargo.md
for edition in 2021 2024; do
    block rust "$docs" >shout/src/lib.rs
    sed -i "s/edition = .*/edition = \"$edition\"/" */Cargo.toml
    printf '#[unsafe(no_mangle)]\npub extern "C" fn make() -> *const u8 {\n    b"a".as_ptr()\n}\n' >greeting/src/lib.rs
    sed -i 's/"common"/"greeting"/' shout/src/lib.rs
    RUSTFLAGS=-Dwarnings cargo wasmshare build
done
