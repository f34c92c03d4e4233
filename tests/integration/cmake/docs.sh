# The example of docs/cmake.md works as it stands, with modules that call each other as it says.
. "$(dirname "$0")/../lib.sh"
docs=$WASMSHARE_SOURCE/docs/cmake.md
block cmake "$docs" >CMakeLists.txt
echo '__attribute__((export_name("add"))) int add(int a, int b) { return a + b; }' >common.c
{
    echo 'extern "C" {'
    block c "$docs"
    echo '__attribute__((export_name("one_more"))) int one_more(int i) { return add(i, 1); } }'
} >a.cpp
cat >main.mjs <<'END'
import { instantiate } from './build/app/layout.mjs';
console.log('one more:', (await instantiate()).instances.a.exports.one_more(41));
END
configure_and_build() {
    rm -rf build
    cmake -B build -G Ninja --toolchain "$WASMSHARE_PREFIX/share/wasmshare/$1.cmake" && cmake --build build
}
works() {
    configure_and_build "$1"
    node main.mjs | tee output.log
    expect 'one more: 42' output.log
}
works wasm32-unknown-unknown
refuses 'undefined symbol: main' configure_and_build wasm32-wasi
sed -i '/find_package/a add_link_options(-mexec-model=reactor)' CMakeLists.txt
works wasm32-wasi

# an ordinary declaration
sed -i 's/^__attribute__((import_module.*"))) //' a.cpp
expect_no import_module a.cpp
refuses 'undefined symbol: add' configure_and_build wasm32-wasi
sed -i 's/reactor/& -Wl,--allow-undefined/' CMakeLists.txt
works wasm32-wasi
