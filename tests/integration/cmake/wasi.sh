# The wasi toolchain file: C++ with the standard library, as reactors; linked with -O3, for which clang does not run the
# wasm-opt in PATH.
. "$(dirname "$0")/../lib.sh"
# clang would run this after linking with -O, and make the relocations stale
mkdir bin
printf '#!/bin/sh\necho "wasm-opt was run" >&2\nexit 1\n' >bin/wasm-opt
chmod +x bin/wasm-opt
export PATH="$work/bin:$PATH"
cat >CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.20)
project(words CXX)
find_package(WasmShare REQUIRED)
add_executable(words words.cpp)
add_executable(shapes shapes.cpp)
add_executable(apart words.cpp)
foreach(module words shapes apart)
  target_link_options(${module} PRIVATE -mexec-model=reactor)
endforeach()
wasmshare_combine(app MODULES words shapes OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/app ALL)
wasmshare_module(apart)
END
cat >words.cpp <<'END'
#include <map>
#include <string>
static std::map<std::string, int> lengths = {{"zero", 4}, {"three", 5}}; // a constructor, and the heap
extern "C" __attribute__((export_name("number"))) int number(int which) {
  return lengths[which ? "three" : "zero"];
}
END
cat >shapes.cpp <<'END'
#include <algorithm>
#include <array>
struct Shape { virtual int corners() const = 0; };
struct Square : Shape { int corners() const override { return 4; } };
struct Triangle : Shape { int corners() const override { return 3; } };
static Square square;
static Triangle triangle;
static std::array<const Shape *, 2> shapes = {&square, &triangle}; // pointers in data, vtables, no heap
extern "C" __attribute__((export_name("number"))) int number(int which) {
  std::sort(shapes.begin(), shapes.end(), [](auto a, auto b) { return a->corners() < b->corners(); });
  return shapes[which]->corners();
}
END
cat >main.mjs <<'END'
import { readFile } from 'node:fs/promises';
import { WASI } from 'node:wasi';
import { createMemory, modules } from './build/app/layout.mjs';
const memory = createMemory();
for (const { name, url } of modules) {
  const wasi = new WASI({ version: 'preview1' });
  const { instance } = await WebAssembly.instantiate(await readFile(url),
    { env: { memory }, wasi_snapshot_preview1: wasi.wasiImport });
  wasi.initialize({ exports: { ...instance.exports, memory } });
  console.log(name, instance.exports.number(0), instance.exports.number(1));
}
END
cmake -B build -G Ninja -DCMAKE_BUILD_TYPE=Release --toolchain "$WASMSHARE_PREFIX/share/wasmshare/wasm32-wasi.cmake"
cmake --build build -v | tee build.log
expect_no 'warning:' build.log
node --no-warnings main.mjs | tee output.log
expect 'words 4 5' output.log
expect 'shapes 3 4' output.log
wasmshare verify build/app
# a target that is combined by hand
wasmshare combine -o by-hand build/shapes.wasm build/apart.wasm
wasmshare verify by-hand
