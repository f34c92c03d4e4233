# What WasmShare's toolchain files have in common.
set(CMAKE_CXX_COMPILER_TARGET ${CMAKE_C_COMPILER_TARGET})
set(CMAKE_EXECUTABLE_SUFFIX_C .wasm)
set(CMAKE_EXECUTABLE_SUFFIX_CXX .wasm)

# Distributions' plain `clang` can be one whose linker cannot write relocations: try the numbered ones first.
if(NOT CMAKE_C_COMPILER)
  foreach(version RANGE 40 19 -1)
    list(APPEND WASMSHARE_CLANG_NAMES clang-${version})
  endforeach()
  find_program(WASMSHARE_CLANG NAMES ${WASMSHARE_CLANG_NAMES} clang REQUIRED)
  set(CMAKE_C_COMPILER "${WASMSHARE_CLANG}")
endif()
if(NOT CMAKE_CXX_COMPILER)
  string(REGEX REPLACE "clang(-[0-9]+)?$" "clang++\\1" CMAKE_CXX_COMPILER "${CMAKE_C_COMPILER}")
endif()

# Libraries and headers of this machine are of no use to a module; programs and CMake packages are.
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
