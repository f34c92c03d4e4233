# WasmShare for CMake (>= 3.20): WebAssembly modules that share one linear memory, as a build step.
#
#     find_package(WasmShare REQUIRED)                 # or FetchContent / add_subdirectory
#     add_executable(common common.c)
#     add_executable(a a.c)
#     wasmshare_combine(app MODULES common a OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/app ALL)
#
# wasmshare_combine(<name>
#   MODULES <module>...
#   OUTPUT_DIRECTORY <dir>
#   [LAYOUT_NAME <layout>] [EXTRA_STACK <n>] [HEAP_SIZE <n>] [MAX_MEMORY <n>] [BASE <n>] [ALIGN <n>]
#   [LINK] [SINGLE <file>] [OPTIONS <option>...] [PREPARE] [ALL])
#
#   Makes the target <name>, which builds the modules and runs `wasmshare combine` on them, and, with a layout, the library
#   <name>::layout, which native targets link to get the generated layout.h and to be built after it.
#
#   MODULES           In layout order. Each is one of
#                       - an executable target, defined before this call; it is given wasmshare_module() unless it is
#                         imported;
#                       - the path of a .wasm file, relative to the current source directory;
#                       - <module name>=<either of these>.
#                     A module is named after its target, or its file without `.wasm`, unless it is given a name.
#   OUTPUT_DIRECTORY  Gets <module name>.wasm for each module, and layout.h, layout.mjs, layout.d.mts and layout.json.
#                     Relative to the current binary directory. With a multi-config generator the configuration's name
#                     is appended, unless the directory has a generator expression in it.
#   LAYOUT_NAME       Used in place of `layout` in those files' names.
#   EXTRA_STACK, HEAP_SIZE, MAX_MEMORY, BASE, ALIGN
#                     The options of `wasmshare combine` of these names: bytes, as 65536, 0x10000, 64K or 1M.
#   LINK              The modules become one program (`--link`).
#   SINGLE            The same, as one module: a file in OUTPUT_DIRECTORY, which is all that is written. There is no layout,
#                     and none of its options.
#   OPTIONS           Any other options of `wasmshare combine`, such as --keep-relocs. The files of --map and --env
#                     are outputs, relative to OUTPUT_DIRECTORY.
#   PREPARE           The modules are not placed: `wasmshare prepare` makes them placeable when they are loaded. There is no
#                     layout, and none of its options: OPTIONS can have --trust-pic.
#   ALL               <name> is built by default.
#
#   Target properties of <name>, for get_target_property() and rules of your own:
#     WASMSHARE_OUTPUT_DIRECTORY  the directory, with the configuration's generator expression if there is one
#     WASMSHARE_OUTPUTS           every file written
#
# wasmshare_module(<target>)
#
#   Gives an executable target the link options that exact placing needs: for modules that are combined elsewhere.
cmake_policy(VERSION 3.20...3.31)

# clang runs wasm-opt, if there is one, on what it links with -O: that makes the linker's relocations stale. Newer ones can
# be told not to (clang 19 has the option too, but then does not link at all); the others only by linking with -O0, which
# leaves what was compiled as it is.
function(_wasmshare_no_wasm_opt language result)
  set(known WASMSHARE_NO_WASM_OPT_${language})
  if(NOT DEFINED ${known})
    execute_process(
      COMMAND "${CMAKE_${language}_COMPILER}" --target=wasm32 --no-wasm-opt "-###" -x c -
      OUTPUT_QUIET ERROR_VARIABLE commands)
    set(option -O0)
    if(commands MATCHES "wasm-ld")
      set(option --no-wasm-opt)
    endif()
    set(${known} ${option} CACHE INTERNAL "keeps the compiler from running wasm-opt")
  endif()
  set(${result} ${${known}} PARENT_SCOPE)
endfunction()

function(wasmshare_module target)
  if(ARGN)
    message(FATAL_ERROR "wasmshare_module(${target}): unknown arguments: ${ARGN}")
  endif()
  if(NOT TARGET ${target})
    message(FATAL_ERROR "wasmshare_module(${target}): no such target")
  endif()
  get_target_property(type ${target} TYPE)
  if(NOT type STREQUAL EXECUTABLE)
    message(FATAL_ERROR "wasmshare_module(${target}): a module is made by add_executable(), and this is a ${type}")
  endif()
  foreach(language C CXX)
    if(CMAKE_${language}_COMPILER_LOADED)
      if(NOT CMAKE_${language}_COMPILER_ID MATCHES Clang)
        message(FATAL_ERROR "wasmshare_module(${target}): ${CMAKE_${language}_COMPILER} cannot make WebAssembly: "
          "configure with a toolchain file, such as WasmShare's wasm32-unknown-unknown.cmake")
      endif()
      _wasmshare_no_wasm_opt(${language} no_wasm_opt)
      target_link_options(${target} PRIVATE $<$<LINK_LANGUAGE:${language}>:${no_wasm_opt}>)
    endif()
  endforeach()
  target_link_options(${target} PRIVATE LINKER:--emit-relocs LINKER:--import-memory)
  # for the host to run constructors; where there is a C library, that does so, and would no longer
  if("${CMAKE_C_COMPILER_TARGET};${CMAKE_CXX_COMPILER_TARGET}" MATCHES "wasm(32|64)(-unknown-unknown)?(;|$)")
    target_link_options(${target} PRIVATE LINKER:--export-if-defined=__wasm_call_ctors)
  endif()
endfunction()

# The output directory: absolute, and one for each configuration.
function(_wasmshare_directory directory result)
  if(NOT directory MATCHES "^\\$<")
    get_filename_component(directory "${directory}" ABSOLUTE BASE_DIR "${CMAKE_CURRENT_BINARY_DIR}")
  endif()
  get_property(multi_config GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
  if(multi_config AND NOT directory MATCHES "\\$<")
    string(APPEND directory "/$<CONFIG>")
  endif()
  set(${result} "${directory}" PARENT_SCOPE)
endfunction()

# One of MODULES: its name, its file, and the target that makes it, if one does.
function(_wasmshare_module call module name_result file_result target_result)
  set(given)
  set(target)
  if(NOT TARGET "${module}" AND module MATCHES "^([^=/]+)=(.+)$")
    set(given "${CMAKE_MATCH_1}")
    set(module "${CMAKE_MATCH_2}")
  endif()
  if(TARGET "${module}")
    get_target_property(aliased ${module} ALIASED_TARGET)
    if(aliased)
      set(module ${aliased})
    endif()
    get_target_property(imported ${module} IMPORTED)
    if(NOT imported)
      wasmshare_module(${module})
    endif()
    set(target ${module})
    set(file "$<TARGET_FILE:${module}>")
    string(REGEX REPLACE "^.*::" "" name "${module}")
  elseif(module MATCHES "\\.wasm$")
    get_filename_component(file "${module}" ABSOLUTE)
    get_filename_component(name "${module}" NAME)
    string(REGEX REPLACE "\\.wasm$" "" name "${name}")
  else()
    message(FATAL_ERROR "${call}: ${module} is neither a target defined before this call nor a .wasm file")
  endif()
  if(given)
    set(name "${given}")
  endif()
  set(${name_result} "${name}" PARENT_SCOPE)
  set(${file_result} "${file}" PARENT_SCOPE)
  set(${target_result} "${target}" PARENT_SCOPE)
endfunction()

# The path of a module's file, as far as it is known before generating.
function(_wasmshare_location file target result)
  set(location "${file}")
  if(target)
    get_target_property(location ${target} IMPORTED_LOCATION)
    get_target_property(imported ${target} IMPORTED)
    if(NOT imported)
      foreach(property RUNTIME_OUTPUT_DIRECTORY BINARY_DIR RUNTIME_OUTPUT_NAME OUTPUT_NAME NAME SUFFIX)
        get_target_property(${property} ${target} ${property})
      endforeach()
      set(directories ${RUNTIME_OUTPUT_DIRECTORY} ${BINARY_DIR})
      set(names ${RUNTIME_OUTPUT_NAME} ${OUTPUT_NAME} ${NAME})
      set(suffixes ${SUFFIX} .wasm)
      foreach(list directories names suffixes)
        list(FILTER ${list} EXCLUDE REGEX "-NOTFOUND$")
        list(GET ${list} 0 ${list})
      endforeach()
      _wasmshare_directory("${directories}" directory)
      set(location "${directory}/${names}${suffixes}")
    endif()
  endif()
  set(${result} "${location}" PARENT_SCOPE)
endfunction()

# OPTIONS, with the files of --map and --env in the output directory; and those files.
function(_wasmshare_options call directory given options_result files_result)
  set(options)
  set(files)
  set(previous)
  foreach(option IN LISTS given)
    # -o, --output, --name and --depfile, however short: no other option begins like them
    if(option MATCHES "^(-o|--o|--n|--d)")
      message(FATAL_ERROR "${call}: ${option}: use OUTPUT_DIRECTORY and LAYOUT_NAME, which declare the outputs")
    endif()
    if(option MATCHES "^--si")
      message(FATAL_ERROR "${call}: ${option}: use SINGLE, which declares the output")
    endif()
    # `wasmshare` would take it for a module; what follows an option may be its value
    if(NOT option MATCHES "^(-|\\$<)" AND NOT previous MATCHES "^(-[^=]*$|\\$<)")
      message(FATAL_ERROR "${call}: OPTIONS: ${option} is neither an option of `wasmshare combine` nor the value of one")
    endif()
    if(previous MATCHES "^--(map|env)$")
      list(POP_BACK options)
      set(option "${previous}=${option}")
    endif()
    set(previous "${option}")
    if(option MATCHES "^(--map|--env)=(.+)")
      set(word "${CMAKE_MATCH_1}")
      set(file "${CMAKE_MATCH_2}")
      if(NOT IS_ABSOLUTE "${file}" AND NOT file MATCHES "^\\$<")
        set(file "${directory}/${file}")
      endif()
      list(APPEND files "${file}")
      set(option "${word}=${file}")
    endif()
    list(APPEND options "${option}")
  endforeach()
  set(${options_result} "${options}" PARENT_SCOPE)
  set(${files_result} "${files}" PARENT_SCOPE)
endfunction()

function(wasmshare_combine name)
  set(call "wasmshare_combine(${name})")
  set(sizes EXTRA_STACK HEAP_SIZE MAX_MEMORY BASE ALIGN)
  cmake_parse_arguments(PARSE_ARGV 1 arg "ALL;LINK;PREPARE" "OUTPUT_DIRECTORY;LAYOUT_NAME;SINGLE;${sizes}" "MODULES;OPTIONS")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "${call}: unknown arguments: ${arg_UNPARSED_ARGUMENTS}")
  endif()
  if(arg_KEYWORDS_MISSING_VALUES)
    message(FATAL_ERROR "${call}: no value for: ${arg_KEYWORDS_MISSING_VALUES}")
  endif()
  foreach(required MODULES OUTPUT_DIRECTORY)
    if(NOT arg_${required})
      message(FATAL_ERROR "${call}: ${required} is missing")
    endif()
  endforeach()

  _wasmshare_directory("${arg_OUTPUT_DIRECTORY}" directory)
  set(layout layout)
  if(DEFINED arg_LAYOUT_NAME)
    set(layout "${arg_LAYOUT_NAME}")
  endif()
  set(command combine)
  set(options -o "${directory}" --name "${layout}")
  if(arg_LINK)
    list(APPEND options --link)
  endif()
  if(DEFINED arg_SINGLE)
    foreach(one IN ITEMS LAYOUT_NAME EXTRA_STACK ALIGN)
      if(DEFINED arg_${one})
        message(FATAL_ERROR "${call}: ${one}: with SINGLE, there is one module and no layout")
      endif()
    endforeach()
    get_filename_component(single "${arg_SINGLE}" ABSOLUTE BASE_DIR "${directory}")
    set(options --single "${single}") # without -o: that would write a layout
  endif()
  if(arg_PREPARE)
    foreach(one IN ITEMS LAYOUT_NAME LINK SINGLE ${sizes})
      if(arg_${one} OR (DEFINED arg_${one} AND NOT one STREQUAL LINK))
        message(FATAL_ERROR "${call}: ${one}: with PREPARE, the modules are placed when they are loaded")
      endif()
    endforeach()
    set(command prepare)
    set(options -o "${directory}")
  endif()
  foreach(size IN LISTS sizes)
    if(DEFINED arg_${size})
      string(TOLOWER "--${size}" option)
      string(REPLACE _ - option "${option}")
      list(APPEND options ${option} "${arg_${size}}")
    endif()
  endforeach()
  _wasmshare_options("${call}" "${directory}" "${arg_OPTIONS}" more files)
  list(APPEND options ${more})

  set(names)
  set(inputs)
  set(locations)
  set(depends)
  set(outputs)
  foreach(module IN LISTS arg_MODULES)
    _wasmshare_module("${call}" "${module}" module_name file target)
    if(module_name IN_LIST names)
      message(FATAL_ERROR "${call}: two modules are named ${module_name}: name one of them, as in other=${module}")
    endif()
    list(APPEND names "${module_name}")
    list(APPEND inputs "${module_name}=${file}")
    _wasmshare_location("${file}" "${target}" location)
    list(APPEND locations "${location}")
    list(APPEND depends ${target} "${file}")
    list(APPEND outputs "${directory}/${module_name}.wasm")
  endforeach()
  if(DEFINED arg_SINGLE)
    set(outputs "${single}")
  endif()
  foreach(output IN LISTS outputs)
    if(output IN_LIST locations)
      message(FATAL_ERROR "${call}: ${output}: would overwrite an input: choose another directory as OUTPUT_DIRECTORY")
    endif()
  endforeach()
  set(comment Preparing)
  if(NOT arg_PREPARE)
    set(comment Combining)
  endif()
  if(NOT arg_PREPARE AND NOT DEFINED arg_SINGLE)
    foreach(suffix h mjs d.mts json)
      list(APPEND outputs "${directory}/${layout}.${suffix}")
    endforeach()
  endif()
  list(APPEND outputs ${files})
  # First, since Make knows a rule's time by its first output: outputs that would not change keep theirs.
  set(stamp "${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/${name}.combined")
  get_property(multi_config GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
  if(multi_config)
    set(stamp "${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/${name}-$<CONFIG>.combined")
  endif()

  string(REPLACE ";" ", " names "${names}")
  add_custom_command(
    OUTPUT "${stamp}" ${outputs}
    COMMAND ${CMAKE_COMMAND} -E make_directory "${directory}"
    COMMAND WasmShare::wasmshare ${command} ${options} ${inputs}
    COMMAND ${CMAKE_COMMAND} -E touch "${stamp}"
    DEPENDS ${depends} WasmShare::wasmshare "$<TARGET_FILE:WasmShare::wasmshare>"
    COMMENT "${comment} ${names} into ${name}"
    VERBATIM)
  set(all)
  if(arg_ALL)
    set(all ALL)
  endif()
  add_custom_target(${name} ${all} DEPENDS ${outputs})
  set_target_properties(${name} PROPERTIES
    WASMSHARE_OUTPUT_DIRECTORY "${directory}"
    WASMSHARE_OUTPUTS "${outputs}")

  if(arg_PREPARE OR DEFINED arg_SINGLE)
    return()
  endif()
  # not IMPORTED, whose include directories compilers take for system ones
  add_library(${name}-layout INTERFACE)
  target_include_directories(${name}-layout INTERFACE "${directory}")
  add_dependencies(${name}-layout ${name})
  add_library(${name}::layout ALIAS ${name}-layout)
endfunction()
