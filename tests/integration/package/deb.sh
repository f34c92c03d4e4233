# The .deb, unpacked: it declares the packages of every library that it links, and serves all three build systems.
. "$(dirname "$0")/../lib.sh"
deb=$(ls "$WASMSHARE_SCRATCH"/packages/wasmshare_*.deb)
dpkg-deb -f "$deb"
dpkg -x "$deb" root

depends=$(dpkg-deb -f "$deb" Depends | tr ',' '\n' | sed 's/^ *//; s/ .*//')
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
        lib/cmake/WasmShare/WasmShareConfig.cmake lib/cmake/WasmShare/WasmShareConfigVersion.cmake \
        share/wasmshare/wasmshare.mk share/man/man1/wasmshare.1 share/bash-completion/completions/wasmshare \
        share/zsh/vendor-completions/_wasmshare share/fish/vendor_completions.d/wasmshare.fish; do
        [ -e $file ] || [ -e $file.gz ] || fail "no /usr/$file in the package"
    done
)
if find root -type f -exec grep -lF "$WASMSHARE_SOURCE" {} + | tee named.log | grep .; then
    fail 'files that name the source tree'
fi

export WASMSHARE_PREFIX=$work/root/usr
for test in cmake make cargo; do
    bash "$WASMSHARE_SOURCE/tests/integration/$test/example.sh"
done
