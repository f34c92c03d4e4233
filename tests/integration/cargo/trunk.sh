# Trunk, with `cargo wasmshare bindgen` in place of wasm-bindgen: its page has the crate and those that it imports from, on one
# memory. (A page of Trunk's has one crate.)
. "$(dirname "$0")/../lib.sh"
bindgen_workspace use_stable_rust
mkdir "$work/shim" .cargo
ln -s "$WASMSHARE_SCRATCH/cargo-helper/bin/cargo-wasmshare" "$work/shim/wasm-bindgen"
export PATH="$work/shim:$PATH:$WASMSHARE_RUST_TOOLS/bin" XDG_CACHE_HOME="$work/cache"
printf '[target.wasm32-unknown-unknown]\nrustflags = ["-Clink-arg=--emit-relocs", "-Clink-arg=--import-memory"]\n' >.cargo/config.toml
cd words
# (Debian's wasm-opt is one that breaks wasm-bindgen's tables.)
cat >index.html <<'END'
<!doctype html>
<html>
<head>
<link rel="icon" href="data:,">
<link data-trunk rel="rust" data-bindgen-target="web" data-integrity="none" data-wasm-opt="0">
<script>
addEventListener('TrunkApplicationStarted', async ({ detail: { wasm: { memory } } }) => {
  const { shout, ticks_of_ticker } = window.wasmBindings;
  const { bindings, instances } = await (await import('/snippets/wasmshare/words/layout.mjs')).instantiate();
  bindings.ticker.ticker()(3);
  const found = [shout('trunk'), ticks_of_ticker(), instances.ticker.exports.memory === memory].join();
  globalThis.result = { wrong: found === 'TRUNK,3,true' ? [] : [found] };
});
</script>
</head>
<body></body>
</html>
END
for profile in '' --release; do
    rm -rf dist
    RUST_BACKTRACE=0 trunk build --offline true --skip-version-check $profile 2>&1 | tee trunk.log
    ls dist dist/snippets/wasmshare
    # Trunk has a page load all that is in `snippets` as JavaScript beforehand, modules too: browsers say that this is none
    [ "$(grep -c '<link rel="modulepreload" href="/snippets' dist/index.html)" -le 8 ] || fail 'more than what is needed'
    sed -i 's|<link rel="modulepreload" href="/snippets[^>]*\.wasm"[^>]*>||' dist/index.html
    in_browser dist
done
