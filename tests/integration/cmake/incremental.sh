# usage: incremental.sh GENERATOR
# Touching a source compiles that module and combines again; touching nothing does nothing; a rule of the project's own
# can depend on the outputs. In directories with spaces in their names, with WasmShare in one too.
. "$(dirname "$0")/../lib.sh"
generator=$1
cp -r "$WASMSHARE_PREFIX" "$work/wasm share"
example cmake
mkdir "$work/my project"
mv ./* "$work/my project"
cd "$work/my project"
cat >>CMakeLists.txt <<'END'
get_target_property(outputs app WASMSHARE_OUTPUTS)
get_target_property(directory app WASMSHARE_OUTPUT_DIRECTORY)
add_custom_command(OUTPUT copied.json
  COMMAND ${CMAKE_COMMAND} -E copy ${directory}/layout.json copied.json
  DEPENDS ${outputs} VERBATIM)
add_custom_target(copy ALL DEPENDS copied.json)
add_dependencies(copy app)
END
cmake -B build -G "$generator" -DCMAKE_PREFIX_PATH="$work/wasm share" \
    --toolchain "$work/wasm share/share/wasmshare/wasm32-unknown-unknown.cmake"
out=build/app
config=()
if [ "$generator" = 'Ninja Multi-Config' ]; then
    out=build/app/Release
    config=(--config Release)
fi
build() {
    cmake --build build "${config[@]}" -j2 2>&1 | tee build.log
}

build
expect 'Combining greeting, shout into app' build.log
[ "$(echo $(ls "$out"))" = 'greeting.wasm layout.d.mts layout.h layout.json layout.mjs shout.wasm' ] ||
    fail "written: $(ls "$out")"
cmp build/copied.json "$out/layout.json"
wasmshare verify "$out"

wait_for_a_new_timestamp
build
expect_no Combining build.log
expect_no Linking build.log

wait_for_a_new_timestamp
touch shout.c
build
expect 'Building C object CMakeFiles/shout.dir/' build.log
expect 'Combining greeting, shout into app' build.log
expect_no CMakeFiles/greeting.dir/ build.log
build # though the outputs are the same as before
expect_no Combining build.log

# WasmShare itself is new
wait_for_a_new_timestamp
touch "$work/wasm share/bin/wasmshare"
build
expect 'Combining greeting, shout into app' build.log
expect_no Linking build.log

# an output was lost
rm "$out/layout.h"
build
[ -f "$out/layout.h" ] || fail 'layout.h was not made again'
