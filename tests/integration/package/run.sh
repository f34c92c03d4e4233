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
# asking for help installs nothing
mkdir "$work/fake"
printf '#!/bin/sh\necho "$0 $*" >>"%s/installed.log"\nexit 1\n' "$work" | tee "$work/fake/apt-get" "$work/fake/sudo" "$work/fake/npm" >"$work/fake/cargo"
chmod +x "$work/fake"/*
for command in demo web test bench build package npm; do
    PATH=$work/fake:$PATH ./run $command --help | cmp - help.txt
done
[ ! -e "$work/installed.log" ] || fail "--help calls $(cat "$work/installed.log")"
refuses 'run: no such command: buidl' ./run buidl
refuses './run COMMAND' ./run
