// What every module of the heap tests exports: take, give and intact. Each has an allocator of its own, which differs from
// the others in where its memory comes from: `static char *more(size n)`, n being a power of two, or null.
#ifndef ALLOCATOR_H
#define ALLOCATOR_H

typedef __SIZE_TYPE__ size;
typedef __UINTPTR_TYPE__ address;
enum { PAGE = 65536, ALIGNMENT = 16 };
#ifndef PREFIX // of the names of exports, where several modules become one
#define PREFIX ""
#endif
#define EXPORT(name) __attribute__((export_name(PREFIX #name))) name

#ifndef CLEARED // how many words of .bss
#define CLEARED 1024
#endif

extern unsigned char __heap_base, __heap_end;

// Static data, with and without content. Nobody may hand it out.
static volatile unsigned full[32] = {[0] = 11, [7] = 77, [31] = 313}, empty[CLEARED];
int EXPORT(intact)(void) {
  unsigned wrong = full[0] != 11 || full[7] != 77 || full[31] != 313;
  for (int i = 1; i < 31; i++)
    wrong |= i != 7 && full[i];
  for (int i = 0; i < CLEARED; i++)
    wrong |= empty[i];
  return !wrong;
}

#ifdef C_LIBRARY
#include <stdlib.h>
void *EXPORT(take)(size n) { return malloc(n); }
void EXPORT(give)(void *block) { free(block); }
void *EXPORT(resize)(void *block, size n) { return realloc(block, n); }
#else
static inline size pages(size n) { return (n + PAGE - 1) / PAGE; }
#ifdef APART // a function that does no more than that, as Emscripten's emscripten_get_heap_size()
__attribute__((noinline))
#endif
static inline address end_of_memory(void) { return __builtin_wasm_memory_size(0) * PAGE; }
static inline char *aligned(const void *p) { return (char *)(((address)p + ALIGNMENT - 1) & ~(address)(ALIGNMENT - 1)); }
static inline char *grow(size n) {
  size page = __builtin_wasm_memory_grow(0, pages(n));
  return page == (size)-1 ? 0 : (char *)(page * PAGE);
}

static char *more(size n);

// Blocks of 2^class bytes, of which the first 16 say which.
struct block {
  size class;
  struct block *next;
};
static struct block *unused[sizeof(size) * 8];

void *EXPORT(take)(size n) {
  size class = 5;
  while (n > ((size)1 << class) - ALIGNMENT)
    class++;
  struct block *block = unused[class];
  if (block)
    unused[class] = block->next;
  else if (!(block = (struct block *)more((size)1 << class)))
    return 0;
  block->class = class;
  return (char *)block + ALIGNMENT;
}

void EXPORT(give)(void *at) {
  struct block *block = (struct block *)((char *)at - ALIGNMENT);
  block->next = unused[block->class];
  unused[block->class] = block;
}
#endif

#ifdef AT_START // somebody allocates before anything is called
void *volatile first;
__attribute__((constructor)) static void begin(void) { first = take(1000); }
#endif
#endif
