// Functions that have the name of one of C's library, and are none of it: a plug-in may have a log() that
// writes into a list of its own, or a select() that takes one number. Their names are plain then.
#ifndef WASMSHARE_NAMESAKES_H
#define WASMSHARE_NAMESAKES_H

#include "link/match.h"

// Makes the names of such functions their author's own, in match->owner. False if memory runs out.
bool ws_find_namesakes(struct ws_match *match, struct ws_arena *arena);

#endif
