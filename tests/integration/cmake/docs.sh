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

# constructors run once, with and without a C library; so they do in a module that is given its flags by hand
cat >next.cpp <<'END'
static int hundred() { return 100; }
static int (*volatile start)() = hundred;
static int count = start();
extern "C" __attribute__((export_name("next"))) int next() { return ++count; }
END
cat >next.mjs <<'END'
import { instantiate } from './build/next/layout.mjs';
for (const { exports: { next } } of Object.values((await instantiate()).instances)) console.log(next(), next(), next());
END
cp CMakeLists.txt before.txt
cat >>CMakeLists.txt <<'END'
add_executable(next next.cpp)
add_executable(by-hand next.cpp)
target_link_options(by-hand PRIVATE LINKER:--emit-relocs,--import-memory --no-wasm-opt)
wasmshare_combine(both MODULES next ${CMAKE_CURRENT_BINARY_DIR}/by-hand.wasm OUTPUT_DIRECTORY next ALL)
add_dependencies(both by-hand)
END
for toolchain in wasm32-unknown-unknown wasm32-wasi; do
    configure_and_build $toolchain
    [ "$(node next.mjs | sort -u)" = '101 102 103' ] || fail "constructors: $(node next.mjs)"
done
# and with flags of the project's own
rm -rf build
cmake -B build -G Ninja --toolchain "$WASMSHARE_PREFIX/share/wasmshare/wasm32-unknown-unknown.cmake" \
    -DCMAKE_EXE_LINKER_FLAGS='-nostdlib -Wl,--no-entry'
cmake --build build --target next
wasmshare combine -o build/next build/next.wasm
[ "$(node next.mjs)" = '101 102 103' ] || fail "constructors: $(node next.mjs)"
mv before.txt CMakeLists.txt

# an ordinary declaration
sed -i 's/^__attribute__((import_module.*"))) //' a.cpp
expect_no import_module a.cpp
refuses 'undefined symbol: add' configure_and_build wasm32-wasi
sed -i 's/reactor/& -Wl,--allow-undefined/' CMakeLists.txt
works wasm32-wasi
