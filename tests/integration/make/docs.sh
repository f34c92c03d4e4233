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
