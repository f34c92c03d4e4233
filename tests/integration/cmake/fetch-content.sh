# usage: fetch-content.sh native|cross
# WasmShare as a part of another project's build: by add_subdirectory in a native one, by FetchContent in one that is
# cross-compiled, where the command is built for this machine all the same.
. "$(dirname "$0")/../lib.sh"
export PATH=${PATH#"$WASMSHARE_PREFIX/bin:"}
example cmake
toolchain=$WASMSHARE_SOURCE/cmake/wasm32-unknown-unknown.cmake
# the tree without its builds
mkdir "$work/wasmshare"
tar -C "$WASMSHARE_SOURCE" --exclude=./build --exclude=./.git --exclude=target --exclude=node_modules -c . |
    tar -C "$work/wasmshare" -x
llvm=$(sed -n 's/^LLVM_DIR:PATH=//p' "$WASMSHARE_BUILD/CMakeCache.txt")

if [ "$1" = native ]; then
    cmake -B modules -G Ninja --toolchain "$toolchain" -DCMAKE_PREFIX_PATH="$WASMSHARE_PREFIX"
    cmake --build modules
    cat >CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.20)
project(hello C)
add_subdirectory(../wasmshare wasmshare)
wasmshare_combine(app MODULES modules/greeting.wasm modules/shout.wasm
  OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/app ALL)
END
    cmake -B build -G Ninja -DLLVM_DIR="$llvm"
else
    sed -i "s|^find_package.*|include(FetchContent)\nFetchContent_Declare(WasmShare SOURCE_DIR $work/wasmshare)\nFetchContent_MakeAvailable(WasmShare)|" CMakeLists.txt
    cmake -B build -G Ninja -DLLVM_DIR="$llvm" --toolchain "$toolchain"
fi
cmake --build build -j2
node main.mjs | tee output.log
expect 'HELLO FROM A MODULE OF ITS OWN' output.log
cmake --build build | tee again.log
expect_no Combining again.log
# nothing of WasmShare's own is installed with the project, nor tested with it
ctest --test-dir build -N | tee tests.log
expect 'Total Tests: 0' tests.log
DESTDIR=$work/installed cmake --install build 2>&1 | tee install.log
[ -z "$(find "$work/installed" -type f 2>/dev/null)" ] || fail 'WasmShare was installed with the project'
