# The build scripts of the examples in the tree, with what they find by themselves: the newest clang, and wasmshare in
# PATH or as `./run build` makes it.
. "$(dirname "$0")/lib.sh"
PATH=${PATH//"$WASMSHARE_PREFIX/bin:"/}
unset CLANG CLANGXX
mkdir -p tree/build/release
cp -r "$WASMSHARE_SOURCE/examples" "$WASMSHARE_SOURCE/js" tree
refuses "build.sh: no wasmshare in PATH: './run build' makes one" tree/examples/three-modules/build.sh c placed
cp "$WASMSHARE_PREFIX/bin/wasmshare" tree/build/release
refuses "build.sh: no /nonesuch: './run build' makes one" \
    env WASMSHARE=/nonesuch tree/examples/three-modules/build.sh c placed

tree/examples/three-modules/build.sh c placed
node tree/examples/three-modules/demo.mjs placed
(cd tree && examples/load-time/build.sh "$work/page")
"$WASMSHARE_PREFIX/bin/wasmshare" verify page/common.wasm
export PATH="$WASMSHARE_PREFIX/bin:$PATH"
rm -r tree/build placed
tree/examples/three-modules/build.sh c placed
