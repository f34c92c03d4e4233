# PREPARE: modules that are placed when they are loaded, made again when their sources have changed.
. "$(dirname "$0")/../lib.sh"
example cmake
cat >>CMakeLists.txt <<'END'
wasmshare_combine(prepared MODULES greeting other=shout OUTPUT_DIRECTORY prepared PREPARE ALL)
END
configure() { cmake -B build -G Ninja --toolchain "$WASMSHARE_PREFIX/share/wasmshare/wasm32-unknown-unknown.cmake"; }
configure
cmake --build build 2>&1 | tee build.log
expect 'Preparing greeting, other into prepared' build.log
[ "$(ls build/prepared | tr '\n' ' ')" = 'greeting.wasm other.wasm ' ] || fail 'not the prepared modules'
wasmshare inspect --json build/prepared/other.wasm >inspect.json
expect '"prepared": true' inspect.json
wasmshare combine -o again build/prepared/greeting.wasm shout=build/prepared/other.wasm
cmp again/shout.wasm build/app/shout.wasm
cmake --build build 2>&1 | tee build.log
expect 'no work to do' build.log
wait_for_a_new_timestamp
touch shout.c
cmake --build build 2>&1 | tee build.log
expect 'Preparing greeting, other into prepared' build.log
for option in 'LAYOUT_NAME x' 'HEAP_SIZE 1M'; do
    sed -i "s/prepared PREPARE.*ALL/prepared PREPARE $option ALL/" CMakeLists.txt
    refuses "${option% *}: with PREPARE, the modules are placed when they are loaded" configure
done
