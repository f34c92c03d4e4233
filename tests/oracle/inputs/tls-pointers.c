// Thread-local pointers to another object's variables, which PIC reaches through the GOT: the linker writes a function
// that stores them in each thread's block (__wasm_apply_tls_relocs).

#define EXPORT(name) __attribute__((export_name(#name)))

extern int elsewhere, zeroed_elsewhere[100];
_Thread_local int *first = &elsewhere;
_Thread_local int *second = &zeroed_elsewhere[3];

EXPORT(sum) int sum(void) {
  volatile int frame[4] = {*first, *second};
  return elsewhere + frame[0] + frame[1] + zeroed_elsewhere[0];
}
#ifdef STARTS
extern void __wasm_init_tls(void *);
EXPORT(start_thread) void start_thread(void *block) { __wasm_init_tls(block); }
#endif
