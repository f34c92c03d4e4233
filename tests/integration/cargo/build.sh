# `cargo wasmshare build`: order, profiles, packages, files, options, cargo's own flags, and errors like cargo's. In a
# directory with spaces in its name.
. "$(dirname "$0")/../lib.sh"
use_rust
example cargo
rm -r .cargo
mkdir "$work/my project"
mv ./* "$work/my project"
cd "$work/my project"
out=$CARGO_TARGET_DIR/wasmshare
rm -rf "$out"
modules() {
    node -p 'JSON.parse(require("fs").readFileSync(process.argv[1])).modules.map(m => m.name).join(" ")' "$1"
}

cargo wasmshare build --release 2>&1 | tee build.log
expect "Finished \`release\` profile" build.log
expect '   Combining greeting, shout (' build.log
[ "$(modules "$out/release/layout.json")" = 'greeting shout' ] || fail 'not in the order of the configuration'
[ ! -e "$out/debug" ] || fail 'the debug profile was written'
wasmshare verify "$out/release"

cargo wasmshare build --profile release -p shout -p greeting -- --locked --offline
[ "$(modules "$out/release/layout.json")" = 'shout greeting' ] || fail 'not in the order of the command line'

cargo wasmshare build -q -r -p greeting 2>&1 | tee build.log
[ ! -s build.log ] || fail '--quiet is not'
[ "$(modules "$out/release/layout.json")" = greeting ] || fail 'not the package on the command line'

# named modules, prebuilt ones, a directory, options; from a directory below
cp "$CARGO_TARGET_DIR/wasm32-unknown-unknown/release/shout.wasm" prebuilt.wasm
cat >Cargo.toml <<'END'
[workspace]
members = ["greeting", "shout"]
resolver = "2"
[workspace.metadata.wasmshare]
modules = ["first=greeting", "prebuilt.wasm", "third=prebuilt.wasm"]
out-dir = "www/wasm"
name = "memory"
host-imports = ["greeting", "env"]
extra-stack = "128K"
heap-size = 1048576
max-memory = "64M"
env = "env.wasm"
END
(cd shout && cargo wasmshare build --release)
[ "$(modules www/wasm/memory.json)" = 'first prebuilt third' ] || fail 'named modules'
wasmshare verify www/wasm/memory.json
expect '#define MEMORY_MAXIMUM_PAGES 1024' www/wasm/memory.h
node -e 'new WebAssembly.Instance(new WebAssembly.Module(require("fs").readFileSync("www/wasm/env.wasm"))).exports.memory.grow(0)'
cargo wasmshare inspect --release --json | node -e 'JSON.parse(require("fs").readFileSync(0))'

refuses 'error: package `nonesuch` is not in the workspace' cargo wasmshare build -p nonesuch
refuses '`--release` goes before `--`' cargo wasmshare build -- --release
refuses "invalid option '--heap'" cargo wasmshare build --heap 1
refuses "error: invalid option '--relase' (did you mean '--release'?)" cargo wasmshare build --relase
refuses "error: invalid option '--jsn' (did you mean '--json'?)" cargo wasmshare inspect --jsn
refuses "error: no such command: 'bulid' (did you mean 'build'?)" cargo wasmshare bulid
[ "$(wc -l <refused.log)" = 1 ] || fail 'more than one line'
refuses 'nothing to run' cargo wasmshare run

# what is wrong in the configuration is said of the file and the key, before anything is compiled
cp Cargo.toml good.toml
wrong() {
    local text=$1
    shift
    refuses "error: Cargo.toml: [workspace.metadata.wasmshare]: $text" cargo wasmshare "$@"
    expect_no Finished refused.log
    cp good.toml Cargo.toml
}
sed -i s/heap-size/heapsize/ Cargo.toml
wrong "unknown key 'heapsize' (did you mean 'heap-size'?)" build
sed -i s/heap-size/output/ Cargo.toml
wrong "unknown key 'output' (did you mean 'out-dir'?)" build
sed -i 's|^out-dir.*|out-dir = "/proc/nope/wasm"|' Cargo.toml
refuses 'error: could not create the directory /proc/nope/wasm' cargo wasmshare build --release
cp good.toml Cargo.toml
sed -i s/128K/128Q/ Cargo.toml
wrong 'extra-stack = "128Q": this is not a size' build
sed -i 's/"prebuilt.wasm"/"absent.wasm"/' Cargo.toml
wrong 'modules: no such file: absent.wasm' build
echo 'script = "absent.mjs"' >>Cargo.toml
wrong 'script: no such file: absent.mjs' run
refuses 'error: no such file: absent.mjs' cargo wasmshare run absent.mjs
expect_no Finished refused.log
printf '[package.metadata.wasmshare]\nstack = "shared"\n' >>shout/Cargo.toml
refuses 'shout/Cargo.toml: [package.metadata.wasmshare]: this belongs to the workspace: to [workspace.metadata.wasmshare] in Cargo.toml' \
    cargo wasmshare build
sed -i '/metadata/,$d' shout/Cargo.toml
# every option of `wasmshare combine` is a key
options=$(wasmshare combine --help | grep -o -e '--[a-z-]*' | sort -u)
[ "$(wc -w <<<"$options")" -ge 20 ] || fail "few options in --help: $options"
for option in $options; do
    case $option in --output | --name | --depfile) continue ;; esac
    sed -i "/^${option#--} =/d" Cargo.toml
    echo "${option#--} = {}" >>Cargo.toml
    wrong "${option#--} = {}: this is n" build
done

# a package with a dash in its name has that in all keys; what is wrong with the modules is said with the key to set
mkdir "$work/dashes"
cp -r greeting "$work/dashes"
cp -r shout "$work/dashes/shout-it"
cd "$work/dashes"
sed -i 's/^name = .*/name = "shout-it"/' shout-it/Cargo.toml
cat >Cargo.toml <<'END'
[workspace]
members = ["greeting", "shout-it"]
resolver = "2"
[workspace.metadata.wasmshare]
modules = ["greeting", "shout-it"]
heap-owner = "shout-it"
prefer = ["shout-it", "greeting"]
print-map = true
END
cargo wasmshare build >output.log 2>build.log
[ "$(modules "$out/debug/layout.json")" = 'greeting shout_it' ] || fail 'not the module of the package'
# what is where is said beside the output, unless it is to be quiet
[ ! -s output.log ] || fail 'the map is in the output'
expect ' shout_it ' build.log
cargo wasmshare build -q >output.log 2>&1
[ ! -s output.log ] || fail '--quiet is not'
sed -i 's/wasm_import_module = "greeting"/wasm_import_module = "absent"/' shout-it/src/lib.rs
refuses 'options of wasmshare are keys in Cargo.toml, [workspace.metadata.wasmshare]' cargo wasmshare build
cd "$work/my project"
cp good.toml Cargo.toml

echo 'syntax error' >>greeting/src/lib.rs
sed -i 's/^modules.*/modules = ["greeting"]/' Cargo.toml
refuses 'error: could not build the modules' cargo wasmshare build
expect "error: expected one of" refused.log
cp "$WASMSHARE_SOURCE/examples/cargo/greeting/src/lib.rs" greeting/src/lib.rs

# wasmshare's errors are cargo's, in form
sed -i 's/^max-memory.*/max-memory = "64K"/' Cargo.toml
refuses error: cargo wasmshare build --release
expect_no 'wasmshare: error' refused.log
(cd "$work" && refuses 'could not find `Cargo.toml`' cargo wasmshare build)

# the command, where WASMSHARE says
sed -i 's/^max-memory.*//' Cargo.toml
refuses 'error: /nonesuch (from WASMSHARE): no such file' env WASMSHARE=/nonesuch cargo wasmshare build --release
expect_no Finished refused.log
refuses 'error: /nonesuch (from NODE): no such file' env NODE=/nonesuch cargo wasmshare run
expect_no Finished refused.log
installed=$WASMSHARE_PREFIX/bin
PATH=${PATH//"$installed:"/}
WASMSHARE=$installed/wasmshare cargo wasmshare build --release
refuses '`wasmshare` is not in PATH' env WASMSHARE= cargo wasmshare build --release
refuses '`wasmshare` is not in PATH: install WasmShare (`npm install wasmshare` will do), or set WASMSHARE' cargo wasmshare build --release
# or of an npm project around it
mkdir -p ../node_modules/.bin
printf '#!/bin/sh\necho called >>"%s/npm.log"\nexec "%s/wasmshare" "$@"\n' "$work" "$installed" >../node_modules/.bin/wasmshare
chmod +x ../node_modules/.bin/wasmshare
cargo wasmshare build --release
expect called "$work/npm.log"
rm -r ../node_modules
# or beside `cargo-wasmshare`
mkdir "$work/bin"
cp "$(command -v cargo-wasmshare)" "$installed/wasmshare" "$work/bin"
PATH=$work/bin:$PATH cargo wasmshare build --release
