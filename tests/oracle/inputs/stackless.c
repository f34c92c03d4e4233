// Nothing here uses the stack; what asks where it is depends on the linker having one.
extern char __stack_low[], __stack_high[], __heap_base[], __heap_end[];

static int numbers[4] = {1, 2, 3, 4};

__attribute__((export_name("numbers"))) int *address(void) {
  return numbers;
}

__attribute__((export_name("where"))) char *where(int which) {
#ifndef WITHOUT_STACK_LOW
  if (which == 0)
    return __stack_low;
#endif
  return which == 1 ? __stack_high : which == 2 ? __heap_base : __heap_end;
}
