# The .deb, installed with dpkg: it declares the packages of every library that it links, says on whose terms these are,
# serves all three build systems and C programs, and leaves nothing when it is removed.
. "$(dirname "$0")/../lib.sh"
deb=$(ls "$WASMSHARE_SCRATCH"/packages/wasmshare_*.deb)
dpkg-deb -f "$deb"
depends=$(dpkg-deb -f "$deb" Depends | tr ',' '\n' | sed 's/^ *//; s/ .*//')

# Into a system of its own, which has nothing at first and then the packages that Depends names, those of this machine.
# The package's scripts, which call ldconfig, run outside of it.
as_root=()
[ "$EUID" = 0 ] || as_root=(fakeroot)
dpkg_in_root() {
    PATH=$work/scripts:$PATH:/usr/sbin:/sbin "${as_root[@]}" dpkg --root="$work/root" \
        --log="$work/dpkg.log" --force-script-chrootless "$@"
}
mkdir scripts
printf '#!/bin/sh\necho "ldconfig $1" >>"%s"\n' "$work/ldconfig.log" >scripts/ldconfig
chmod +x scripts/ldconfig
database=root/var/lib/dpkg
mkdir -p $database/info $database/updates
touch $database/status
refuses 'wasmshare depends on libc6' dpkg_in_root -i "$deb"
dpkg_in_root --purge wasmshare
for package in $depends; do
    dpkg-query -s "$package" >>$database/status
    echo >>$database/status
    touch "$database/info/$package.list" "$database/info/$package:$(dpkg --print-architecture).list"
done
rm ldconfig.log
dpkg_in_root -i "$deb"
dpkg_in_root -s wasmshare | tee status.txt
expect 'Status: install ok installed' status.txt
dpkg_in_root --verify wasmshare
[ "$(wc -l <ldconfig.log)" = 1 ] || fail 'ldconfig was not called, once'

for file in root/usr/bin/wasmshare root/usr/lib/libwasmshare.so.*; do
    [ -L "$file" ] && continue
    for library in $(ldd "$file" | sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p'); do
        # where /lib is /usr/lib, the package may list either path
        real=$(readlink -f "$library")
        package=$({ dpkg -S "$real" || dpkg -S "${real#/usr}"; } 2>/dev/null | sed 's/:.*//; q')
        grep -qx "$package" <<<"$depends" || fail "$file links $library of $package, which Depends does not name"
    done
done

(
    cd root/usr
    for file in bin/wasmshare lib/libwasmshare.a lib/libwasmshare.so include/wasmshare.h lib/pkgconfig/wasmshare.pc \
        share/cmake/WasmShare/WasmShareConfig.cmake share/cmake/WasmShare/WasmShareConfigVersion.cmake \
        share/wasmshare/wasmshare.mk share/man/man1/wasmshare.1 share/bash-completion/completions/wasmshare \
        share/zsh/vendor-completions/_wasmshare share/fish/vendor_completions.d/wasmshare.fish; do
        [ -e $file ] || [ -e $file.gz ] || fail "no /usr/$file in the package"
    done
)
if find root -type f -exec grep -lF "$WASMSHARE_SOURCE" {} + | tee named.log | grep .; then
    fail 'files that name the source tree'
fi

# Debian has all that the command needs as static libraries
! ldd root/usr/bin/wasmshare 2>/dev/null || fail 'the command needs shared libraries'

# what is in the binaries is named with its terms
copyright=root/usr/share/doc/wasmshare/copyright
expect "$(sed -n 3p "$WASMSHARE_SOURCE/LICENSE")" $copyright
for library in libLLVM:'LLVM Exceptions to the Apache 2.0 License' libjansson:'Petri Lehtinen' \
    libstdc++:'GCC Runtime Library Exception' \
    libc.so:'GNU C Library' libz.so:'Jean-loup Gailly' libzstd:Zstandard; do
    ldd root/usr/bin/wasmshare | grep -qF "${library%%:*}" || expect "${library#*:}" $copyright
done
for file in $(grep -oE '/usr/share/(common-licenses|doc)/[-A-Za-z0-9.+/]*[A-Za-z0-9]' $copyright); do
    [ -e "$file" ] || fail "$copyright names $file, which is not there"
done

for test in cmake/example make/example cargo/example package/library; do
    WASMSHARE_PREFIX=$work/root/usr bash "$WASMSHARE_SOURCE/tests/integration/$test.sh"
done

dpkg_in_root --purge wasmshare
[ -z "$(find root/usr ! -type d 2>/dev/null)" ] || fail 'files that were not removed'
