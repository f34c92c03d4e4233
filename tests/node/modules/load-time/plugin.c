// Adds what its constructor has found, in a function of its own that another module calls.
__attribute__((import_module("common"), import_name("apply"))) int apply(int (*function)(int), int number);

static const volatile int step = STEP;
static volatile int sum;

__attribute__((constructor)) static void begin(void) {
  sum += step;
}

static int add(int number) {
  return sum + number;
}

__attribute__((export_name("run"))) int run(int number) {
  return apply(add, number);
}
