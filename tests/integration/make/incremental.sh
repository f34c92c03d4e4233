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

# the picture is an output too
cat >>Makefile <<'END'
$(eval $(call wasmshare_combine,drawn,build/drawn,build/greeting.wasm,--map build/drawn/memory.svg --heap-size 1M))
$(eval $(call wasmshare_combine,named,build/named,build/greeting.wasm,--name  memory --map=build/named.svg))
END
run drawn named
[ "$(combined)" = 2 ] || fail "combined $(combined) times"
rm build/drawn/memory.svg build/named.svg
run drawn named
[ "$(combined)" = 2 ] || fail 'the pictures were not drawn again'
[ -f build/drawn/memory.svg ] && [ -f build/named.svg ] || fail 'the pictures were not drawn again'
run drawn named
[ "$(combined)" = 0 ] || fail "combined $(combined) times"

# so is the module of --env; and outputs that would not change keep their time, while what was combined is up to date
cat >>Makefile <<'END'
$(eval $(call wasmshare_combine,linked,build/linked,build/greeting.wasm,--env build/linked/env.wasm))
END
run linked
[ -f build/linked/env.wasm ] || fail 'there is no env.wasm'
touch -d @1000000000 build/linked/*
rm build/linked/env.wasm
run linked
[ "$(combined)" = 1 ] || fail "combined $(combined) times"
[ -z "$(find build/linked -name 'layout*' -newermt @1000000001)" ] || fail 'written again, with the same bytes'
wait_for_a_new_timestamp
touch build/greeting.wasm
run linked
[ "$(combined)" = 1 ] || fail "combined $(combined) times"
[ -z "$(find build/linked -name 'layout*' -newermt @1000000001)" ] || fail 'written again, with the same bytes'
run linked
[ "$(combined)" = 0 ] || fail "combined $(combined) times"

# a name is in front of the first =, unless a / comes before that
mkdir -p build/a=b
cp build/greeting.wasm build/a=b/greeting.wasm
cp -r build/a=b c=d
cat >>Makefile <<'END'
$(eval $(call wasmshare_combine,equal,build/equal,one=build/a=b/greeting.wasm build/a=b/greeting.wasm two=c=d/greeting.wasm,--heap-size 1M))
END
run equal
[ "$(combined)" = 1 ] || fail "combined $(combined) times"
[ "$(echo build/equal/*.wasm)" = 'build/equal/greeting.wasm build/equal/one.wasm build/equal/two.wasm' ] ||
    fail "written: $(ls build/equal)"
run equal
[ "$(combined)" = 0 ] || fail "combined $(combined) times"
wait_for_a_new_timestamp
touch c=d/greeting.wasm
run equal
[ "$(combined)" = 1 ] || fail "combined $(combined) times"

# a failure stops make and leaves no outputs behind
rm -r build/app
printf 'not wasm' >build/greeting.wasm
refuses 'wasmshare: error: build/greeting.wasm' make -j8 app
[ -z "$(ls build/app)" ] || fail "left behind: $(ls build/app)"

# the modules' own directory cannot be that of the outputs, unless the names differ
for directory in build ./build "$PWD/build"; do
    refuses "wasmshare_combine: app: would overwrite an input: choose another directory than $directory" make -f - <<END
include \$(shell wasmshare --makefile)
\$(eval \$(call wasmshare_combine,app,$directory,other=build/shout.wasm build/greeting.wasm))
END
done
make -n app -f - <<'END'
include $(shell wasmshare --makefile)
$(eval $(call wasmshare_combine,app,build,other=build/shout.wasm))
build/shout.wasm:
END

# where the outputs are is known from the other arguments
for option in '-o elsewhere' --output=elsewhere '--depfile d' --dep=d; do
    refuses 'wasmshare_combine: app: OPTIONS cannot have' make -f - <<END
include \$(shell wasmshare --makefile)
\$(eval \$(call wasmshare_combine,app,out,a.wasm,$option))
END
done
