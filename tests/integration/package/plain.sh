# A build by hand, as of any CMake project: the generator that CMake takes, no preset, nothing that only tests need. Jansson is
# not installed, and LLVM is left out; what is missing is said with what to install.
. "$(dirname "$0")/../lib.sh"
hidden=()
for program in LIT FILECHECK LLVM_DWARFDUMP WASM_VALIDATE WAT2WASM WASM_OPT CHROMIUM NODE WASM_CLANG WASM_CLANGXX; do
    hidden+=("-D$program=0")
done
cmake -S "$WASMSHARE_SOURCE" -B build "${hidden[@]}" -DCMAKE_DISABLE_FIND_PACKAGE_cmocka=ON -DWASMSHARE_LLVM=OFF \
    -DJANSSON_INCLUDE_DIR=JANSSON_INCLUDE_DIR-NOTFOUND -DFETCHCONTENT_SOURCE_DIR_JANSSON="$WASMSHARE_SOURCE/build/jansson"
cmake --build build -j2
cmake --install build --prefix "$work/prefix"
prefix/bin/wasmshare --version | tee version.txt
expect 'readers: its own' version.txt
expect_no LLVM version.txt
expect_no cmocka build/Makefile
! ldd prefix/bin/wasmshare | grep -E 'jansson|LLVM|stdc' || fail 'it needs more than it says'

# the version is told in one place, and the same everywhere
version=$(sed -n 's/^#define WS_VERSION "\(.*\)"/\1/p' "$WASMSHARE_SOURCE/src/wasmshare.h")
expect "wasmshare $version" version.txt
for file in js/package.json cargo-helper/Cargo.toml cargo-helper/wasmshare-alloc/Cargo.toml; do
    grep -qE "^ *\"?version\"?[:=] *\"$version\"|^version = \"$version\"" "$WASMSHARE_SOURCE/$file" || fail "$file is not of version $version"
done

# as a part of a project, without LLVM
mkdir project
printf 'cmake_minimum_required(VERSION 3.20)\nproject(use C)\nset(WASMSHARE_LLVM OFF)\nadd_subdirectory("%s" wasmshare)\nadd_custom_target(use ALL COMMAND WasmShare::wasmshare --version)\n' \
    "$WASMSHARE_SOURCE" >project/CMakeLists.txt
cmake -S project -B project/build
cmake --build project/build -j2 | tee project.txt
expect 'readers: its own' project.txt

refuses 'Install LLVM 19 or newer' cmake -S "$WASMSHARE_SOURCE" -B none -DCMAKE_DISABLE_FIND_PACKAGE_LLVM=ON
