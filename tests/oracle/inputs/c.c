// Every way in which C code and C data can hold an address. Freestanding, so that it also builds for wasm64, with and
// without PIC, and at every optimisation level.

typedef __SIZE_TYPE__ size_t;
typedef __UINTPTR_TYPE__ uintptr_t;

#define EXPORT(name) __attribute__((export_name(#name)))
#define OPAQUE(value) __asm__ volatile("" : "+r"(value))

// An exported address global: linked with --export=counter.
int counter = 7;

// Zero-sized and strictly aligned data.
struct nothing {};
struct nothing zero_sized;
_Alignas(256) char aligned[3] = {1, 2, 3};
_Alignas(64) static char aligned_bss[5];

// A large .bss, and a small one that is not worth a memory.fill.
#ifndef LARGE
#define LARGE 65536
#endif
static int large[LARGE];
static short small_bss[4];

// Pointers into data: to the middle, to the end, to one past the end, before the start.
static int numbers[16] = {1, 2, 3};
int *const middle = &numbers[5];
int *const past_end = &numbers[16];
int *const before_start = numbers - 1;
int *const bss_past_end = &large[LARGE];
const char *const strings[] = {"one", "two", "three", &"tail of three"[8]};

// A structure of pointers, unaligned ones included.
struct __attribute__((packed)) packed_pointer {
    char tag;
    void *pointer;
};
struct packed_pointer packed_pointers[] = {{1, &counter}, {2, &packed_pointers[1]}, {3, 0}};

// Weak undefined symbols: their addresses are null and stay so.
__attribute__((weak)) extern int absent_data;
__attribute__((weak)) extern void absent_function(void);
int *const absent_data_pointer = &absent_data;
void (*const absent_function_pointer)(void) = absent_function;

// Function pointers in data and in code.
typedef int (*operation)(int, int);
static int add(int a, int b) { return a + b; }
static int subtract(int a, int b) { return a - b; }
__attribute__((noinline)) int multiply(int a, int b) { return a * b; }
static operation operations[] = {add, subtract, 0, multiply};
struct dispatch {
    const char *name;
    operation run;
    const void *self;
} dispatch = {"dispatch", multiply, &dispatch};

// An address beside a number that looks like one: the number must stay.
struct { int *pointer; uintptr_t number; } lookalike = {&numbers[0], 1024};

EXPORT(call) int call(unsigned which, int a, int b) { return operations[which % 4](a, b); }

EXPORT(pick) operation pick(int which) { return which ? add : subtract; }

EXPORT(addends) int addends(size_t i) {
    // An address minus a constant in code, and an offset folded into a load's memarg.
    int *below = &numbers[0] - 300;
    OPAQUE(below);
    return below[300 + i] + numbers[i + 3] + large[i + LARGE / 2] + aligned[2] + aligned_bss[4] + small_bss[3];
}

EXPORT(weak) int weak(void) {
    int sum = absent_data_pointer ? 1 : 0;
    if (&absent_data) sum += absent_data;
    if (absent_function) absent_function();
    return sum + (absent_function_pointer != 0);
}

EXPORT(stack) int stack(int n) {
    volatile int frame[64];
    for (int i = 0; i < 64; ++i) frame[i] = n + i;
    return frame[n & 63] + ++counter;
}

EXPORT(addresses) uintptr_t addresses(int which) {
    switch (which) {
    case 0: return (uintptr_t)&zero_sized;
    case 1: return (uintptr_t)middle;
    case 2: return (uintptr_t)past_end;
    case 3: return (uintptr_t)before_start;
    case 4: return (uintptr_t)bss_past_end;
    case 5: return (uintptr_t)strings[3];
    case 6: return (uintptr_t)packed_pointers[0].pointer;
    case 7: return (uintptr_t)dispatch.self;
    case 8: return lookalike.number + (uintptr_t)lookalike.pointer;
    default: return (uintptr_t)aligned;
    }
}
