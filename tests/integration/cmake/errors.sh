# What is wrong in a call is an error of configuring, and says what.
. "$(dirname "$0")/../lib.sh"
example cmake
cp CMakeLists.txt good.txt
out='OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/x'
configure() {
    { cat good.txt; echo "$1"; } >CMakeLists.txt
    cmake -B build -G "${2:-Ninja}" --toolchain "$WASMSHARE_PREFIX/share/wasmshare/wasm32-unknown-unknown.cmake"
}
configure ''
refuses 'wasmshare_combine(x): unknown arguments: EXTRA;STUFF' configure "wasmshare_combine(x EXTRA STUFF MODULES shout $out)"
refuses 'wasmshare_combine(x): unknown arguments: HEAPSIZE;1M' configure "wasmshare_combine(x MODULES shout $out ALL HEAPSIZE 1M)"
refuses 'wasmshare_combine(x): no value for: HEAP_SIZE' configure "wasmshare_combine(x MODULES shout $out HEAP_SIZE)"
refuses 'wasmshare_combine(x): MODULES is missing' configure "wasmshare_combine(x $out)"
refuses 'wasmshare_combine(x): OUTPUT_DIRECTORY is missing' configure 'wasmshare_combine(x MODULES shout)'
refuses 'wasmshare_combine(x): later is neither a target defined before this call nor a .wasm file' \
    configure "wasmshare_combine(x MODULES shout later $out)
add_executable(later shout.c)"
refuses 'two modules are named shout' configure "wasmshare_combine(x MODULES shout other/shout.wasm $out)"
for options in '-o y' -oy '--output y' --output=y '--outp y' '--name y' --name=y '--na y' '--depfile y' --dep=y; do
    refuses 'use OUTPUT_DIRECTORY and LAYOUT_NAME' \
        configure "wasmshare_combine(x MODULES shout $out OPTIONS --heap-size 1M $options)"
done
for options in 'STACK_SIZE 4K' 'STACK shared' '--keep-relocs THREADS 4' 'greeting.wasm --keep-relocs' '--heap-size 1M more' '--heap-size=1M more'; do
    refuses 'is neither an option of `wasmshare combine` nor the value of one' \
        configure "wasmshare_combine(x MODULES shout $out OPTIONS $options)"
done
configure "wasmshare_combine(x MODULES shout $out OPTIONS --heap-owner shout --prefer=output)"
configure "wasmshare_combine(x MODULES shout $out OPTIONS \$<1:--heap-size> 1M --base 64K \$<IF:1,--align,--base> 64K)"
for generator in Ninja 'Ninja Multi-Config' 'Unix Makefiles'; do
    rm -r build
    for module in shout shout=named; do
        refuses 'would overwrite an input: choose another directory' configure "add_executable(named shout.c)
set_target_properties(named PROPERTIES OUTPUT_NAME shout)
wasmshare_combine(x MODULES greeting $module OUTPUT_DIRECTORY .)" "$generator"
    done
    # which holds for its own file alone
    configure 'wasmshare_combine(x MODULES other=shout OUTPUT_DIRECTORY .)' "$generator"
done
rm -r build
refuses 'would overwrite an input: choose another directory' \
    configure 'wasmshare_combine(x MODULES shout.wasm OUTPUT_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})'
refuses 'this is a STATIC_LIBRARY' configure "add_library(s STATIC shout.c)
wasmshare_combine(x MODULES s $out)"
refuses 'wasmshare_module(nothing): no such target' configure 'wasmshare_module(nothing)'
refuses 'wasmshare_module(shout): unknown arguments: more' configure 'wasmshare_module(shout more)'
cp good.txt CMakeLists.txt
rm -r build
refuses 'cannot make WebAssembly: configure with a toolchain file' \
    cmake -B build -DCMAKE_C_COMPILER=gcc -DCMAKE_PREFIX_PATH="$WASMSHARE_PREFIX"
# a file that is not there is an error of building, since something else may make it
sed -i 's/MODULES greeting shout/MODULES greeting absent.wasm/' CMakeLists.txt
rm -r build
cmake -B build -G Ninja --toolchain "$WASMSHARE_PREFIX/share/wasmshare/wasm32-unknown-unknown.cmake"
refuses 'absent.wasm' cmake --build build
