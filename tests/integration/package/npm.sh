# The npm package, installed from its tarball without a network: its command does what the native one does, byte for byte.
. "$(dirname "$0")/../lib.sh"
tarball=$(ls "$WASMSHARE_SOURCE"/build/npm/wasmshare-*.tgz)
native=$WASMSHARE_PREFIX/bin/wasmshare
mkdir -p project/sub
cd project
npm install --offline --no-audit --no-fund --silent "$tarball"
[ -z "$(find node_modules/wasmshare/ -type l)" ] && [ ! -L node_modules/wasmshare ] || fail 'symbolic links in the package'
[ "$(npx --offline wasmshare --version | head -1)" = "$("$native" --version | head -1)" ] || fail "$(npx wasmshare --version)"

# everything that it ships is there, and links lead somewhere
for file in LICENSE README.md index.d.ts full.d.ts wasmshare.wasm whole.wasm demangle.wasm share/wasmshare/wasmshare.mk; do
    [ -f node_modules/wasmshare/$file ] || fail "no $file"
done
for link in $(grep -o '](\.\{0,2\}[^):#]*' node_modules/wasmshare/README.md | sed 's/^](//; /^https*$/d'); do
    [ -e "node_modules/wasmshare/$link" ] || fail "README.md: $link is not there"
done
for link in $(grep -o 'blob/main/[^)#]*' node_modules/wasmshare/README.md); do
    [ -e "$WASMSHARE_SOURCE/${link#blob/main/}" ] || fail "README.md: $link is not in the tree"
done

cat >counter.c <<'C'
static int count = 40, *counted[100] = {&count};
__attribute__((export_name("counter"))) int *counter(void) { return counted[0]; }
C
cat >add.c <<'C'
static const int step[] = {1, 2};
__attribute__((export_name("add"))) int add(int *to, int i) { return *to += step[i]; }
C
clang=$(ls /usr/bin/clang-[0-9]* | sort -V | tail -n 1)
for module in counter add; do
    "$clang" --target=wasm32 -O2 -g -nostdlib -Wl,--no-entry,--emit-relocs,--import-memory --no-wasm-opt $module.c -o $module.wasm
done
cat >weak.cpp <<'C'
namespace far { int away(int, const char *) __attribute__((weak)); }
extern "C" __attribute__((export_name("ask"))) int ask(int n) { return far::away ? far::away(n, "") : -1; }
C
cat >strong.cpp <<'C'
namespace far { int away(int n, const char *) { return n + 1; } }
extern "C" __attribute__((export_name("made"))) int made(int n) { return far::away(n, nullptr); }
C
for module in weak strong; do
    "$clang" --target=wasm32 -O1 -fno-inline -nostdlib -Wl,--no-entry,--emit-relocs,--import-memory --no-wasm-opt $module.cpp -o $module.wasm
done
printf 'not wasm' >not.wasm
head -c 200 counter.wasm >cut.wasm
printf '\r\n' >'strange name.txt'
ln -s counter.wasm link.wasm

# same COMMAND...: in two directories, both commands print the same, end with the same status and leave the same files.
number=0
same() {
    local name status
    number=$((number + 1))
    for name in native npm; do
        rm -rf $name
        mkdir -p $name/here
        cp -P ./*.wasm ./*.txt $name/here
        status=0
        (
            cd $name/here
            if [ $name = native ]; then "$native" "$@"; else node "$work/project/node_modules/.bin/wasmshare" "$@"; fi
        ) >$name/output.txt 2>$name/errors.txt || status=$?
        echo $status >$name/status.txt
    done
    diff -r native npm || fail "not the same: wasmshare $*"
}
for command in '' combine relocate prepare inspect heap-base verify; do same $command --help; done
same
same nonsense
same combin
same combine
same combine --nonsense
same combine --o x counter.wasm
same combine -o
same combine counter.wasm
same combine -o out counter.wasm add.wasm
same combine -o ./a/b/../c --print-map ../here/counter.wasm x=./add.wasm
same combine -o ../outside --map ../map.svg --depfile d counter.wasm
same combine --stack=shared --table=shared --keep-relocs --name=where --base 0x2000 --heap-size=1M -o out counter.wasm
same combine --link -o out weak.wasm strong.wasm # with names that are demangled
same combine --li --stack-size=64K -o out counter.wasm add.wasm
same combine --single one.wasm -o out counter.wasm add.wasm
same combine --si=one.wasm --import-memory --strip-debug counter.wasm add.wasm
same combine --single ../one.wasm --name deep -o a/b counter.wasm add.wasm
same combine --import-memory counter.wasm
same combine --heap-size=-1 counter.wasm
same combine missing.wasm
same combine not.wasm cut.wasm
same combine cut.wasm
same combine counter.wasm counter.wasm
same combine -o counter.wasm counter.wasm
same combine -o counter.wasm/out counter.wasm
same combine -o 'strange name.txt' counter.wasm
same combine --name=counter -o . x=link.wasm
same combine --map counter.wasm counter.wasm
same combine --map . counter.wasm
same combine ../here
same relocate counter.wasm -o moved.wasm --offset 64K
same relocate counter.wasm -o link.wasm --offset 64K
same relocate add.wasm -o link.wasm --offset 64K
same relocate counter.wasm -o missing/moved.wasm --offset 64K
same relocate counter.wasm -o /dev/stdout --offset 64K
same relocate counter.wasm -o /dev/null --offset=-4096 --heap-base=0x20000
same relocate counter.wasm -o moved.wasm --offset 8
same prepare -o prepared --depfile d counter.wasm add.wasm
same inspect counter.wasm add.wasm
same inspect --json counter.wasm link.wasm
same heap-base counter.wasm
same verify counter.wasm
same verify .
same combine /dev/null
mkfifo pipe
for command in "$native" node_modules/.bin/wasmshare; do
    refuses 'pipe: is a device or a pipe, not a file' timeout 10 "$command" combine pipe
done
rm pipe
[ $number -gt 40 ] || fail 'few comparisons'

# absolute paths, and verify of what was combined
same combine -o "$work/absolute" "$work/project/counter.wasm" "$work/project/add.wasm"
same verify "$work/absolute"
same verify "$work/absolute/layout.json"
for base in 1 1.5 1e5 -0.25e-3; do
    sed -i "s/\"heapBase\": [-0-9.e]*/\"heapBase\": $base/" "$work/absolute/layout.json"
    same verify "$work/absolute"
done

# it is told from make as well
makefile=$(npx --offline wasmshare --makefile)
[ "$makefile" = "$(realpath node_modules/wasmshare)/share/wasmshare/wasmshare.mk" ] || fail "$makefile"

# outputs that cannot be written leave nothing
if [ "$(id -u)" != 0 ] || type -P setpriv >/dev/null; then
    mkdir -m 755 locked
    as=()
    [ "$(id -u)" != 0 ] || as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
    chmod 755 "$work" .
    refuses 'Permission denied' "${as[@]}" node node_modules/.bin/wasmshare combine -o locked counter.wasm
    [ -z "$(ls locked)" ] || fail "left: $(ls locked)"
fi

# a signal, whenever it comes, leaves all outputs or none
mkdir sources
for i in $(seq 40); do cp counter.wasm sources/m$i.wasm; done
expected=44 # and the layout's four files
for signal in INT TERM HUP; do
    for delay in 0.03 0.06 0.09 0.12 0.2 0.3 0.5; do
        rm -rf interrupted
        mkdir interrupted
        node node_modules/.bin/wasmshare combine -o interrupted sources/*.wasm >/dev/null 2>&1 &
        sleep $delay
        kill -$signal $! 2>/dev/null || true
        wait $! 2>/dev/null || true
        left=$(ls -A interrupted | wc -l)
        [ "$left" = 0 ] || [ "$left" = $expected ] || fail "$signal after $delay s left $left files: $(ls -A interrupted)"
    done
done
ls -A interrupted sources | grep -v '[.]wasm$\|^layout[.]\|:$' | grep . && fail 'something is left'

# and the first example runs
block js node_modules/wasmshare/README.md >example.mjs
cp counter.wasm common.wasm
cp add.wasm a.wasm
npx --offline wasmshare prepare -o ready common.wasm a.wasm
cp ready/*.wasm .
node example.mjs

# on any system
node "$WASMSHARE_SOURCE/tests/integration/package/smoke.mjs" "$WASMSHARE_SOURCE/build/npm"
