// Shared memory: passive segments that __wasm_init_memory copies into place, and thread-local data relative to
// __tls_base, with and without addresses in it.

#define EXPORT(name) __attribute__((export_name(#name)))

static int shared_counter;
int initialised = 12;
#ifndef LARGE
#define LARGE 100000
#endif
static char large[LARGE];
const char *const words[] = {"thread", "local"};

_Thread_local int zeroed;
_Thread_local int started = 3;
_Thread_local const char *pointer = "from TLS";
_Thread_local int *other = &initialised;
_Alignas(64) _Thread_local char aligned[64];

EXPORT(add) int add(int n) { return __atomic_add_fetch(&shared_counter, n, __ATOMIC_SEQ_CST); }
EXPORT(local) int local(void) { return ++zeroed + ++started + aligned[3]; }
EXPORT(text) const char *text(int i) { return i ? words[i & 1] : pointer; }
EXPORT(where) void *where(int i) {
    switch (i) {
    case 0: return &zeroed;
    case 1: return &other;
    case 2: return large + sizeof large;
    case 3: return __builtin_wasm_tls_base();
    default: return other;
    }
}
#ifndef UNSHARED // what follows exists with shared memory only
extern void __wasm_init_tls(void *);
EXPORT(tls_size) unsigned long tls_size(void) { return __builtin_wasm_tls_size(); }
EXPORT(tls_align) unsigned long tls_align(void) { return __builtin_wasm_tls_align(); }
EXPORT(start_thread) void start_thread(void *block) { __wasm_init_tls(block); }
#endif
EXPORT(stack) int stack(int n) {
    volatile char frame[128];
    frame[n] = large[n];
    return frame[1];
}
