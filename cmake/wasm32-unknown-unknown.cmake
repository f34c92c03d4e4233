# CMake toolchain file: clang and wasm-ld for wasm32-unknown-unknown, WebAssembly without a C library or an operating system.
#
#     cmake -B build --toolchain "$(dirname "$(wasmshare --makefile)")/wasm32-unknown-unknown.cmake"
#
# Executables are modules without an entry point: what they export is marked in the source, with
# __attribute__((export_name("f"))). Takes the newest clang in PATH, 19 or later, or -DCMAKE_C_COMPILER=.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR wasm32)
set(CMAKE_C_COMPILER_TARGET wasm32-unknown-unknown)
# without the export, the linker would have every function of a module that has constructors run them all again
set(CMAKE_EXE_LINKER_FLAGS_INIT "-nostdlib -Wl,--no-entry,--export-if-defined=__wasm_call_ctors")
include("${CMAKE_CURRENT_LIST_DIR}/wasm-clang.cmake")
