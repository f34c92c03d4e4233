# With a multi-config generator, each configuration has outputs of its own; a generator expression puts them elsewhere.
. "$(dirname "$0")/../lib.sh"
example cmake
cat >>CMakeLists.txt <<'END'
wasmshare_combine(elsewhere MODULES loud=shout greeting OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/$<CONFIG>-out
  OPTIONS --map map.svg --keep-relocs ALL)
wasmshare_combine(drawn MODULES shout greeting OUTPUT_DIRECTORY drawn OPTIONS --map=map.svg)
get_target_property(outputs drawn WASMSHARE_OUTPUTS)
add_custom_target(copies COMMAND ${CMAKE_COMMAND} -E copy ${outputs} ${CMAKE_CURRENT_BINARY_DIR} DEPENDS ${outputs})
add_dependencies(copies drawn)
END
cmake -B build -G 'Ninja Multi-Config' --toolchain "$WASMSHARE_PREFIX/share/wasmshare/wasm32-unknown-unknown.cmake"
for config in Debug Release; do
    cmake --build build --config $config
    wasmshare verify build/app/$config
    wasmshare verify build/$config-out
    ! cmp -s build/$config-out/loud.wasm build/app/$config/shout.wasm || fail 'in another order, at the same place'
    # the picture is one of the outputs: it is made again, and others can depend on it
    rm build/$config-out/map.svg
    cmake --build build --config $config --target elsewhere copies
    cmp build/map.svg build/drawn/$config/map.svg
    [ -f build/$config-out/map.svg ] || fail 'the picture was not made again'
done
! cmp -s build/app/Debug/shout.wasm build/app/Release/shout.wasm || fail 'the same module in both configurations'
