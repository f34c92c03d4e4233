# `wasmshare combine --depfile` serves Make and Ninja: a module that no rule names is a dependency all the same.
. "$(dirname "$0")/../lib.sh"
example make
make
mkdir "$work/dep"
cp build/greeting.wasm build/shout.wasm "$work/dep"
cd "$work/dep"
cat >build.ninja <<'END'
rule combine
  command = wasmshare combine -o app --depfile app.d greeting.wasm shout.wasm
  depfile = app.d
  deps = gcc
build app/greeting.wasm app/shout.wasm app/layout.h app/layout.mjs app/layout.d.mts app/layout.json: combine
END
ninja -v
ninja | tee ninja.log
expect 'no work to do' ninja.log
wait_for_a_new_timestamp
touch shout.wasm
ninja -v | tee ninja.log
expect 'wasmshare combine' ninja.log

rm -r app
printf 'app/layout.json:\n\t@mkdir -p app\n\twasmshare combine -o app --depfile app.d greeting.wasm shout.wasm\n-include app.d\n' >Makefile
make
make | tee make.log
expect 'is up to date' make.log
wait_for_a_new_timestamp
touch greeting.wasm
make | tee make.log
expect 'wasmshare combine' make.log
