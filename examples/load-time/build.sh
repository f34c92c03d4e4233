#!/bin/sh
# build.sh DIRECTORY
#
# Links the modules of ../three-modules and prepares them, and puts them, the page and the wasmshare package into
# DIRECTORY, to be served as it is. Takes clang and wasmshare from ../tools.sh.
set -eu

output=${1:?usage: build.sh DIRECTORY}
here=$(dirname "$0")
. "$here/../tools.sh"
mkdir -p "$output/linked" "$output/wasmshare"

# --no-wasm-opt: clang runs an optimiser on the linked module when one is in PATH, and that knows no relocations
for module in common a b; do
    "$clang" --target=wasm32 -std=c11 -O2 -Wall -Wextra -Werror -nostdlib \
        -Wl,--no-entry,--import-memory,--emit-relocs --no-wasm-opt \
        "$here/../three-modules/c/$module.c" -o "$output/linked/$module.wasm"
done
"$wasmshare" prepare -o "$output" "$output/linked/common.wasm" "$output/linked/a.wasm" "$output/linked/b.wasm"

cp "$here/index.html" "$here/main.mjs" "$output"
# in WasmShare's source, or else as it is installed
js=$here/../../js
[ -d "$js" ] || js=$(dirname "$("$wasmshare" --makefile)")/js
cp "$js"/*.js "$output/wasmshare"
