# WasmShare compiles for other systems: with musl, for macOS, and for a big-endian machine. What can be run here writes the same bytes.
. "$(dirname "$0")/../lib.sh"
export ZIG_GLOBAL_CACHE_DIR=$WASMSHARE_SCRATCH/zig
printf '#!/bin/sh\nexec "%s" cc -target aarch64-macos "$@"\n' "$WASMSHARE_SOURCE/build/zig/bin/zig" >cc-macos
printf '#!/bin/sh\nexec "%s" ar "$@"\n' "$WASMSHARE_SOURCE/build/zig/bin/zig" >ar-macos
chmod +x cc-macos ar-macos

# compile NAME COMPILER CMAKE-OPTIONS...
compile() {
    cmake -S "$WASMSHARE_SOURCE" -B $1 -G Ninja -DCMAKE_C_FLAGS=-O1 -DWASMSHARE_LLVM=OFF -DWASMSHARE_WERROR=ON -DCMAKE_C_COMPILER="$2" \
        -DFETCHCONTENT_SOURCE_DIR_JANSSON="$WASMSHARE_SOURCE/build/jansson" -DCMAKE_BUILD_TYPE=None "${@:3}" >$1.log || { cat $1.log; exit 1; }
    cmake --build $1 --target wasmshare >$1.log || { cat $1.log; exit 1; }
    file -b $1/wasmshare
}
compile musl musl-gcc -DCMAKE_EXE_LINKER_FLAGS=-static
compile big-endian s390x-linux-gnu-gcc -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=s390x -DCMAKE_EXE_LINKER_FLAGS=-static
compile macos "$work/cc-macos" -DCMAKE_SYSTEM_NAME=Darwin -DCMAKE_AR="$work/ar-macos" -DCMAKE_RANLIB=/bin/true | tee macos.txt
expect 'Mach-O 64-bit' macos.txt

cat >a.c <<'C'
#ifndef TYPE
#define TYPE int
#endif
static TYPE zeros[10000], count = 40, *counted[100] = {&count, &zeros[7]};
__attribute__((noinline)) static TYPE one(TYPE i) { return i + counted[i % 2][0]; }
static TYPE (*functions[2])(TYPE) = {one, one};
__attribute__((export_name("counter"))) TYPE *counter(TYPE i) { return functions[i % 2](i) ? counted[i] : &zeros[i]; }
C
clang=$(ls /usr/bin/clang-[0-9]* | sort -V | tail -n 1)
link() {
    "$clang" -O1 -g -nostdlib -Wl,--no-entry,--emit-relocs,--import-memory --no-wasm-opt a.c "$@"
}
link --target=wasm32 -o a.wasm
link --target=wasm32 -fPIC -mbulk-memory -o pic.wasm
link --target=wasm64 -DTYPE=long -o wide.wasm

# everything NAME COMMAND...
everything() {
    local at=$work/$1
    mkdir $at
    shift
    "$@" combine -o $at/private a.wasm pic.wasm --print-map --map $at/map.svg >$at/printed
    "$@" combine -o $at/shared a.wasm pic.wasm --stack=shared --table=shared --keep-relocs
    "$@" combine -o $at/wide wide.wasm again=wide.wasm
    "$@" prepare -o $at/prepared a.wasm pic.wasm wide.wasm
    "$@" combine -o $at/again $at/prepared/a.wasm $at/prepared/pic.wasm
    "$@" relocate wide.wasm -o $at/wide.wasm --offset 6G
    "$@" inspect --json a.wasm pic.wasm wide.wasm >$at/inspected
    "$@" verify $at/shared
    ! "$@" combine a.c 2>$at/refused
}
everything native wasmshare
everything of-musl musl/wasmshare
everything of-big-endian qemu-s390x big-endian/wasmshare
diff -r native of-musl
diff -r native of-big-endian
[ "$(find native -type f | wc -l)" -gt 20 ] || fail 'few outputs'
