# The npm package, of which the command is a part: the target `npm` makes the directory `package` of the build tree, and
# wasmshare-VERSION.tgz of it.
set(package "${PROJECT_BINARY_DIR}/package")
set(js "${PROJECT_SOURCE_DIR}/js")

file(READ "${js}/package.json" json)
string(JSON version GET "${json}" version)
if(NOT version VERSION_EQUAL PROJECT_VERSION)
  message(FATAL_ERROR "js/package.json is of version ${version}, but src/wasmshare.h of ${PROJECT_VERSION}")
endif()
string(JSON count LENGTH "${json}" files)
math(EXPR last "${count} - 1")
set(sources package.json)
foreach(i RANGE ${last})
  string(JSON file GET "${json}" files ${i})
  if(EXISTS "${js}/${file}" AND NOT file MATCHES "README|[.]wasm$")
    list(APPEND sources ${file})
  endif()
endforeach()
list(TRANSFORM sources PREPEND "${js}/")

# What links to the source tree leads to where that is published.
file(READ "${js}/README.md" readme)
string(REPLACE "](../" "](https://github.com/wasmshare/wasmshare/blob/main/" readme "${readme}")
file(WRITE "${PROJECT_BINARY_DIR}/README.md" "${readme}")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${js}/README.md" "${js}/package.json")

set(share
  "${PROJECT_SOURCE_DIR}/cmake/wasmshare.mk" "${PROJECT_SOURCE_DIR}/cmake/wasm-clang.cmake"
  "${PROJECT_SOURCE_DIR}/cmake/wasm32-unknown-unknown.cmake" "${PROJECT_SOURCE_DIR}/cmake/wasm32-wasi.cmake")
set(tarball "${PROJECT_BINARY_DIR}/wasmshare-${PROJECT_VERSION}.tgz")
add_custom_command(OUTPUT "${tarball}"
  DEPENDS wasmshare whole demangle ${sources} ${share} "${PROJECT_BINARY_DIR}/README.md" "${PROJECT_SOURCE_DIR}/LICENSE"
  COMMAND ${CMAKE_COMMAND} -E rm -rf "${package}"
  COMMAND ${CMAKE_COMMAND} -E make_directory "${package}/share/wasmshare"
  COMMAND ${CMAKE_COMMAND} -E copy ${sources} "${PROJECT_BINARY_DIR}/README.md" "${PROJECT_SOURCE_DIR}/LICENSE"
    $<TARGET_FILE:wasmshare> $<TARGET_FILE:whole> $<TARGET_FILE:demangle> "${package}"
  COMMAND ${CMAKE_COMMAND} -E copy ${share} "${package}/share/wasmshare"
  COMMAND npm pack --silent --pack-destination "${PROJECT_BINARY_DIR}" "${package}"
  COMMENT "Packing wasmshare-${PROJECT_VERSION}.tgz" VERBATIM)
add_custom_target(npm DEPENDS "${tarball}")
