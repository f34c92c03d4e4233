// Filling in a struct ws_error.
#ifndef WASMSHARE_ERROR_H
#define WASMSHARE_ERROR_H

#include "base/bytes.h"
#include "wasmshare.h"

#if defined(__GNUC__)
#define WS_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define WS_PRINTF(text, first)
#endif

// Fills `error` and returns false, so that a caller can `return ws_fail(...)`.
bool ws_fail(struct ws_error *error, const char *file, const char *section, uint64_t offset,
             const char *format, ...) WS_PRINTF(5, 6);

bool ws_fail_memory(struct ws_error *error, const char *file);
bool ws_fail_sink(struct ws_error *error, const char *file);

// Copies untrusted text, cut to fit, with anything that is not printable ASCII or UTF-8 shown as '?', so that
// an error stays one line. Returns `text`.
const char *ws_printable(struct ws_slice from, char *text, size_t size);

#endif
