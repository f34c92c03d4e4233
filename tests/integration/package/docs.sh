# Links of what is installed to read lead to what is installed, and the examples are there as they are in the tree.
. "$(dirname "$0")/../lib.sh"
share=$WASMSHARE_PREFIX/share
cd "$share"
for file in doc/wasmshare/*.md wasmshare/js/README.md doc/wasmshare/examples/*/README.md; do
    for link in $(grep -o '](\.\{0,2\}[^):#]*' "$file" | sed 's/^](//; /^https*$/d'); do
        [ -e "$(dirname "$file")/$link" ] || fail "$file: $link is not there"
        echo "$file: $link" >>"$work/links.txt"
    done
done
[ "$(wc -l <"$work/links.txt")" -ge 10 ] || fail "few links: $(cat "$work/links.txt")"
expect ../../wasmshare/js/index.d.ts "$work/links.txt"
diff -r -x .gitignore -x build -x target -x Cargo.lock "$WASMSHARE_SOURCE/examples/cargo" doc/wasmshare/examples/cargo
doc/wasmshare/examples/load-time/build.sh "$work/page"
for file in index.html main.mjs common.wasm a.wasm b.wasm wasmshare/index.js; do
    [ -f "$work/page/$file" ] || fail "the page has no $file"
done
cp -r doc/wasmshare/examples/make "$work"
cd "$work/make"
make

# what the documentation says by message is what is said
cd "$WASMSHARE_SOURCE"
sed -n 's/^| \(`[^|]*\) |.*/\1/p' docs/troubleshooting.md | grep -v '(V8)\|(Node)\|^message' | grep -o '`[^`]*`' | tr -d '`' >"$work/messages.txt"
[ "$(wc -l <"$work/messages.txt")" -gt 15 ] || fail "few messages: $(cat "$work/messages.txt")"
cat src/*/*.[ch] js/*.js cmake/LLVM.cmake | tr -d '\n' | sed 's/" *"//g' >"$work/said.txt"
while IFS= read -r message; do
    message=$(printf '%s' "$message" | sed 's/NAME/%s/g')
    grep -qF -e "$message" "$work/said.txt" || fail "docs/troubleshooting.md: nothing says \"$message\""
done <"$work/messages.txt"

# every page is in the index, and links lead somewhere
for page in docs/*.md; do
    [ "$page" = docs/README.md ] || expect "](${page#docs/}" docs/README.md
done
for file in *.md docs/*.md; do
    for link in $(grep -o '](\.\{0,2\}[^):#]*' "$file" | sed 's/^](//; /^https*$/d'); do
        [ -e "$(dirname "$file")/$link" ] || fail "$file: $link is not there"
    done
done
