int scale(int n);
extern int made;
__attribute__((import_module("log"), import_name("log_number"))) void log_number(int number);

__attribute__((constructor)) static void make(void) {
  made += 1;
  log_number(100 + made);
}

__attribute__((export_name("area"))) int area(int n) {
  return scale(n) * scale(1);
}
