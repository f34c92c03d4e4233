# Finds Jansson, which reads and writes JSON, or compiles it from its source: jansson_libraries is what to link.
#
# The source is fetched, unless FETCHCONTENT_SOURCE_DIR_JANSSON says where it is; setting that also prefers it to an
# installed library.
find_path(JANSSON_INCLUDE_DIR jansson.h)
find_library(JANSSON_LIBRARY NAMES libjansson.a jansson)
if(JANSSON_INCLUDE_DIR AND JANSSON_LIBRARY AND NOT FETCHCONTENT_SOURCE_DIR_JANSSON)
  set(jansson_libraries "${JANSSON_LIBRARY}")
  set(jansson_include_dir "${JANSSON_INCLUDE_DIR}")
  return()
endif()

include(FetchContent)
if(POLICY CMP0135)
  cmake_policy(SET CMP0135 NEW)
endif()
if(NOT FETCHCONTENT_SOURCE_DIR_JANSSON)
  message(STATUS "Jansson is not installed (Debian, Ubuntu: libjansson-dev; Fedora: jansson-devel; Homebrew: jansson): fetching it")
endif()
FetchContent_Declare(jansson
  URL https://github.com/akheron/jansson/archive/refs/tags/v2.14.tar.gz
  URL_HASH SHA256=c739578bf6b764aa0752db9a2fdadcfe921c78f1228c7ec0bb47fa804c55d17b
  SOURCE_SUBDIR none) # its CMake files are older than CMake takes, and test more than is needed
FetchContent_MakeAvailable(jansson)

file(GLOB sources "${jansson_SOURCE_DIR}/src/*.c")
add_library(jansson STATIC EXCLUDE_FROM_ALL ${sources})
# a configuration for any system with C99; what is specific to one is in a file of its own, here an empty one
file(WRITE "${PROJECT_BINARY_DIR}/jansson/jansson_private_config.h" "")
set(jansson_include_dir
  "${jansson_SOURCE_DIR}/src" "${jansson_SOURCE_DIR}/android" "${PROJECT_BINARY_DIR}/jansson")
target_include_directories(jansson PRIVATE ${jansson_include_dir})
target_compile_definitions(jansson PRIVATE HAVE_STDINT_H)
target_compile_options(jansson PRIVATE -ffunction-sections -fdata-sections)
set(jansson_libraries jansson)
