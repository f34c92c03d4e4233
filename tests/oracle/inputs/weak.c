// Weak symbols that nothing defines, beside ones that something does.
extern int no_number __attribute__((weak));
int no_function(int n) __attribute__((weak));
__attribute__((weak)) int number = 3;
__attribute__((weak)) int function(int n) { return n + number; }

int *numbers[] = {&no_number, &number, &no_number + 1};
int (*functions[])(int) = {no_function, function};

__attribute__((export_name("run"))) int run(int i, int n) {
  int (*volatile weak)(int) = no_function;
  if (weak)
    n += weak(n);
  if (&no_number)
    n += no_number;
  if (no_function)
    n += no_function(n);
  return functions[i](n) + *numbers[i];
}
