int is_odd(unsigned n);

__attribute__((export_name("is_even"))) int is_even(unsigned n) {
  return n == 0 ? 1 : is_odd(n - 1);
}
