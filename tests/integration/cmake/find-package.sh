# find_package() takes the installation, wherever it was moved to, and the build tree; versions are compared, and a 32-bit
# target is no obstacle.
. "$(dirname "$0")/../lib.sh"
example cmake
version=$(wasmshare --version | head -1 | grep -o '[0-9]*\.[0-9]*\.[0-9]*')
cp -r "$WASMSHARE_PREFIX" "$work/moved"
# only what is named, not what is in PATH
configure() {
    rm -rf build
    env PATH=/usr/bin:/bin cmake -B build -G Ninja -DCMAKE_PREFIX_PATH="$1" \
        --toolchain "$1/share/wasmshare/wasm32-unknown-unknown.cmake"
}
for from in "$work/moved" "$WASMSHARE_BUILD"; do
    configure "$from"
    cmake --build build -v | tee build.log
    node main.mjs | tee output.log
    expect 'HELLO FROM A MODULE OF ITS OWN' output.log
    grep -q "$from/.*wasmshare combine" build.log || fail "not the wasmshare of $from"
    expect "WasmShare_DIR:PATH=$from/" build/CMakeCache.txt
done
sed -i "s/find_package(WasmShare/& $version EXACT/" CMakeLists.txt
configure "$work/moved"
sed -i "s/$version EXACT/99.0/" CMakeLists.txt
refuses "version: $version" configure "$work/moved"
sed -i 's/99.0/COMPONENTS nonesuch/' CMakeLists.txt
refuses nonesuch configure "$work/moved"
