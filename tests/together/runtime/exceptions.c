// The part of a C++ runtime that exceptions need, since Debian's libc++abi for WebAssembly is built without: classes with at
// most one public base each are caught, as libc++abi does, by the address of their type_info. Objects that were thrown stay.
#include <stddef.h>
#include <stdint.h>

struct type {
  void *const *vtable;
  const char *name;
  const struct type *base; // if it has one
};
extern void *_ZTVN10__cxxabiv120__si_class_type_infoE[];

struct header {
  const struct type *type;
  _Alignas(16) char object[];
};
static _Alignas(16) char room[8192];
static size_t used;
static void *caught[8];
static int depth;

static struct header *header_of(void *object) { return (struct header *)((char *)object - offsetof(struct header, object)); }

void *__cxa_allocate_exception(size_t size) {
  struct header *header = (struct header *)(room + used);
  used += (sizeof *header + size + 15) / 16 * 16;
  return header->object;
}
void __cxa_free_exception(void *object) { (void)object; }
void __cxa_throw(void *object, const struct type *type, void *destructor) {
  (void)destructor;
  header_of(object)->type = type;
  __builtin_wasm_throw(0, object);
}
void *__cxa_begin_catch(void *object) { return caught[depth++] = object; }
void __cxa_end_catch(void) { depth--; }
void __cxa_rethrow(void) {
  depth++; // the handler ends
  __builtin_wasm_throw(0, caught[depth - 2]);
}

// What landing pads ask: which of the types that the table lists is the first that fits.
struct {
  uintptr_t pad;
  const uint8_t *table;
  uintptr_t selector;
} __wasm_lpad_context;

static intptr_t read_leb(const uint8_t **at, int is_signed) {
  uintptr_t value = 0;
  int shift = 0;
  uint8_t byte;
  do {
    byte = *(*at)++;
    value |= (uintptr_t)(byte & 127) << shift;
    shift += 7;
  } while (byte & 128);
  return (intptr_t)(is_signed && (byte & 64) ? value | ~(uintptr_t)0 << shift : value);
}

static int is_kind_of(const struct type *type, const struct type *wanted) {
  while (type != wanted && type->vtable == _ZTVN10__cxxabiv120__si_class_type_infoE + 2)
    type = type->base;
  return type == wanted;
}

int __gxx_personality_wasm0(void) { return 0; } // is only named
int _Unwind_CallPersonality(void *object) {
  const uint8_t *at = __wasm_lpad_context.table + 2; // no base of landing pads; the encoding of types
  const uint8_t *types = at;
  __wasm_lpad_context.selector = 0;
  if (at[-1] == 0xff)
    return 0; // none
  intptr_t types_offset = read_leb(&at, 0);
  types = at + types_offset;
  at++; // the encoding of call sites
  intptr_t length = read_leb(&at, 0);
  const uint8_t *actions = at + length;
  for (uintptr_t i = 0; i < 2 * __wasm_lpad_context.pad + 1; i++)
    read_leb(&at, 0);
  intptr_t action = read_leb(&at, 0);
  for (at = actions + action - 1; action != 0;) {
    intptr_t filter = read_leb(&at, 1);
    const struct type *wanted = filter > 0 ? ((const struct type *const *)types)[-filter] : NULL;
    if (filter > 0 && (!wanted || is_kind_of(header_of(object)->type, wanted))) {
      __wasm_lpad_context.selector = (uintptr_t)filter;
      return 0;
    }
    const uint8_t *next = at;
    action = read_leb(&next, 1);
    at += action;
  }
  return 0;
}
