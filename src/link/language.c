#include "link/language.h"

// Sorted, so that a name can be looked up; each ends in a zero byte. What follows a name, if anything, is no
// part of an identifier, and before all that is.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverlength-strings" // more than C asks all compilers to take: 4095
static const char library_names[] =
#define C(name, what) #name what "\0"
#define POSIX(name, what) #name what "\0"
#define WASI_LIBC(name, what) #name what "\0"
#define MODULE(name)
#include "format/reserved_names.def"
#undef C
#undef POSIX
#undef WASI_LIBC
#undef MODULE
    ;

static const char module_names[] =
#define C(name, what)
#define POSIX(name, what)
#define WASI_LIBC(name, what)
#define MODULE(name) #name "\0"
#include "format/reserved_names.def"
#undef C
#undef POSIX
#undef WASI_LIBC
#undef MODULE
    ;
#pragma GCC diagnostic pop

// What follows a name in `names`, of which `size` bytes are names; NULL if it is not there.
static const char *find_listed(struct ws_slice name, const char *names, size_t size) {
  size_t low = 0;
  while (low < size) {
    size_t middle = low + (size - low) / 2;
    while (middle > low && names[middle - 1] != '\0')
      middle--;
    const char *what = names + middle + strcspn(names + middle, "(&?");
    struct ws_slice found = {(const uint8_t *)names + middle, (size_t)(what - (names + middle))};
    int order = ws_slice_compare(name, found);
    if (order == 0)
      return what;
    if (order < 0)
      size = middle;
    else
      low = middle + strlen(names + middle) + 1;
  }
  return NULL;
}

const char *ws_library_has(struct ws_slice name) {
  return find_listed(name, library_names, sizeof library_names - 1);
}

// llvm/Transforms/Utils/FunctionImportUtils.cpp, promoted names: NAME.llvm.HASH
static size_t promotion(struct ws_slice name) {
  static const char mark[] = ".llvm.";
  if (!name.size || !memchr(name.data, mark[0], name.size))
    return name.size;
  for (size_t i = name.size; i > sizeof mark - 1; i--)
    if (memcmp(name.data + i - (sizeof mark - 1), mark, sizeof mark - 1) == 0)
      return i - (sizeof mark - 1);
  return name.size;
}

struct ws_slice ws_name_base(struct ws_slice name) {
  return (struct ws_slice){name.data, promotion(name)};
}

// "<local-name> ::= L <source-name>": internal linkage.
static bool has_internal_part(struct ws_slice name) {
  for (size_t i = 0; i + 1 < name.size; i++)
    if (name.data[i] == 'L' && name.data[i + 1] >= '0' && name.data[i + 1] <= '9')
      return true;
  return ws_slice_contains(name, "_GLOBAL__");
}

static bool is_hexadecimal(uint8_t byte) {
  return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f');
}

// v0 (RFC 2603), or the older form, a C++ nested name that ends in a hash: _ZN...17h0123456789abcdefE
static bool is_rust(struct ws_slice name) {
  static const char start[] = "_ZN", hash[] = "17h";
  enum { DIGITS = 16 };
  if (ws_slice_starts(name, "_R"))
    return name.size > 2 && name.data[2] >= 'A' && name.data[2] <= 'Z';
  size_t end = sizeof hash - 1 + DIGITS + 1;
  if (!ws_slice_starts(name, start) || name.size < sizeof start - 1 + end || name.data[name.size - 1] != 'E')
    return false;
  const uint8_t *at = name.data + name.size - end;
  bool is_hash = memcmp(at, hash, sizeof hash - 1) == 0;
  for (size_t i = 0; i < DIGITS; i++)
    is_hash &= is_hexadecimal(at[sizeof hash - 1 + i]);
  return is_hash;
}

// wasm-bindgen's table of JavaScript values is each module's own, and so must be the list of its free slots.
static bool is_of_own_table(struct ws_slice name) {
  return ws_slice_contains(name, "12wasm_bindgen9externref");
}

// Counters of profiles and coverage, and what writes them: of the code of each module
// (llvm/ProfileData/InstrProfData.inc).
static bool is_of_profile(struct ws_slice name) {
  return ws_slice_starts(name, "__prof") || ws_slice_starts(name, "__llvm_") ||
         ws_slice_starts(name, "__covrec_");
}

enum ws_name_owner ws_name_owner(struct ws_slice name) {
  struct ws_slice base = ws_name_base(name);
  if (is_rust(base))
    return is_of_own_table(base) ? WS_NAME_MODULE : WS_NAME_RUST;
  if (base.size != name.size)
    return WS_NAME_PLAIN;
  if (ws_slice_starts(name, "_Z"))
    return WS_NAME_CXX;
  if (is_of_profile(name) || find_listed(name, module_names, sizeof module_names - 1))
    return WS_NAME_MODULE;
  bool reserved = name.size > 1 && name.data[0] == '_' &&
                  (name.data[1] == '_' || (name.data[1] >= 'A' && name.data[1] <= 'Z'));
  if (reserved || ws_library_has(name))
    return WS_NAME_LIBRARY;
  return WS_NAME_PLAIN;
}

enum ws_name_owner ws_symbol_owner(const struct ws_symbol *symbol) {
  enum ws_name_owner owner = ws_name_owner(symbol->name);
  if (symbol->kind != WS_SYMBOL_DATA || owner != WS_NAME_LIBRARY || ws_slice_starts(symbol->name, "_"))
    return owner;
  const char *what = ws_library_has(symbol->name);
  return what && *what == '&' ? owner : WS_NAME_PLAIN;
}

// std:: and __cxxabiv1::, with the virtual tables, type_info and guards of what is in them, and operators new
// and delete.
static bool is_of_cxx_library(struct ws_slice name) {
  static const char *const prefixes[] = {"_Z",    "_ZT",   "_ZGV",  "_ZN",   "_ZNK",
                                         "_ZTVN", "_ZTIN", "_ZTSN", "_ZTTN", "_ZGVN"};
  if (ws_slice_starts(name, "_Zn") || ws_slice_starts(name, "_Zd"))
    return true;
  for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
    size_t size = strlen(prefixes[i]);
    if (!ws_slice_starts(name, prefixes[i]))
      continue;
    struct ws_slice rest = {name.data + size, name.size - size};
    if (ws_slice_starts(rest, "St") || ws_slice_starts(rest, "10__cxxabiv1"))
      return true;
  }
  return false;
}

bool ws_is_library_name(struct ws_slice name) {
  return ws_slice_starts(name, "_Z") ? is_of_cxx_library(name) : ws_name_owner(name) == WS_NAME_LIBRARY;
}

// The number at `*at` of a mangled name, which says how long what follows it is; goes behind it.
static size_t read_length(struct ws_slice name, size_t *at) {
  size_t size = 0;
  while (*at < name.size && size < name.size && name.data[*at] >= '0' && name.data[*at] <= '9')
    size = 10 * size + (name.data[(*at)++] - '0');
  return size;
}

struct ws_slice ws_scope(struct ws_slice name) {
  static const char start[] = "_ZN";
  size_t begin = sizeof start - 1, last = begin, at = begin;
  if (!ws_slice_starts(name, start))
    return (struct ws_slice){name.data, 0};
  while (begin < name.size && name.data[begin] && strchr("KVrRO", name.data[begin])) // const, volatile, &
    last = at = ++begin;
  while (at < name.size && name.data[at] >= '0' && name.data[at] <= '9') { // source names
    last = at;
    size_t size = read_length(name, &at);
    at = size < name.size - at ? at + size : name.size;
  }
  bool is_name = at < name.size && name.data[at] == 'E'; // or it is a constructor's, or a template's
  return (struct ws_slice){name.data + begin, (is_name ? last : at) - begin};
}

unsigned ws_state_group(struct ws_slice name, unsigned *member) {
  enum { MOST = 9 };
#define NAME(text) {(const uint8_t *)text, sizeof text - 1}
  static const struct ws_slice groups[WS_STATE_GROUPS][MOST] = {
      // C11 7.22.3, POSIX.1-2017, and what C libraries have beside them
      {NAME("malloc"), NAME("calloc"), NAME("aligned_alloc"), NAME("posix_memalign"), NAME("memalign"),
       NAME("valloc"), NAME("realloc"), NAME("reallocarray"), NAME("free")},
      {NAME("rand"), NAME("srand")},                                          // C11 7.22.2
      {NAME("initstate"), NAME("random"), NAME("setstate"), NAME("srandom")}, // POSIX.1-2017
      {NAME("hcreate"), NAME("hdestroy"), NAME("hsearch")},
      {NAME("atexit"), NAME("__cxa_atexit"),
       NAME("__funcs_on_exit")}, // C++ [basic.start.term]; what runs them in musl
      {NAME("at_quick_exit"), NAME("__funcs_on_quick_exit")}, // the same of quick_exit()
      {NAME("raise"), NAME("signal")},                        // C11 7.14
      {NAME("encrypt"), NAME("setkey")},
      {NAME("pthread_key_create"), NAME("pthread_key_delete")},
      {NAME("__cxa_get_globals"),
       NAME("__cxa_get_globals_fast")}, // what is thrown and caught: the Itanium C++ ABI
      {NAME("_ZN10__cxxabiv122__calloc_with_fallbackEmm"), NAME("_ZN10__cxxabiv120__free_with_fallbackEPv"),
       NAME("_ZN10__cxxabiv130__aligned_malloc_with_fallbackEm"),
       NAME("_ZN10__cxxabiv128__aligned_free_with_fallbackEPv")}, // libc++abi's memory for that
  };
#undef NAME
  *member = 0;
  if (ws_slice_starts(name, "_Z") && !ws_slice_starts(name, "_ZN10__cxxabiv1")) // as most are
    return 0;
  for (unsigned i = 0; i < WS_STATE_GROUPS; i++)
    for (unsigned k = 0; k < MOST && groups[i][k].size; k++)
      if (groups[i][k].size == name.size && memcmp(groups[i][k].data, name.data, name.size) == 0) {
        *member = 1U << k;
        return i + 1;
      }
  return 0;
}

bool ws_has_fixed_type(struct ws_slice name) {
  return ws_slice_is(name, "errno") || ws_slice_is(name, "environ") || ws_slice_is(name, "__environ");
}

bool ws_was_local(struct ws_slice name) {
  struct ws_slice base = ws_name_base(name);
  return base.size != name.size && !is_rust(base);
}

// Of a mangled name of C++. Lambdas and unnamed types are counted anew in every file.
static bool has_external_linkage(struct ws_slice name) {
  return !has_internal_part(name) && !ws_slice_contains(name, "Ul") && !ws_slice_contains(name, "Ut") &&
         !ws_slice_contains(name, "$") && !ws_slice_contains(name, ".");
}

bool ws_is_local_name_unique(struct ws_slice name) {
  if (!ws_slice_starts(name, "_Z") && !ws_slice_starts(name, "_R"))
    return false;
  enum ws_name_owner owner = ws_name_owner(name);
  if (owner == WS_NAME_RUST)
    return true;
  // What is local to a function may be of one with internal linkage.
  return owner == WS_NAME_CXX && !ws_slice_starts(name, "_ZZ") && !ws_slice_starts(name, "_ZGVZ") &&
         !ws_slice_starts(name, "_ZTIZ") && !ws_slice_starts(name, "_ZTSZ") &&
         !ws_slice_starts(name, "_ZTVZ") && has_external_linkage(name);
}

bool ws_is_function_static(struct ws_slice name) {
  static const char *const starts[] = {"_ZZ", "_ZGVZ"};
  for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
    size_t at = strlen(starts[i]);
    if (!ws_slice_starts(name, starts[i]))
      continue;
    size_t size = read_length(name, &at);
    // A function without types of parameters in its name is C's, and may be static.
    bool has_types = size < name.size - at && name.data[at + size] != 'E';
    return has_types && has_external_linkage(name);
  }
  return false;
}

bool ws_is_private_name(struct ws_slice name) {
  return ws_slice_starts(name, ".L");
}

struct ws_slice ws_weak_stub_name(const struct ws_symbol *symbol) {
  static const char prefix[] = "undefined_weak:";
  size_t size = sizeof prefix - 1;
  if (symbol->kind != WS_SYMBOL_FUNCTION || (symbol->flags & WS_SYMBOL_UNDEFINED) ||
      !ws_slice_starts(symbol->name, prefix))
    return (struct ws_slice){symbol->name.data, 0};
  return (struct ws_slice){symbol->name.data + size, symbol->name.size - size};
}
