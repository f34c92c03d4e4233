// Its constructor makes what `derived` and `plugin` find.

__attribute__((import_module("log"), import_name("log_number"))) void log_number(int number);

__attribute__((visibility("default"))) int made;

__attribute__((constructor)) static void make(void) {
  made += 1;
  log_number(made);
}

__attribute__((export_name("scale"))) int scale(int n) {
  return 2 * n;
}
