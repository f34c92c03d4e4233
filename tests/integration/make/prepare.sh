# wasmshare_prepare: modules that are placed when they are loaded, made again when they have changed.
. "$(dirname "$0")/../lib.sh"
example make
make
cat >>Makefile <<'END'
$(eval $(call wasmshare_prepare,prepared,build/prepared,build/greeting.wasm other=build/shout.wasm,--trust-pic))
END
make prepared 2>&1 | tee make.log
expect 'wasmshare prepare -o build/prepared --trust-pic build/greeting.wasm other=build/shout.wasm' make.log
[ "$(ls build/prepared | tr '\n' ' ')" = 'greeting.wasm other.wasm ' ] || fail 'not the prepared modules'
wasmshare combine -o again build/prepared/greeting.wasm shout=build/prepared/other.wasm
cmp again/shout.wasm build/app/shout.wasm
make prepared 2>&1 | tee make.log
expect 'Nothing to be done' make.log
wait_for_a_new_timestamp
touch build/shout.wasm
make prepared 2>&1 | tee make.log
expect 'wasmshare prepare' make.log
echo '$(eval $(call wasmshare_prepare,x,build,build/shout.wasm))' >>Makefile
refuses 'wasmshare_prepare: x: would overwrite an input' make x
