// The symbols that wasm-ld defines, in code, in data and as exports. Each moves with what it stands for, apart from
// __wasm_first_page_end: that one is the page size, wherever the module is.

extern char __heap_base, __heap_end, __data_end, __global_base, __stack_low, __stack_high, __dso_handle;
__attribute__((weak)) extern char __wasm_first_page_end; // LLVM 19 does not define it

// wasm-ld defines __start_ and __stop_ for a segment whose name is a C identifier.
__attribute__((section("registry"))) int registered[] = {1, 2, 3};
extern int __start_registry[], __stop_registry[];

static char bss[1000];

const void *const in_data[] = {
    &__heap_base, &__heap_end, &__data_end, &__global_base, &__dso_handle,
    &__wasm_first_page_end, __start_registry, __stop_registry, &__heap_base + 16, &__data_end - 8,
#ifndef WITHOUT_STACK_LOW
    &__stack_low,
#endif
    &__stack_high,
};

__attribute__((export_name("in_code"))) const void *in_code(int which) {
    switch (which) {
    case 0: return &__heap_base;
    case 1: return &__heap_end;
    case 2: return &__data_end;
    case 3: return &__global_base;
    case 4: return &__dso_handle;
    case 5: return &__wasm_first_page_end;
    case 6: return __start_registry;
    case 7: return __stop_registry;
#ifndef WITHOUT_STACK_LOW
    case 8: return &__stack_low;
#endif
    case 9: return &__stack_high;
    case 10: return bss;
    case 11: return registered;
    default: return in_data[which & 7];
    }
}

__attribute__((export_name("use_stack"))) int use_stack(int n) {
    volatile char frame[100];
    frame[n % 100] = 1;
    return frame[3];
}
