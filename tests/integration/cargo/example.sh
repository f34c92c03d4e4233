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
