// What a name means: whose it is, by the rules of the languages.
#ifndef WASMSHARE_LANGUAGE_H
#define WASMSHARE_LANGUAGE_H

#include "read/module.h"

enum ws_name_owner {
  WS_NAME_PLAIN,   // the author's own: nothing makes two definitions of it one
  WS_NAME_LIBRARY, // the C library's or the implementation's: reserved_names.def
  WS_NAME_CXX,  // mangled C++ with external linkage: one entity in a program ([basic.def.odr], [basic.link])
  WS_NAME_RUST, // mangled Rust, which names the crate and its build
  WS_NAME_MODULE, // of the linker or the start files: each module has one of its own
};

enum ws_name_owner ws_name_owner(struct ws_slice name);
// The same of a symbol. A variable is not the library's for having the name of one of its functions.
enum ws_name_owner ws_symbol_owner(const struct ws_symbol *symbol);

// What C's library has by a name: "&" for a variable; "" for a function that keeps nothing between calls;
// else its type, where n is an integer or a pointer, f a float, d a double: "(nd)n"; "?" if that is not the
// same in all libraries. NULL if the name is not listed.
const char *ws_library_has(struct ws_slice name);

// Whether it is the C library's, the C++ library's or the C++ runtime's.
bool ws_is_library_name(struct ws_slice name);

// The namespace or class of a C++ function, as it is mangled, or nothing: 3lib of _ZN3lib3addEi.
struct ws_slice ws_scope(struct ws_slice name);

// Functions of C that work on one state which has no name: the generator that srand() sets is the one that
// rand() asks. The same number for all of one group, from 1 to WS_STATE_GROUPS, and 0 for other names;
// `*member` has one bit set, another one for each function of a group.
enum { WS_ALLOCATOR_GROUP = 1, WS_STATE_GROUPS = 11 };
unsigned ws_state_group(struct ws_slice name, unsigned *member);
// Whether it names a variable of C's library whose type standards say: C11 7.5, POSIX.1-2017 environ.
bool ws_has_fixed_type(struct ws_slice name);

// The name of a Rust or C++ entity without what ThinLTO appends when it makes a local symbol global.
struct ws_slice ws_name_base(struct ws_slice name);

// Whether it is the name of a local symbol, C's or LLVM's own, that ThinLTO made global.
bool ws_was_local(struct ws_slice name);

// Whether a local symbol can be found by its name, since that names one entity in the program: any of Rust's,
// and C++ variables that were made local by link-time optimisation.
bool ws_is_local_name_unique(struct ws_slice name);
// The same of a static variable of a C++ function, and its guard, where link-time optimisation made local
// what was not: else such a symbol is local where its function is not inline.
bool ws_is_function_static(struct ws_slice name);

// A name of LLVM's private linkage (string literals, switch tables): such a symbol has no address that a
// program could compare.
bool ws_is_private_name(struct ws_slice name);

// The name of the function that a stub of lld's is for (weak.h), which is demangled unless the linker was
// told otherwise. Empty if it is not a stub.
struct ws_slice ws_weak_stub_name(const struct ws_symbol *symbol);

#endif
