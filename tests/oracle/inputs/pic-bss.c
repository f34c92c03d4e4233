// Position-independent code without initialised data: exact even without relocations, because every address is in a
// GOT global, which says by its name what it holds.
int counters[40];
int total;
__attribute__((noinline)) int twice(int n) { return 2 * n; }
int thrice(int n) { return 3 * n; }

__attribute__((export_name("count"))) int count(int i) { return total += ++counters[i]; }
__attribute__((export_name("pick"))) int (*pick(int which))(int) { return which ? twice : thrice; }
__attribute__((export_name("where"))) int *where(void) { return &counters[40]; }
__attribute__((export_name("stack"))) int stack(int n) {
    volatile int frame[10];
    frame[n] = 1;
    return frame[0];
}
