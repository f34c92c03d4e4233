// The functions that ask for the size of the memory, or grow it.
#ifndef WASMSHARE_MEMORY_USERS_H
#define WASMSHARE_MEMORY_USERS_H

#include "read/module.h"

// A memory.size or memory.grow in a function's body.
struct ws_memory_site {
  uint32_t start, end;
  bool grows;
};

// Finds the next one in a body, from the reader's place on. False at the end.
bool ws_next_memory_site(struct ws_reader *body, struct ws_memory_site *site);

// The first defined function from `function` on with bytes like one of them in its body, which are looked for
// many at a time. How many functions there are if there is none.
uint32_t ws_next_like_memory_user(const struct ws_module *module, uint32_t function);

// Whether a defined function, which the linker did not write, has one; and how many functions do.
bool ws_uses_memory_size(const struct ws_module *module, uint32_t function);
size_t ws_count_memory_users(const struct ws_module *module);

// So many functions, and those that are appended to tell a module of another memory than there is. Not more
// than these, and as long a number as that.
uint64_t ws_with_limited(const struct ws_module *module, uint64_t count);

// Whether a function that has one is to be told of another memory than there is. One that nothing in the
// module calls need not be, if there is no room for it: the host that asks is told what is.
bool ws_is_limited(const struct ws_module *module, uint32_t function);

// Whether calls can take the place of all of them; fails if not.
bool ws_can_limit_memory(const struct ws_module *module, struct ws_error *error);

// How many bytes a body has that calls a function, whose index is `callee`, with the arguments of a defined
// function.
size_t ws_call_size(const struct ws_module *module, uint32_t function, uint64_t callee);

#endif
