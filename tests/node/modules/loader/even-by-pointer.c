// As even.c, but what is zero is asked through a function pointer, which the other module gets.
typedef int test(unsigned);
int odd(unsigned n, test *is_zero);

static int is_zero(unsigned n) {
  return n == 0;
}

__attribute__((export_name("even"))) int even(unsigned n, test *is_zero) {
  return is_zero(n) ? 1 : odd(n - 1, is_zero);
}

__attribute__((export_name("is_even"))) int is_even(unsigned n) {
  return even(n, is_zero);
}
