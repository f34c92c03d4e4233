# What `cmake --install` and `cpack` put where, and the same files under the build directory, so that other projects can
# use a build tree as they use an installation.
add_executable(WasmShare::wasmshare ALIAS wasmshare)
add_library(WasmShare::libwasmshare ALIAS libwasmshare)

# a project that has this one as a part of it installs and packages what is its own
if(NOT CMAKE_SOURCE_DIR STREQUAL PROJECT_SOURCE_DIR)
  return()
endif()
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
include(CheckLinkerFlag)

# ------------------------------------------------------------------------------------------------- the C library, shared

# The public header says what can be called from outside; LLVM, linked into it, is nobody else's business.
get_target_property(sources libwasmshare SOURCES)
get_target_property(source_dir libwasmshare SOURCE_DIR)
list(TRANSFORM sources PREPEND "${source_dir}/" REGEX "^[^/$]")
add_library(libwasmshare_shared SHARED ${sources})
foreach(property COMPILE_DEFINITIONS COMPILE_OPTIONS COMPILE_FEATURES INCLUDE_DIRECTORIES
    INTERFACE_INCLUDE_DIRECTORIES LINK_LIBRARIES C_STANDARD C_STANDARD_REQUIRED C_EXTENSIONS LINKER_LANGUAGE)
  get_target_property(value libwasmshare ${property})
  if(value)
    set_property(TARGET libwasmshare_shared PROPERTY ${property} "${value}")
  endif()
endforeach()

# What is public is marked in the header, WS_API; the static libraries that are linked into it have no such marks.
target_compile_options(libwasmshare_shared PRIVATE -fvisibility=hidden)
check_linker_flag(C -Wl,--exclude-libs,ALL links_exclude_libs)
if(links_exclude_libs)
  target_link_options(libwasmshare_shared PRIVATE -Wl,--exclude-libs,ALL)
endif()
set_target_properties(libwasmshare_shared PROPERTIES
  OUTPUT_NAME wasmshare
  VERSION ${PROJECT_VERSION}
  SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})

# -------------------------------------------------------------------------------------------------------------- programs

# not in the directory for libraries, which can be that of one architecture: projects are cross-compiled, and look there
# for packages of theirs
set(cmake_dir "${CMAKE_INSTALL_DATADIR}/cmake/WasmShare")
set(share_dir "${CMAKE_INSTALL_DATADIR}/wasmshare")

foreach(export IN ITEMS "wasmshare command WasmShareTargets" "libwasmshare library WasmShare-static"
    "libwasmshare_shared library WasmShare-shared")
  string(REPLACE " " ";" export "${export}")
  list(GET export 0 target)
  list(GET export 1 component)
  list(GET export 2 file)
  install(TARGETS ${target} EXPORT ${file} COMPONENT ${component} INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
  install(EXPORT ${file} NAMESPACE WasmShare:: DESTINATION "${cmake_dir}" COMPONENT ${component})
  export(EXPORT ${file} NAMESPACE WasmShare:: FILE "${PROJECT_BINARY_DIR}/share/cmake/WasmShare/${file}.cmake")
endforeach()
install(FILES src/wasmshare.h DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT library)
# what places modules at load time, as sources: for native hosts, and for pages
install(FILES src/runtime/wasmshare_load.h src/runtime/wasmshare_load.c DESTINATION "${share_dir}/load" COMPONENT command)
install(FILES js/index.js js/index.d.ts js/format.js js/plan.js js/prepared.js js/kernel.js js/kernel.wat
  DESTINATION "${share_dir}/js" COMPONENT command)
# without the parts that are WebAssembly, which take a compiler for WASI
file(READ "${PROJECT_SOURCE_DIR}/js/package.json" json)
foreach(part "  \"bin\": {[^}]*},\n" "    \"./full\": {[^}]*},\n" "    \"./[a-z]*.wasm\":[^\n]*\n" "  \"sideEffects\":[^]]*],\n")
  string(REGEX REPLACE "${part}" "" json "${json}")
endforeach()
file(WRITE "${PROJECT_BINARY_DIR}/js/package.json" "${json}")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/js/package.json")
install(FILES "${PROJECT_BINARY_DIR}/js/package.json" DESTINATION "${share_dir}/js" COMPONENT command)

# --------------------------------------------------------------------------------------------------------- build systems

set(package_dir "${PROJECT_BINARY_DIR}/share/cmake/WasmShare")
configure_file(cmake/WasmShareConfig.cmake.in "${package_dir}/WasmShareConfig.cmake" @ONLY)
# the command is for this machine whatever the project that uses it is compiled for
write_basic_package_version_file("${package_dir}/WasmShareConfigVersion.cmake" COMPATIBILITY SameMinorVersion
  ARCH_INDEPENDENT)
configure_file(cmake/WasmShare.cmake "${package_dir}/WasmShare.cmake" COPYONLY)
install(FILES
  "${package_dir}/WasmShareConfig.cmake" "${package_dir}/WasmShareConfigVersion.cmake" cmake/WasmShare.cmake
  DESTINATION "${cmake_dir}" COMPONENT command)

foreach(file wasmshare.mk wasm32-unknown-unknown.cmake wasm32-wasi.cmake wasm-clang.cmake)
  configure_file(cmake/${file} "${PROJECT_BINARY_DIR}/share/wasmshare/${file}" COPYONLY)
  install(FILES cmake/${file} DESTINATION "${share_dir}" COMPONENT command)
endforeach()

# a static library does not say what it needs, so the .pc file has to
set(private_libs "")
if(WASMSHARE_LLVM)
  find_program(WASMSHARE_LLVM_CONFIG llvm-config HINTS "${LLVM_TOOLS_BINARY_DIR}" NO_DEFAULT_PATH REQUIRED)
  set(llvm_link --link-static)
  if(WASMSHARE_LLVM_SHARED)
    set(llvm_link --link-shared)
  endif()
  execute_process(
    COMMAND "${WASMSHARE_LLVM_CONFIG}" ${llvm_link} --ldflags --libs --system-libs object
    OUTPUT_VARIABLE private_libs OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX REPLACE "[ \n]+" " " private_libs "${private_libs} -lstdc++ -pthread")
  string(REGEX REPLACE "/[^ ]*/lib([^ /]+)\\.(so|a)" "-l\\1" private_libs "${private_libs}")
endif()
file(RELATIVE_PATH prefix_from_pc "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" /)
string(REGEX REPLACE "/$" "" prefix_from_pc "${prefix_from_pc}")
configure_file(cmake/wasmshare.pc.in wasmshare.pc @ONLY)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/wasmshare.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig"
  COMPONENT library)

# ---------------------------------------------------------------------------------------------------------- for the user

install(FILES docs/wasmshare.1 DESTINATION "${CMAKE_INSTALL_MANDIR}/man1" COMPONENT command)
set(doc_dir "${CMAKE_INSTALL_DATADIR}/doc/wasmshare")

set(published https://github.com/wasmshare/wasmshare/blob/main)
# install_text(FILE DESTINATION [FROM TO]...): links that begin with FROM in the tree begin with TO where it is installed.
function(install_text file destination)
  file(READ "${file}" text)
  while(ARGN)
    list(POP_FRONT ARGN from to)
    string(REPLACE "](${from}" "](${to}" text "${text}")
  endwhile()
  set(written "${PROJECT_BINARY_DIR}/${destination}")
  get_filename_component(name "${file}" NAME)
  file(WRITE "${written}/${name}" "${text}")
  install(FILES "${written}/${name}" DESTINATION "${destination}" COMPONENT command)
  set_property(DIRECTORY "${PROJECT_SOURCE_DIR}" APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${file}")
endfunction()

foreach(doc layout hosts cmake cargo make sharing single prepared-modules prepared-format toolchains comparison troubleshooting)
  install_text("${PROJECT_SOURCE_DIR}/docs/${doc}.md" "${doc_dir}"
    ../examples examples ../js ../../wasmshare/js ../src/runtime ../../wasmshare/load ../src/format "${published}/src/format"
    ../README.md "${published}/README.md")
endforeach()
install_text("${PROJECT_SOURCE_DIR}/js/README.md" "${share_dir}/js"
  ../docs ../../doc/wasmshare ../README.md "${published}/README.md" full.d.ts "${published}/js/full.d.ts")
# those that need nothing else of the tree, and a page
install(FILES docs/layout.schema.json DESTINATION "${doc_dir}" COMPONENT command)
install(DIRECTORY examples/cmake examples/cargo examples/front-end examples/make examples/c-host DESTINATION "${doc_dir}/examples"
  COMPONENT command
  PATTERN .gitignore EXCLUDE PATTERN Cargo.lock EXCLUDE PATTERN build EXCLUDE PATTERN target EXCLUDE)
install(DIRECTORY examples/hosts DESTINATION "${doc_dir}/examples" COMPONENT command USE_SOURCE_PERMISSIONS
  PATTERN README.md EXCLUDE PATTERN .gitignore EXCLUDE PATTERN build EXCLUDE PATTERN target EXCLUDE)
install_text("${PROJECT_SOURCE_DIR}/examples/hosts/README.md" "${doc_dir}/examples/hosts" ../../docs ../..)
install(FILES examples/load-time/index.html examples/load-time/main.mjs DESTINATION "${doc_dir}/examples/load-time"
  COMPONENT command)
install_text("${PROJECT_SOURCE_DIR}/examples/load-time/README.md" "${doc_dir}/examples/load-time"
  ../../docs ../.. ../../js ../../../../wasmshare/js)
install(PROGRAMS examples/load-time/build.sh DESTINATION "${doc_dir}/examples/load-time" COMPONENT command)
install(FILES examples/tools.sh DESTINATION "${doc_dir}/examples" COMPONENT command)
install(DIRECTORY examples/three-modules/c DESTINATION "${doc_dir}/examples/three-modules" COMPONENT command)

include(cmake/Copyright.cmake)
install(FILES "${PROJECT_BINARY_DIR}/copyright" DESTINATION "${doc_dir}" COMPONENT command)
install(FILES cmake/completions/wasmshare.bash RENAME wasmshare
  DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions" COMPONENT command)
# Debian's zsh looks for what packages bring in a directory of its own
install(CODE "set(zsh_functions site-functions)
  if(CMAKE_INSTALL_PREFIX STREQUAL \"/usr\")
    set(zsh_functions vendor-completions)
  endif()" COMPONENT command)
install(FILES cmake/completions/_wasmshare
  DESTINATION "${CMAKE_INSTALL_DATADIR}/zsh/\${zsh_functions}" COMPONENT command)
install(FILES cmake/completions/wasmshare.fish
  DESTINATION "${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d" COMPONENT command)

# -------------------------------------------------------------------------------------------------------------- packages

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME wasmshare)
set(CPACK_PACKAGE_VENDOR WasmShare)
set(CPACK_PACKAGE_CONTACT "WasmShare developers")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGE_DESCRIPTION "A post-link tool: it finds every pointer in each module exactly, moves each module to a
place of its own, and writes the moved modules with C and JavaScript headers that say where everything went. With rules
for CMake and Make, and a C library.")
set(CPACK_PACKAGE_DIRECTORY "${PROJECT_BINARY_DIR}/packages")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(llvm_major 22)
if(WASMSHARE_LLVM)
  set(llvm_major ${LLVM_VERSION_MAJOR})
endif()
# linking the static library, or with clang and wasm-ld, takes what a user of the command alone can do without
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "clang (>= 1:19), lld (>= 1:19), nodejs, cmake (>= 3.20), make (>= 4.3), \
llvm-${llvm_major}-dev")
include(CPack)
