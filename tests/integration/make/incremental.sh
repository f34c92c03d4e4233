# Under -j: touching a source compiles that module and combines once; touching nothing does nothing; options and names
# are passed on; a lost output is made again.
. "$(dirname "$0")/../lib.sh"
# clang would run this after linking with -O, and make the relocations stale
mkdir bin
printf '#!/bin/sh\necho "wasm-opt was run" >&2\nexit 1\n' >bin/wasm-opt
chmod +x bin/wasm-opt
export PATH="$work/bin:$PATH"
example make
run() {
    make -j8 CFLAGS=-O2 LDFLAGS='-O2 -nostdlib -Wl,--no-entry $(WASMSHARE_LDFLAGS)' "$@" 2>&1 | tee make.log
}
combined() {
    grep -c 'wasmshare combine' make.log || true
}

run
[ "$(combined)" = 1 ] || fail "combined $(combined) times"

wait_for_a_new_timestamp
run
expect "Nothing to be done for 'all'" make.log

wait_for_a_new_timestamp
touch shout.c
run
expect '-c shout.c' make.log
expect 'build/shout.o -o build/shout.wasm' make.log
expect_no 'wasm-opt was run' make.log
expect ' --no-wasm-opt ' make.log # of the ways to prevent that, the one that this clang knows
expect_no greeting.c make.log
expect_no greeting.o make.log
[ "$(combined)" = 1 ] || fail "combined $(combined) times"

rm build/app/layout.h build/app/shout.wasm
run
[ "$(combined)" = 1 ] || fail "combined $(combined) times"
[ -f build/app/layout.h ] || fail 'layout.h was not made again'

# a host that needs one of the outputs, a layout and a module with names of their own, and options
cat >>Makefile <<'END'
$(eval $(call wasmshare_combine,other,build/other,loud=build/shout.wasm build/greeting.wasm,--name memory --heap-size 1M))
build/host: host.c build/other/memory.h
	cc -Ibuild/other $< -o $@
print:
	@echo $(other_OUTPUTS)
END
printf '#include "memory.h"\n_Static_assert(MEMORY_HEAP_END - MEMORY_HEAP_BASE >= 1 << 20, "");\nint main(void) { return MEMORY_MODULE_COUNT; }\n' >host.c
run build/host
[ "$(combined)" = 1 ] || fail "combined $(combined) times"
status=0
build/host || status=$?
[ $status = 2 ] || fail "the host counts $status modules"
[ "$(make -s print)" = 'build/other/loud.wasm build/other/greeting.wasm build/other/memory.h build/other/memory.mjs build/other/memory.d.mts build/other/memory.json' ] ||
    fail "other_OUTPUTS = $(make -s print)"
wasmshare verify build/other/memory.json
run build/host
expect 'is up to date' make.log

# a failure stops make and leaves no outputs behind
rm -r build/app
printf 'not wasm' >build/greeting.wasm
refuses 'wasmshare: error: build/greeting.wasm' make -j8 app
[ -z "$(ls build/app)" ] || fail "left behind: $(ls build/app)"

# where the outputs are is known from the other arguments
for option in '-o elsewhere' --output=elsewhere '--depfile d' --dep=d; do
    refuses 'wasmshare_combine: app: OPTIONS cannot have' make -f - <<END
include \$(shell wasmshare --makefile)
\$(eval \$(call wasmshare_combine,app,out,a.wasm,$option))
END
done
