// The linker says of annotated functions what index they have, and leaves a mark for those that it leaves out.
__attribute__((annotate("kept"), noinline)) static int kept(int *n) { return ++*n; }
__attribute__((annotate("kept"))) int left_out(int n) { return n + 1; }

static int counts[100];
__attribute__((export_name("count"))) int count(int i) { return kept(&counts[i]); }
