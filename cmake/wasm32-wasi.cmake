# CMake toolchain file: clang and wasm-ld with wasi-libc, as distributions package them.
#
#     cmake -B build --toolchain "$(dirname "$(wasmshare --makefile)")/wasm32-wasi.cmake"
#
# On Debian: clang-22 lld-22 wasi-libc libclang-rt-22-dev-wasm32 (and libc++-22-dev-wasm32 libc++abi-22-dev-wasm32 for
# C++). With a wasi-sdk, use the toolchain file that is in it: wasmshare_combine() works with any.
# Executables are commands, with a main(); modules that others call into are linked with -mexec-model=reactor.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR wasm32)
# wasi-libc's directories have this name still, and clang's drivers would rather see wasm32-wasip1
set(CMAKE_C_COMPILER_TARGET wasm32-wasi)
set(CMAKE_C_FLAGS_INIT -Wno-deprecated)
set(CMAKE_CXX_FLAGS_INIT "-Wno-deprecated -fno-exceptions")
include("${CMAKE_CURRENT_LIST_DIR}/wasm-clang.cmake")
