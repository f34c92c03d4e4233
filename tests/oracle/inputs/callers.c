// Calls through the function table, and takes no function's address.
static int total;

__attribute__((export_name("call"))) int call(int (*function)(int *), int n) {
  total += n;
  return function(&total);
}
