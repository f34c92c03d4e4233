#!/bin/sh
# build.sh rust|c DIRECTORY
#
# Links the three modules separately, then combines them: the placed modules and their layout go to DIRECTORY, what the
# linker made to DIRECTORY/unplaced. Takes clang and wasmshare from ../tools.sh. Prints what it runs.
set -eu

usage="usage: build.sh rust|c DIRECTORY"
language=${1:?$usage} output=${2:?$usage}
here=$(dirname "$0")
. "$here/../tools.sh"
mkdir -p "$output/unplaced"

run() {
    echo "  \$ $*"
    "$@"
}

case $language in
rust)
    CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$(cd "$here/../.." && pwd)/build/cargo}
    export CARGO_TARGET_DIR
    # cargo reads rust/.cargo/config.toml, where the two linker options are, only for the directory that it is run in
    echo "  \$ cd $here/rust"
    (cd "$here/rust" && run ../../cargo-wasm.sh build --release --quiet)
    for module in common a b; do
        cp "$CARGO_TARGET_DIR/wasm32-unknown-unknown/release/$module.wasm" "$output/unplaced"
    done
    ;;
c)
    # --no-wasm-opt: clang runs an optimiser on the linked module when one is in PATH, and that knows no relocations
    for module in common a b; do
        run "$clang" --target=wasm32 -std=c11 -O2 -Wall -Wextra -Werror -nostdlib \
            -Wl,--no-entry,--import-memory,--emit-relocs --no-wasm-opt \
            "$here/c/$module.c" -o "$output/unplaced/$module.wasm"
    done
    ;;
*)
    echo "$usage" >&2
    exit 1
    ;;
esac

run "$wasmshare" combine --print-map -o "$output" \
    "$output/unplaced/common.wasm" "$output/unplaced/a.wasm" "$output/unplaced/b.wasm"
