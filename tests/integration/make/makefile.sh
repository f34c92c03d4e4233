# `wasmshare --makefile` prints where wasmshare.mk is installed with the command that runs, whatever name it was called
# by; when it cannot tell, make is told so in one line.
. "$(dirname "$0")/../lib.sh"
installed=$(realpath "$WASMSHARE_PREFIX/share/wasmshare/wasmshare.mk")
ln -s "$WASMSHARE_PREFIX/bin/wasmshare" linked
ln -s linked linked-again
for command in wasmshare ./linked ./linked-again; do
    [ "$($command --makefile)" = "$installed" ] || fail "$command --makefile prints $($command --makefile)"
done

mkdir -p "moved prefix"
cp -r "$WASMSHARE_PREFIX/bin" "$WASMSHARE_PREFIX/share" "moved prefix"
[ "$("moved prefix/bin/wasmshare" --makefile)" = "$work/moved prefix/share/wasmshare/wasmshare.mk" ] ||
    fail 'not where the installation was moved to'

mkdir alone
cp "$WASMSHARE_PREFIX/bin/wasmshare" alone
one_line() {
    refuses "$@"
    [ "$(wc -l <refused.log)" = 1 ] || fail "more than one line: $(cat refused.log)"
}
one_line "wasmshare: error: wasmshare.mk is not where it was installed with wasmshare: in $work/alone/" \
    alone/wasmshare --makefile

# As without /proc. A command that is linked statically takes no other realpath() for its own; this one does.
cat >no-proc.c <<'END'
#include <errno.h>
#include <stddef.h>
char *realpath(const char *path, char *buffer) { errno = path && buffer ? EINVAL : ENOENT; return NULL; }
END
gcc -shared -fPIC no-proc.c -o no-proc.so
one_line 'wasmshare: error: cannot tell where wasmshare is installed: No such file or directory' \
    env LD_PRELOAD="$work/no-proc.so" "$WASMSHARE_BUILD/tests/wasmshare-shared-c" --makefile
