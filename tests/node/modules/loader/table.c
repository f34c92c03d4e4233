static int twice_and_one(int n) {
  return 2 * n + 1;
}

static int (*volatile pointer)(int) = twice_and_one;

__attribute__((export_name("call"))) int call(int n) {
  return pointer(n);
}

__attribute__((export_name("operation"))) void *operation(void) {
  return (void *)pointer;
}
