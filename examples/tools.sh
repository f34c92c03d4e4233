# Sourced by the examples' build.sh, in whose directory's parent this is: sets clang, clangxx and wasmshare to CLANG,
# CLANGXX and WASMSHARE, or to what this machine has.
examples=$here/..

# Distributions' plain `clang` can be one whose linker cannot write relocations: try the numbered ones first.
clang=${CLANG:-}
for name in clang-22 clang-21 clang-20 clang-19 clang; do
    if [ -z "$clang" ] && command -v $name >/dev/null; then clang=$name; fi
done
clang=${clang:-clang}
clangxx=${CLANGXX:-$(echo "$clang" | sed 's/clang\(-[0-9]*\)\{0,1\}$/clang++\1/')}

wasmshare=${WASMSHARE:-wasmshare}
if ! command -v "$wasmshare" >/dev/null; then
    built=$examples/../build/release/wasmshare
    if [ -n "${WASMSHARE:-}" ] || [ ! -x "$built" ]; then
        echo "build.sh: no ${WASMSHARE:-wasmshare in PATH}: './run build' makes one" >&2
        exit 1
    fi
    wasmshare=$built
fi
