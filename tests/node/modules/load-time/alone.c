// Needs no other module.
static const volatile int hundred = 100;
static int count;

__attribute__((constructor)) static void begin(void) {
  count += hundred;
}

__attribute__((export_name("next"))) int next(void) {
  return ++count;
}
