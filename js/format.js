// The numbers of docs/prepared-format.md, those of WebAssembly, and those of where modules go (src/plan.c). Minifiers put
// them where they are used, because nothing else is in this file.

// What is true of a prepared module.
export const HAS_STACK = 1, IMPORTS_STACK = 2, STACK_FIRST = 4;
export const HAS_TABLE = 8, IMPORTS_TABLE = 16, TABLE_FIRST = 32;
export const USES_HEAP_BASE = 64, HAS_RELOCATIONS = 256, HEAP = 9, HEAPS = 7; // the last: how far to the right, which bits

// Heaps behind GROWS have a range of their own, those behind BOUNDED all that follows, too. Those that BOUNDED does not divide
// hand out memory that is grown later.
export const GROWS = 1, BOUNDED = 3;

// Sections, and flags of limits.
export const IMPORT = 2, TABLE = 4, GLOBAL = 6;
export const HAS_MAXIMUM = 1, SHARED = 2, MEMORY64 = 4;

// Bytes. Below the guard, a null pointer with a small offset would land on data.
export const PAGE = 65536, NULL_GUARD = 1024, STACK_ALIGNMENT = 16;
