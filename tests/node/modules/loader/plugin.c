// Loaded later.

extern int made;
__attribute__((import_module("log"), import_name("log_number"))) void log_number(int number);

__attribute__((constructor)) static void make(void) {
  made += 2;
  log_number(200 + made);
}
