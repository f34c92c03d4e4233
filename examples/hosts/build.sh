#!/bin/sh
# build.sh DIRECTORY: the two modules of ../c-host, and env.wasm for hosts that link modules by name.
set -eu
output=${1:?"usage: build.sh DIRECTORY"}
here=$(dirname "$0")
. "$here/../tools.sh"
mkdir -p "$output/unplaced"
flags='--target=wasm32 -O2 -nostdlib --no-wasm-opt
    -Wl,--no-entry,--export-if-defined=__wasm_call_ctors,--emit-relocs,--import-memory'
"$clang" $flags "$here/../c-host/sort.c" -o "$output/unplaced/sort.wasm"
"$clangxx" $flags -std=c++17 -fno-exceptions -fno-rtti -Wno-non-virtual-dtor \
    "$here/../c-host/stock.cpp" -o "$output/unplaced/stock.wasm"
"$wasmshare" combine -o "$output" --env "$output/env.wasm" --stack=shared --table=shared --host-imports host \
    "$output/unplaced/stock.wasm" "$output/unplaced/sort.wasm"
