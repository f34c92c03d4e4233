int is_even(unsigned n);

__attribute__((export_name("is_odd"))) int is_odd(unsigned n) {
  return n == 0 ? 0 : is_even(n - 1);
}
