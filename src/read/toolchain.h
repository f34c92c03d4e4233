// What made a module, as far as it says so itself, and what that toolchain's users can do about a refusal.
#ifndef WASMSHARE_TOOLCHAIN_H
#define WASMSHARE_TOOLCHAIN_H

#include "read/module.h"

enum ws_toolchain {
  WS_TOOLCHAIN_OTHER, // clang and rustc among them: their linker writes relocations when told to
  WS_TOOLCHAIN_GO,    // the Go project's own compiler; TinyGo links with lld
  WS_TOOLCHAIN_ZIG,   // linked by Zig's own linker, not with `zig wasm-ld`
  WS_TOOLCHAIN_ASSEMBLYSCRIPT,
  WS_TOOLCHAIN_WASM_BINDGEN, // the wasm-bindgen command has been run on it
};

enum ws_toolchain ws_toolchain(const struct ws_module *module);
// What to do about a module of that toolchain that has no relocations, or NULL for the linker's options.
const char *ws_toolchain_advice(enum ws_toolchain toolchain);

// Whether it was compiled with wasm-bindgen's macros: its JavaScript interface is still to be made by the
// command.
bool ws_is_for_wasm_bindgen(const struct ws_module *module);
// Whether an import is one that only the wasm-bindgen command resolves.
bool ws_is_wasm_bindgen_import(struct ws_slice module);

// Refuses a module without a linking section: `why` is what cannot be known of it, and `otherwise` what else
// can be done where the linker's options are the advice.
void ws_refuse_unlinked(struct ws_module *module, const char *section, const char *why,
                        const char *otherwise);
// What else can be done about one that was linked as it should be.
#define WS_IF_PLACED                                                                                         \
  "; if wasmshare has placed it already, give what the linker wrote, or combine with --keep-relocs"

#endif
