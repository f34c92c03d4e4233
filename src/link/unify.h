// One program: how what is one thing (one.h) becomes one. Addresses, slots in the table and tags are those of
// what stands for a thing; calls that must reach another definition go through the table.
#ifndef WASMSHARE_UNIFY_H
#define WASMSHARE_UNIFY_H

#include "link/link.h"

// The export that ends a program without main: it runs what was registered for that, and flushes output.
#define WS_EXIT_FUNCTION "__wasmshare_exit"

// Finds what is one thing. Before names are resolved.
bool ws_find_things(struct ws_link *link, struct ws_error *error);

// The module that an import of a function, global or tag means by its name alone, or WS_HOST if nothing says.
size_t ws_meaning(const struct ws_link *link, const struct ws_input *user, size_t import);

// Tags that are one become imports. When names are resolved.
bool ws_unify_tags(struct ws_link *link, struct ws_error *error);

// Gives functions slots in the table, and calls that must reach another module's a way there; decides what
// runs constructors, and the end. When the order is known.
bool ws_unify_functions(struct ws_link *link, struct ws_error *error);

// Finds what one file that ends by exit(), as a program with main does, lacks for its end. What has no end by
// itself lacks nothing: nor would it in a static link.
bool ws_find_lost(struct ws_link *link, struct ws_error *error);

// Says where everything went. When all is placed.
void ws_rebind(struct ws_link *link);

#endif
