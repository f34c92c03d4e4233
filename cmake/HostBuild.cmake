# WasmShare inside a project that is cross-compiled, by FetchContent or add_subdirectory: the command has to run on this
# machine, so it is built by a CMake of its own, without the toolchain file.
include(ExternalProject)

set(prefix "${PROJECT_BINARY_DIR}/host/prefix")
set(build "${CMAKE_COMMAND}" --build <BINARY_DIR> --config Release --target wasmshare)
set(install "${CMAKE_COMMAND}" --install <BINARY_DIR> --config Release --component command --prefix "${prefix}")
set(cache_args
  -DCMAKE_BUILD_TYPE:STRING=Release
  -DCMAKE_TOOLCHAIN_FILE:FILEPATH= # defined, lest the environment variable of that name counts
  -DBUILD_TESTING:BOOL=OFF)
foreach(variable LLVM_DIR WASMSHARE_LLVM WASMSHARE_LLVM_SHARED FETCHCONTENT_SOURCE_DIR_JANSSON)
  if(DEFINED ${variable})
    list(APPEND cache_args -D${variable}:STRING=${${variable}})
  endif()
endforeach()

ExternalProject_Add(wasmshare-host
  SOURCE_DIR "${PROJECT_SOURCE_DIR}"
  PREFIX "${PROJECT_BINARY_DIR}/host"
  BINARY_DIR "${PROJECT_BINARY_DIR}/host/build"
  DOWNLOAD_COMMAND ""
  CMAKE_CACHE_ARGS ${cache_args}
  BUILD_COMMAND ${build}
  INSTALL_COMMAND ${install}
  BUILD_BYPRODUCTS "${prefix}/bin/wasmshare"
  EXCLUDE_FROM_ALL ON)

add_executable(WasmShare::wasmshare IMPORTED GLOBAL)
set_target_properties(WasmShare::wasmshare PROPERTIES IMPORTED_LOCATION "${prefix}/bin/wasmshare")
add_dependencies(WasmShare::wasmshare wasmshare-host)

include("${CMAKE_CURRENT_LIST_DIR}/WasmShare.cmake")
