# With a multi-config generator, each configuration has outputs of its own; a generator expression puts them elsewhere.
. "$(dirname "$0")/../lib.sh"
example cmake
cat >>CMakeLists.txt <<'END'
wasmshare_combine(elsewhere MODULES loud=shout greeting OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/$<CONFIG>-out ALL)
END
cmake -B build -G 'Ninja Multi-Config' --toolchain "$WASMSHARE_PREFIX/share/wasmshare/wasm32-unknown-unknown.cmake"
for config in Debug Release; do
    cmake --build build --config $config
    wasmshare verify build/app/$config
    wasmshare verify build/$config-out
    ! cmp -s build/$config-out/loud.wasm build/app/$config/shout.wasm || fail 'in another order, at the same place'
done
! cmp -s build/app/Debug/shout.wasm build/app/Release/shout.wasm || fail 'the same module in both configurations'
