// Whose an object is. C's and C++'s libraries define nothing but names that are reserved, or mangled. What
// defines plain ones, too, is its author's own: a plug-in whose helpers are C++, or that has a malloc(). But
// a C++ library may have an interface in C: then several modules have the same object of it, each as far as
// it is used, and so its plain names in one module include those in another. In each of them something else
// of the module uses it, which nothing does with what a plug-in exports.
#ifndef WASMSHARE_OWN_H
#define WASMSHARE_OWN_H

#include "link/definitions.h"

// Says of definitions whether they are their author's own (ws_definition.is_own), and of names of a library's
// interface that they are the library's. False if memory runs out.
bool ws_note_own(struct ws_match *match, struct ws_definitions *definitions, const bool *strong,
                 struct ws_arena *arena);

#endif
