# --link and --single among the options of wasmshare_combine: the outputs are what is written, and are made again.
. "$(dirname "$0")/../lib.sh"
example make
make
cat >>Makefile <<'END'
$(eval $(call wasmshare_combine,linked,build/linked,build/greeting.wasm build/shout.wasm,--link))
$(eval $(call wasmshare_combine,single,build,build/greeting.wasm build/shout.wasm,--single build/one.wasm --strip-debug))
$(eval $(call wasmshare_combine,again,build,build/greeting.wasm build/shout.wasm,--single=build/again.wasm))
print:
	@echo $(single_OUTPUTS) $(again_OUTPUTS)
END
make linked single again 2>&1 | tee make.log
wasmshare verify build/linked
[ "$(make -s print)" = 'build/one.wasm build/again.wasm' ] || fail "the outputs are $(make -s print)"
[ ! -e build/layout.json ] || fail 'a layout was written'
cat >one.mjs <<'END'
import { readFileSync } from 'node:fs';
const { instance: { exports } } = await WebAssembly.instantiate(readFileSync(process.argv[2]));
const bytes = new Uint8Array(exports.memory.buffer), at = exports.shout();
console.log(new TextDecoder().decode(bytes.subarray(at, bytes.indexOf(0, at))));
END
for file in one again; do
    node one.mjs build/$file.wasm | tee output.log
    expect 'HELLO FROM A MODULE OF ITS OWN' output.log
done
make linked single again 2>&1 | tee make.log
expect_no 'wasmshare combine' make.log
rm build/one.wasm
make single 2>&1 | tee make.log
[ -f build/one.wasm ] || fail 'the file was not made again'
wait_for_a_new_timestamp
sed -i 's/HELLO/hello/; s/hello from/hello again from/' greeting.c
make linked single 2>&1 | tee make.log
[ "$(grep -c 'wasmshare combine' make.log)" = 2 ] || fail 'not combined again'
node one.mjs build/one.wasm | tee output.log
expect 'HELLO AGAIN FROM A MODULE OF ITS OWN' output.log
refuses 'OPTIONS cannot have --sing' make -f - <<'END'
include $(shell wasmshare --makefile)
$(eval $(call wasmshare_combine,app,out,a.wasm,--sing one.wasm))
END
