# Finds LLVM 19 or newer, for its reader of WebAssembly objects: llvm_libraries is what to link.
enable_language(CXX) # to link it

if(NOT LLVM_DIR AND NOT LLVM_ROOT)
  # Debian keeps each version in a directory of its own, and Homebrew keeps them all out of the way; take the newest.
  file(GLOB llvm_dirs
    /usr/lib/llvm-*/lib/cmake/llvm /opt/homebrew/opt/llvm*/lib/cmake/llvm /usr/local/opt/llvm*/lib/cmake/llvm)
  list(SORT llvm_dirs COMPARE NATURAL ORDER DESCENDING)
endif()
find_package(LLVM CONFIG QUIET PATHS ${llvm_dirs})
set(advice "Install LLVM 19 or newer with its headers (Debian, Ubuntu: llvm-22-dev, or 19, 20, 21; Fedora: llvm-devel; \
Homebrew: llvm), set LLVM_DIR, or do without the check by LLVM's reader: -DWASMSHARE_LLVM=OFF.")
if(NOT LLVM_FOUND)
  message(FATAL_ERROR "WasmShare finds no LLVM. ${advice}")
endif()
if(LLVM_VERSION_MAJOR LESS 19)
  message(FATAL_ERROR "WasmShare needs LLVM 19 or newer, but finds ${LLVM_VERSION} in ${LLVM_DIR}. ${advice}")
endif()

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
if(WASMSHARE_LLVM_SHARED)
  set(llvm_libraries LLVM Threads::Threads)
else()
  # The static library's own dependencies, as the CMake package of LLVM has looked for them.
  if(LLVM_ENABLE_ZLIB AND NOT TARGET ZLIB::ZLIB)
    message(FATAL_ERROR "LLVM's static library needs zlib: install zlib1g-dev (Fedora: zlib-devel), or set WASMSHARE_LLVM_SHARED.")
  endif()
  if(LLVM_ENABLE_ZSTD AND NOT zstd_FOUND)
    message(FATAL_ERROR "LLVM's static library needs zstd: install libzstd-dev (Fedora: libzstd-devel), or set WASMSHARE_LLVM_SHARED.")
  endif()
  llvm_map_components_to_libnames(llvm_libraries object)
  list(APPEND llvm_libraries Threads::Threads)
endif()
