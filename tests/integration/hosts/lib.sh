# What the tests of native hosts share: the two modules of examples/hosts, and one that uses WASI, in ./app. What a host
# takes from a registry goes to $scratch, which is kept.
. "$(dirname "$0")/../lib.sh"
scratch=$WASMSHARE_SCRATCH/hosts
mkdir -p "$scratch"
cp -r "$WASMSHARE_SOURCE/examples" .
examples/hosts/build.sh app
wasmshare verify app
cat >hello.c <<'END'
#include <stdio.h>
static const char *const names[] = {"nobody", "WASI"};
__attribute__((constructor)) static void begin(void) { printf("constructor\n"); }
__attribute__((export_name("hello"))) void hello(int i) { printf("hello %s\n", names[i]); fflush(stdout); }
END
clang-22 --target=wasm32-wasi -Wno-deprecated -O2 -mexec-model=reactor --no-wasm-opt -Wl,--emit-relocs,--import-memory \
    hello.c -o hello.wasm
wasmshare combine -o wasi --env wasi/env.wasm hello.wasm
cat >expected.txt <<'END'
salt     12
cheese   25
bread    30
cheapest: salt
END
printf 'constructor\nhello WASI\n' >expected-wasi.txt
