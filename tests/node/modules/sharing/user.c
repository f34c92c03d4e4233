// Calls what it is given, and uses a variable of another module: directly, by a pointer in its data, and past its start.
typedef int (*operation)(int);

extern int counter;
extern int table[4];
static int *const pointers[] = {&counter, &table[2]};

// Below all others' data when stacks are private: what an overflowing stack of the module above reaches.
static volatile unsigned char guard[4096];

static int plus_one(int value) { return value + 1; }

__attribute__((export_name("call"))) int call(operation given, int value) { return given(value); }
__attribute__((export_name("call_own"))) int call_own(int value) {
  operation volatile own = plus_one;
  return own(value);
}
__attribute__((export_name("increment"))) int increment(void) {
  counter += 2;
  return *pointers[0];
}
__attribute__((export_name("element"))) int element(int index) { return pointers[1][index - 2] + 0 * table[3]; }
__attribute__((export_name("fill_guard"))) void fill_guard(void) {
  for (unsigned i = 0; i < sizeof guard; i++)
    guard[i] = 0x5a;
}
__attribute__((export_name("guard_changes"))) int guard_changes(void) {
  int changes = 0;
  for (unsigned i = 0; i < sizeof guard; i++)
    changes += guard[i] != 0x5a;
  return changes;
}
