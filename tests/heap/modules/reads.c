// Takes no memory; its start-up code, like that of newer wasi-libc, looks where the stack may end.
#include "allocator.h"
#ifndef C_START // or it is the library's own
static volatile size stack_size;
__attribute__((noinline)) void __wasi_init_tp(void) { stack_size = (size)&__heap_base; }
void EXPORT(_initialize)(void) { __wasi_init_tp(); }
size EXPORT(stack)(void) { return stack_size; }
#endif
static char *more(size n) { return (char *)(n - n); }
