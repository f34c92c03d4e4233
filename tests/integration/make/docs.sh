# The example of docs/make.md works as it stands, in an empty directory, and compiles only what has changed.
. "$(dirname "$0")/../lib.sh"
block make "$WASMSHARE_SOURCE/docs/make.md" >Makefile
echo '__attribute__((export_name("one"))) int one(void) { return 1; }' | tee common.c >a.c
make
wasmshare verify build/app
wait_for_a_new_timestamp
touch a.c
make | tee make.log
expect a.o make.log
expect_no common.o make.log
expect_no 'rm ' make.log

# constructors run once
cat >a.c <<'END'
static int count;
static volatile int hundred = 100; // else the compiler runs the constructor
__attribute__((constructor)) static void begin(void) { count = hundred; }
__attribute__((export_name("next"))) int next(void) { return ++count; }
END
make
cat >next.mjs <<'END'
import { instantiate } from './build/app/layout.mjs';
const { next } = (await instantiate()).instances.a.exports;
console.log(next(), next(), next());
END
[ "$(node next.mjs)" = '101 102 103' ] || fail "the constructor: $(node next.mjs)"
