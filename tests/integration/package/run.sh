# `./run build` in a fresh tree builds all that is installed and packaged; what is wrong in a call of `./run` is said.
. "$(dirname "$0")/../lib.sh"
mkdir tree
tar -C "$WASMSHARE_SOURCE" -c --exclude=./build --exclude=./.git --exclude=target . | tar -C tree -x
cd tree
WASMSHARE_INSTALL=no ./run build
cmake --install build/release --prefix "$work/prefix"
"$work/prefix/bin/wasmshare" --version
(cd build/release && cpack)
ls build/release/packages/wasmshare_*.deb

./run --help >help.txt
expect './run COMMAND' help.txt
refuses 'run: no such command: buidl' ./run buidl
refuses './run COMMAND' ./run
