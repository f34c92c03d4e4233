# usage: native-host.sh GENERATOR
# A native project with wasm modules from elsewhere, files: the host is compiled against the generated layout.h, after it
# is made, and again when it has changed.
. "$(dirname "$0")/../lib.sh"
generator=$1
example cmake
cmake -B build -G Ninja --toolchain "$WASMSHARE_PREFIX/share/wasmshare/wasm32-unknown-unknown.cmake"
cmake --build build
mkdir -p "$work/host project/third party"
cp build/*.wasm "$work/host project/third party"
cd "$work/host project"
cat >CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.20)
project(host C CXX)
find_package(WasmShare REQUIRED)
wasmshare_combine(app
  MODULES "third party/greeting.wasm" "loud=third party/shout.wasm"
  OUTPUT_DIRECTORY app
  LAYOUT_NAME memory EXTRA_STACK 128K HEAP_SIZE 1M MAX_MEMORY 16M BASE 4096 ALIGN 64K
  OPTIONS --keep-relocs --env env.wasm)
add_executable(host host.c)
target_link_libraries(host PRIVATE app::layout)
add_executable(hostxx host.cpp)
target_link_libraries(hostxx PRIVATE app::layout)
END
cat >host.c <<'END'
#include <stdio.h>
#include "memory.h"
int main(void) {
  printf("modules %d maximum %d loud at %lu\n", (int)MEMORY_MODULE_COUNT, (int)MEMORY_MAXIMUM_PAGES,
         (unsigned long)MEMORY_LOUD_MEMORY_BASE);
  return 0;
}
END
cat >host.cpp <<'END'
#include "memory.h"
static_assert(MEMORY_LOUD_MEMORY_BASE % 65536 == 0, "--align");
static_assert(MEMORY_GREETING_MEMORY_BASE >= 4096, "--base");
static_assert(MEMORY_GREETING_STACK_POINTER - MEMORY_GREETING_STACK_LOW >= 128 * 1024, "--extra-stack");
static_assert(MEMORY_HEAP_END - MEMORY_HEAP_BASE >= 1 << 20, "--heap-size");
int main() {}
END
cmake -B build -G "$generator" -DCMAKE_PREFIX_PATH="$WASMSHARE_PREFIX"
# a clean build of the host alone: the layout is there before the compiler needs it
cmake --build build -j2
host=$(find build -name host -type f -perm -100)
out=$(dirname "$(find build -name memory.h)")
"$host" | tee first.log
expect 'modules 2 maximum 256' first.log
wasmshare verify "$out/memory.json"
[ -f "$out/env.wasm" ] || fail 'the file of --env is not among the outputs'
wasmshare inspect "$out/loud.wasm" # relocations were kept
[ -n "$(strings -a "$out/loud.wasm" | grep -F reloc.CODE)" ] || fail 'OPTIONS --keep-relocs was not passed on'

wait_for_a_new_timestamp
cmake --build build 2>&1 | tee nothing.log
expect_no Combining nothing.log

sed -i 's/BASE 4096/BASE 1M/' CMakeLists.txt
cmake --build build
"$host" | tee second.log
! cmp -s first.log second.log || fail 'the host was not compiled again with the new layout'
