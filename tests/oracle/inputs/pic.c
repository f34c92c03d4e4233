// Position-independent code, linked statically: addresses come from GOT globals and from __memory_base and __table_base.
// Symbols of default visibility go through the GOT, hidden ones are relative to the bases.

#define EXPORT(name) __attribute__((export_name(#name)))

extern int elsewhere;
extern int elsewhere_function(int);
extern char __heap_base;
__attribute__((weak)) extern int absent_data;
__attribute__((weak)) extern void absent_function(void);

int visible = 5;
__attribute__((visibility("hidden"))) int hidden[8] = {1, 2, 3};
static int local_bss[100];

int visible_function(int n) { return n + visible; }
__attribute__((visibility("hidden"), noinline)) int hidden_function(int n) { return n * hidden[1]; }
static int local_function(int n) { return n - local_bss[1]; }

// Pointers in data: to symbols with and without a GOT entry.
int *volatile pointers[] = {&visible, &hidden[3], &elsewhere, &local_bss[99], &elsewhere + 1, 0};
int (*volatile functions[])(int) = {visible_function, hidden_function, local_function, elsewhere_function};

EXPORT(call) int call(unsigned which, int n) { return functions[which & 3](n); }

EXPORT(function) int (*function(int which))(int) {
    switch (which) {
    case 0: return visible_function;
    case 1: return hidden_function;
    case 2: return local_function;
    default: return elsewhere_function;
    }
}

EXPORT(sum) int sum(int i) { return visible + hidden[i & 7] + elsewhere + local_bss[i] + *pointers[i & 3]; }

EXPORT(heap) char *heap(void) { return &__heap_base; }

EXPORT(weak) int weak(void) {
    if (absent_function) absent_function();
    return &absent_data ? absent_data : 0;
}
