# The installed C library: static and shared, found by CMake and by pkg-config, from C and from C++.
. "$(dirname "$0")/../lib.sh"
cat >use.c <<'END'
#include <stdio.h>
#include <wasmshare.h>
int main(void) {
  struct ws_error error;
  char line[1024];
  if (ws_module_read("input", "not wasm", 8, NULL, &error)) return 1;
  ws_error_format(&error, line, sizeof line);
  puts(line);
  return 0;
}
END
cp use.c use.cpp
cat >CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.20)
project(use C CXX)
find_package(WasmShare REQUIRED COMPONENTS shared static)
add_executable(cmake-shared use.c)
target_link_libraries(cmake-shared PRIVATE WasmShare::libwasmshare_shared)
add_executable(cmake-static use.cpp)
target_link_libraries(cmake-static PRIVATE WasmShare::libwasmshare)
END
cmake -B build -G Ninja -DCMAKE_PREFIX_PATH="$WASMSHARE_PREFIX"
cmake --build build
export PKG_CONFIG_PATH=$WASMSHARE_PREFIX/lib/pkgconfig
mkdir bin
cp build/cmake-* bin
gcc use.c $(pkg-config --cflags --libs wasmshare) -Wl,-rpath,"$WASMSHARE_PREFIX/lib" -o bin/pkg-config-shared
gcc use.c $(pkg-config --cflags wasmshare) "$WASMSHARE_PREFIX/lib/libwasmshare.a" \
    $(pkg-config --static --libs-only-L --libs-only-l wasmshare | sed 's/-lwasmshare//') -o bin/pkg-config-static
for program in bin/*; do
    "$program" | tee output.log
    expect 'input: ' output.log
    links=$(ldd "$program" | grep -c libwasmshare || true)
    case $program in
        *shared) [ "$links" = 1 ] || fail "$program does not link the shared library" ;;
        *static) [ "$links" = 0 ] || fail "$program links the shared library" ;;
    esac
done
# only what the header declares can be called
nm -D --defined-only "$WASMSHARE_PREFIX/lib/libwasmshare.so" | awk '{ print $NF }' | sort >exported
grep -o '\bws_[a-z0-9_]*(' "$WASMSHARE_PREFIX/include/wasmshare.h" | tr -d '(' | sort -u >declared
diff declared exported
