// Variables and functions of a program's own, under names that are otherwise the linker's.
int __stack_low[3] = {1, 2, 3}, __heap_base[5], __data_end = 7, __tls_size = 5000,
    __wasm_init_memory_flag = 2;
int *pointers[] = {__stack_low, __heap_base, &__data_end, &__tls_size, &__wasm_init_memory_flag};

static int cleared;

// The constants in these are no addresses of this program's.
#ifdef VISIBLE
#define OWN __attribute__((noinline))
#else
#define OWN static __attribute__((noinline))
#endif
OWN void __wasm_start(void) {
  __builtin_memset((void *)5000, 0, 1000);
}
OWN void __wasm_init_memory(int *to) {
  *to = 4096;
}
OWN void __wasm_init_tls(int *to) {
  *to = 1024;
}
OWN int __wasm_apply_data_relocs(int n) {
  return ++cleared + __stack_low[n];
}
OWN void __wasm_apply_global_relocs(void) {
  *(volatile int *)1024 = 4096;
}
OWN void __wasm_apply_tls_relocs(void) {
  *(volatile int *)4096 = 1024;
}
OWN void __wasmshare_clear_bss(void) {
  __builtin_memset((void *)4096, 0, 64);
}

__attribute__((export_name("run"))) int *run(int i) {
  volatile int frame[4];
  frame[i] = 1;
  __wasm_start();
  __wasm_init_memory(pointers[i]);
  __wasm_init_tls(pointers[i + 1]);
  __wasm_apply_global_relocs();
  __wasm_apply_tls_relocs();
  __wasmshare_clear_bss();
  return __heap_base + frame[1] + __data_end + __tls_size + __wasm_apply_data_relocs(i);
}
