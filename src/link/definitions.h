// Who defines what: the definitions of each name in all modules.
#ifndef WASMSHARE_DEFINITIONS_H
#define WASMSHARE_DEFINITIONS_H

#include "link/match.h"

struct ws_definition {
  uint32_t node;
  uint32_t next;    // the next one of the same name, in order of preference, or WS_NO_NODE
  bool is_own;      // own.c: it is strong, and of an object that is of no library but its author's
  uint32_t version; // objects.c: the same for definitions that are the same; WS_NO_NODE if that was not asked
};

struct ws_defined_name {
  struct ws_slice text;
  uint8_t kind;  // enum ws_symbol_kind: function, data or tag
  uint8_t owner; // enum ws_name_owner
  uint32_t first, last;
};

struct ws_definitions {
  struct ws_definition *list;
  struct ws_defined_name *names;
  size_t count, name_count;
  uint32_t *slots; // a hash table of names
  size_t slot_count;
};

// Lists what modules define for others, in the order of modules that `order` gives: functions, variables and
// tags that are not local, and local variables whose name is unique in the program. False if memory runs out.
bool ws_list_definitions(const struct ws_match *match, const uint32_t *order, struct ws_arena *arena,
                         struct ws_definitions *definitions);

// The name, or NULL if nobody defines it.
const struct ws_defined_name *ws_find_name(const struct ws_definitions *definitions, uint8_t kind,
                                           struct ws_slice text);

#endif
