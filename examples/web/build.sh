#!/bin/sh
# build.sh DIRECTORY
#
# Compiles and links the three modules separately, combines them, and puts the page beside them: DIRECTORY is all that a
# web server needs. Takes clang, clang++ and wasmshare from ../tools.sh. Prints what it runs.
set -eu

output=${1:?"usage: build.sh DIRECTORY"}
here=$(dirname "$0")
. "$here/../tools.sh"
CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$(cd "$here/../.." && pwd)/build/cargo}
export CARGO_TARGET_DIR
unplaced=$output/unplaced
mkdir -p "$unplaced"

run() {
    echo "  \$ $*"
    "$@"
}

# --no-wasm-opt: clang runs an optimiser on the linked module when one is in PATH, and that knows no relocations
placeable="-Wl,--import-memory,--emit-relocs --no-wasm-opt"

exports=
for symbol in malloc realloc aligned_alloc free shapes shape_count outlines bumps arena; do
    exports="$exports,--export=$symbol"
done
# with WASI's libc, for malloc
run "$clang" --target=wasm32-wasi -Wno-deprecated -mexec-model=reactor -std=c11 -O2 -Wall -Wextra -Werror $placeable \
    "-Wl$exports" "$here/world.c" -o "$unplaced/world.wasm"

run "$clangxx" --target=wasm32 -std=c++17 -O2 -Wall -Wextra -Werror -fno-exceptions -fno-rtti -nostdlib $placeable \
    "-Wl,--no-entry,--allow-undefined" "$here/shapes.cpp" -o "$unplaced/shapes.wasm"

# cargo reads motion/.cargo/config.toml, where the linker options are, only for the directory that it is run in
echo "  \$ cd $here/motion"
(cd "$here/motion" && run ../../cargo-wasm.sh build --release --quiet)
cp "$CARGO_TARGET_DIR/wasm32-unknown-unknown/release/motion.wasm" "$unplaced"

modules="$unplaced/world.wasm $unplaced/shapes.wasm $unplaced/motion.wasm"
options='--stack=shared --stack-size=16K --table=shared --heap-size=16K'
run "$wasmshare" combine --print-map $options -o "$output" $modules
# for the page to say how it was made, and what was there before
echo "wasmshare combine $options -o web world.wasm shapes.wasm motion.wasm" >"$output/command.txt"
"$wasmshare" inspect --json $modules >"$output/before.json"
# what the page calls things by: it adds to an address what the layout says that the module was moved by
nm=$("$clang" -print-prog-name=llvm-nm)
for module in world shapes motion; do
    "$nm" --print-size --demangle "$unplaced/$module.wasm" >"$output/$module.symbols"
done
cp "$here/index.html" "$here/style.css" "$here/run.mjs" "$here/where.mjs" "$here/page.mjs" "$output"
