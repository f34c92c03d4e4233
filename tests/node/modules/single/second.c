int first_even(int n);
extern volatile int first_seen[], first_count;

int second_numbers[4] = {10, 20, 30, 40};
static int unused_table[100] = {1, 2, 3};

__attribute__((constructor(100))) static void first_of_all(void) { first_seen[first_count++] = 100; }

int which(void) { return 2; } // strong: not the other's

int second_odd(int n) { return n == 0 ? 0 : first_even(n - 1); }
int second_twice(int n) { return 2 * n; }
int second_never(int i) { return unused_table[i]; } // nothing calls it, and nothing exports it in one file
