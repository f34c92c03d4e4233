# The command for WASI, which the npm package has: wasmshare.wasm, and what is seldom needed in files of their own.
function(add_wasi_command name)
  add_command(${name} src/wasi/demangle.c src/wasi/libc.c src/wasi/real_path.c ${ARGN})
  foreach(missing signal mman getpid)
    string(TOUPPER ${missing} macro)
    target_compile_definitions(${name} PRIVATE _WASI_EMULATED_${macro})
    target_link_libraries(${name} PRIVATE wasi-emulated-${missing})
  endforeach()
  # nothing here prints fractions, which takes libc 5 KB
  target_link_libraries(${name} PRIVATE c-printscan-no-floating-point)
  # as much stack as other systems give, which reading deep JSON needs, below the data: overflowing it traps
  target_link_options(${name} PRIVATE -Wl,-z,stack-size=1048576,--stack-first,--strip-all)
endfunction()
# what it defines is not to be made of itself
set_source_files_properties(src/wasi/libc.c PROPERTIES COMPILE_OPTIONS "-fno-builtin;-fno-lto;-mbulk-memory")

add_wasi_command(wasmshare src/wasi/parts.c)
add_wasi_command(whole)
add_dependencies(whole wasmshare) # one of them writes templates.c

# what a C++ library knows of mangled names
add_executable(demangle src/wasi/demangler.c)
target_link_libraries(demangle PRIVATE c++abi)
target_link_options(demangle PRIVATE -mexec-model=reactor -Wl,--strip-all)

# Sizes count compressed. Linkers that make one of equal strings, and compilers that keep in variables what loops can
# compute, make a module smaller, and larger once it is compressed.
if(CMAKE_BUILD_TYPE STREQUAL "MinSizeRel")
  find_program(WASM_OPT wasm-opt)
  foreach(command wasmshare whole)
    target_link_options(${command} PRIVATE -Wl,-O0,-mllvm,-inline-threshold=-50,-mllvm,-disable-lsr,-mllvm,-enable-load-pre=false,-mllvm,-jump-threading-threshold=0 --no-wasm-opt)
    if(WASM_OPT)
      add_custom_command(TARGET ${command} POST_BUILD VERBATIM
        COMMAND "${WASM_OPT}" --mvp-features --enable-bulk-memory --enable-sign-ext --enable-mutable-globals
          --enable-nontrapping-float-to-int --enable-multivalue --enable-reference-types
          --low-memory-unused --converge --one-caller-inline-max-function-size=30 --flatten --rereloop -Oz -Oz --strip-target-features $<TARGET_FILE:${command}> -o $<TARGET_FILE:${command}>)
    endif()
  endforeach()
endif()
