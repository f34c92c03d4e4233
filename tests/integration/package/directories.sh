# Directories of the installer's choice, as GNUInstallDirs names them, and then another prefix: what is installed finds
# its parts.
. "$(dirname "$0")/../lib.sh"
llvm=$(sed -n 's/^LLVM_DIR:PATH=//p' "$WASMSHARE_BUILD/CMakeCache.txt")
cmake -S "$WASMSHARE_SOURCE" -B build -G Ninja -DLLVM_DIR="$llvm" -DBUILD_TESTING=OFF \
    -DCMAKE_INSTALL_BINDIR=tools/bin -DCMAKE_INSTALL_LIBDIR=lib/machine -DCMAKE_INSTALL_INCLUDEDIR=headers
cmake --build build -j2
cmake --install build --prefix "$work/prefix"
mv prefix elsewhere
export PATH="$work/elsewhere/tools/bin:$PATH" CMAKE_PREFIX_PATH=$work/elsewhere
export PKG_CONFIG_PATH=$work/elsewhere/lib/machine/pkgconfig

[ "$(wasmshare --makefile)" = "$work/elsewhere/share/wasmshare/wasmshare.mk" ] || fail "$(wasmshare --makefile)"
printf '#include <wasmshare.h>\nint main(void) { return ws_module_read == 0; }\n' >use.c
gcc use.c $(pkg-config --cflags --libs wasmshare) -Wl,-rpath,"$work/elsewhere/lib/machine" -o use
./use
example cmake
follow_readme
expect "WasmShare_DIR:PATH=$work/elsewhere/share/cmake/" build/CMakeCache.txt
example make
follow_readme
