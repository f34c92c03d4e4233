// One of three modules that become one: calls both ways, pointers in data, constructors in order.

int second_twice(int n);
extern int second_numbers[];
extern const char *third_name(void);

volatile int first_seen[8]; // or the compiler would run the constructors itself
volatile int first_count;

static int add_one(int n) { return n + 1; }
int (*first_function)(int) = add_one;
int *first_pointer = &second_numbers[2];

__attribute__((weak)) int which(void) { return 1; }

__attribute__((constructor(200))) static void second_of_all(void) { first_seen[first_count++] = 200; }
__attribute__((constructor)) static void third_of_all(void) { first_seen[first_count++] = 65535; }

int first_even(int n) {
  extern int second_odd(int n);
  return n == 0 ? 1 : second_odd(n - 1);
}

__attribute__((export_name("run"))) int run(int n) {
  int sum = first_function(n) + second_twice(n) + *first_pointer + which() + first_even(10);
  for (const char *name = third_name(); *name; name++)
    sum = sum * 7 + *name;
  return sum;
}
__attribute__((export_name("seen"))) int seen(int i) { return first_seen[i]; }
