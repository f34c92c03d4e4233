// Constants that are as small as table indices, or look like addresses where they are not aligned, beside
// functions whose addresses only code takes. No data has a pointer.
static const int small[] = {3, 1, 4, 1, 5, 9, 2, 6, 1024 << 8};
static const unsigned char bytes[] = {1, 0, 0, 0, 2, 0, 4, 0, 0, 4, 9, 0, 0, 1};

static int twice(int n) {
  return 2 * n;
}
static int thrice(int n) {
  return 3 * n;
}

int (*volatile chosen)(int);

__attribute__((export_name("run"))) int run(int i) {
  chosen = i & 1 ? twice : thrice;
  return chosen(small[i]) + bytes[i];
}
