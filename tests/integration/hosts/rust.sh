# wasmi, in Rust.
. "$(dirname "$0")/lib.sh"
export CARGO_TARGET_DIR=$scratch/cargo
cargo run --quiet --locked --manifest-path examples/hosts/rust/Cargo.toml app >output.txt
diff expected.txt output.txt
# what the host does not give
sed -i 's/"report"/"reports"/' examples/hosts/rust/src/main.rs
refuses 'cannot find definition for import (host,report)' cargo run --quiet --locked --manifest-path examples/hosts/rust/Cargo.toml app
