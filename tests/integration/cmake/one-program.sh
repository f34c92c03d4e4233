# usage: one-program.sh GENERATOR
# LINK and SINGLE: the modules as one program, and as one file, which is then the only output.
. "$(dirname "$0")/../lib.sh"
generator=$1
example cmake
cp CMakeLists.txt good.txt
cat >>CMakeLists.txt <<'END'
wasmshare_combine(linked MODULES greeting shout OUTPUT_DIRECTORY linked LINK ALL)
wasmshare_combine(single MODULES greeting loud=shout OUTPUT_DIRECTORY single SINGLE one.wasm
  HEAP_SIZE 1M OPTIONS --strip-debug ALL)
get_target_property(outputs single WASMSHARE_OUTPUTS)
add_custom_command(OUTPUT copied.wasm
  COMMAND ${CMAKE_COMMAND} -E copy ${outputs} copied.wasm DEPENDS ${outputs} VERBATIM)
add_custom_target(copy ALL DEPENDS copied.wasm)
add_dependencies(copy single)
if(TARGET single::layout)
  message(FATAL_ERROR "a layout of one module")
endif()
END
config= configuration=
if [ "$generator" = 'Ninja Multi-Config' ]; then
    config=/Release configuration='--config Release'
fi
configure() { cmake -B build -G "$generator" --toolchain "$WASMSHARE_PREFIX/share/wasmshare/wasm32-unknown-unknown.cmake"; }
build() { cmake --build build $configuration 2>&1 | tee build.log; }
configure
build
wasmshare verify build/linked$config
expect '"merged"' build/linked$config/layout.json
[ "$(ls build/single$config)" = one.wasm ] || fail "written: $(ls build/single$config)"
cat >one.mjs <<'END'
import { readFileSync } from 'node:fs';
const { instance: { exports } } = await WebAssembly.instantiate(readFileSync('build/copied.wasm'));
const bytes = new Uint8Array(exports.memory.buffer), at = exports.shout();
console.log(new TextDecoder().decode(bytes.subarray(at, bytes.indexOf(0, at))));
END
node one.mjs | tee output.log
expect 'HELLO FROM A MODULE OF ITS OWN' output.log
build
expect_no 'Combining' build.log
rm build/single$config/one.wasm
build
[ -f build/single$config/one.wasm ] || fail 'the file was not made again'
wait_for_a_new_timestamp
sed -i 's/hello from/hello again from/' greeting.c
build
node one.mjs | tee output.log
expect 'HELLO AGAIN FROM A MODULE OF ITS OWN' output.log

# what does not go together
wrong() {
    { cat good.txt; echo "wasmshare_combine(x MODULES shout greeting OUTPUT_DIRECTORY x $2)"; } >CMakeLists.txt
    refuses "$1" configure
}
for option in 'LAYOUT_NAME y' 'EXTRA_STACK 4K' 'ALIGN 4K'; do
    wrong "wasmshare_combine(x): ${option% *}: with SINGLE, there is one module and no layout" "SINGLE one.wasm $option"
done
wrong 'wasmshare_combine(x): LINK: with PREPARE' 'LINK PREPARE'
wrong 'wasmshare_combine(x): SINGLE: with PREPARE' 'SINGLE one.wasm PREPARE'
wrong 'wasmshare_combine(x): no value for: SINGLE' 'SINGLE'
wrong 'wasmshare_combine(x): --single: use SINGLE' 'OPTIONS --single one.wasm'
