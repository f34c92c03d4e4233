# The copyright file to install: WasmShare's licence, and the terms of what is linked into the command and the shared
# library, as the Debian packages that those parts were taken from state them.
file(READ "${PROJECT_SOURCE_DIR}/LICENSE" copyright)

# terms_of(WHAT FILE OTHERWISE): FILE is the static library; OTHERWISE is said of one that is no Debian package's.
function(terms_of what file otherwise)
  get_filename_component(file "${file}" REALPATH)
  execute_process(COMMAND dpkg -S "${file}" RESULT_VARIABLE unknown OUTPUT_VARIABLE package ERROR_QUIET)
  string(REGEX REPLACE "[:,].*" "" package "${package}")
  set(terms "${otherwise}")
  if(NOT unknown AND EXISTS "/usr/share/doc/${package}/copyright")
    file(READ "/usr/share/doc/${package}/copyright" terms)
  endif()
  set(copyright "${copyright}\n\n---- ${what}, parts of which are linked into this ----\n\n${terms}" PARENT_SCOPE)
endfunction()

if(WASMSHARE_LLVM AND NOT WASMSHARE_LLVM_SHARED)
  get_target_property(file LLVMObject LOCATION)
  terms_of(LLVM "${file}" "Apache-2.0 WITH LLVM-exception: https://llvm.org/LICENSE.txt\n")
endif()
if(TARGET jansson OR JANSSON_LIBRARY MATCHES "\\.a$")
  terms_of(Jansson "${JANSSON_LIBRARY}" "MIT: Copyright Petri Lehtinen, https://github.com/akheron/jansson\n")
endif()
if(WASMSHARE_LLVM AND CMAKE_BUILD_TYPE STREQUAL "Release")
  string(APPEND copyright "\n\n---- libstdc++ and libgcc, parts of which are linked into the command ----\n\n"
    "Copyright Free Software Foundation, Inc.\n"
    "GPL-3.0-or-later WITH GCC-exception-3.1: with the GCC Runtime Library Exception, which lets programs that GCC\n"
    "compiled have parts of them under terms of their own. On Debian, /usr/share/doc/libstdc++6/copyright has the\n"
    "exception, and /usr/share/common-licenses/GPL-3 the licence.\n")
endif()

if(WASMSHARE_LINKS_STATIC)
  find_library(WASMSHARE_STATIC_C libc.a)
  terms_of("The C library" "${WASMSHARE_STATIC_C}" "The terms of this system's own C library\n")
  if(WASMSHARE_LLVM)
    find_library(WASMSHARE_STATIC_ZLIB libz.a)
    find_library(WASMSHARE_STATIC_ZSTD libzstd.a)
    terms_of(zlib "${WASMSHARE_STATIC_ZLIB}" "Zlib: Copyright Jean-loup Gailly and Mark Adler, https://zlib.net\n")
    terms_of(Zstandard "${WASMSHARE_STATIC_ZSTD}" "BSD-3-Clause: Copyright Meta Platforms, https://github.com/facebook/zstd\n")
  endif()
endif()
mark_as_advanced(WASMSHARE_STATIC_C WASMSHARE_STATIC_ZLIB WASMSHARE_STATIC_ZSTD)

file(WRITE "${PROJECT_BINARY_DIR}/copyright" "${copyright}")
