typedef int test(unsigned);
int even(unsigned n, test *is_zero);

__attribute__((export_name("odd"))) int odd(unsigned n, test *is_zero) {
  return is_zero(n) ? 0 : even(n - 1, is_zero);
}
