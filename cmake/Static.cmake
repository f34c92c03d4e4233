# Links the command with static libraries alone, if all that it needs are there: it starts faster, and runs on any system.
# WASMSHARE_LINKS_STATIC is whether it is so.
if(NOT WASMSHARE_STATIC OR WASMSHARE_LLVM_SHARED OR APPLE)
  set(WASMSHARE_LINKS_STATIC OFF)
  return()
endif()
include(CheckSourceCompiles)
include(CMakePushCheckState)

# LLVM's package names files of shared libraries. Without Z3, which only analyses of programs use, and with names that
# the linker finds what is fit for, both kinds of programs can be linked.
set(program "int main(void) { return 0; }")
set(language C)
set(options -static)
if(WASMSHARE_LLVM)
  get_target_property(as_named LLVMSupport INTERFACE_LINK_LIBRARIES)
  set(by_name "${as_named}")
  list(FILTER by_name EXCLUDE REGEX "[Zz]3")
  list(TRANSFORM by_name REPLACE "ZLIB::ZLIB" z)
  list(TRANSFORM by_name REPLACE "zstd::libzstd_(shared|static)" zstd)
  set_target_properties(LLVMSupport PROPERTIES INTERFACE_LINK_LIBRARIES "${by_name}")
  set(language CXX)
  set(program "#include <llvm-c/Core.h>
#include <llvm-c/Object.h>
int main(int count, char **names) {
  char *message = 0;
  return !LLVMCreateBinary(LLVMCreateMemoryBufferWithMemoryRange(names[0], (size_t)count, \"\", 0), 0, &message);
}")
  # What LLVM has to find the directories of users is never called; and where it is linked statically, linkers warn.
  list(APPEND options -Wl,--defsym=getpwnam_r=abort -Wl,--defsym=getpwuid_r=abort)
endif()
cmake_push_check_state(RESET)
set(CMAKE_REQUIRED_INCLUDES ${LLVM_INCLUDE_DIRS})
set(CMAKE_REQUIRED_LIBRARIES ${llvm_libraries})
if(NOT TARGET jansson)
  list(APPEND CMAKE_REQUIRED_LIBRARIES ${jansson_libraries})
endif()
set(CMAKE_REQUIRED_LINK_OPTIONS ${options})
check_source_compiles(${language} "${program}" WASMSHARE_LINKS_STATIC)
cmake_pop_check_state()

if(WASMSHARE_LINKS_STATIC)
  target_link_options(wasmshare PRIVATE ${options})
elseif(WASMSHARE_LLVM)
  set_target_properties(LLVMSupport PROPERTIES INTERFACE_LINK_LIBRARIES "${as_named}")
endif()
