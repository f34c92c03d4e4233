// Makes function pointers and has a variable for others, and a recursion as deep as wanted.
typedef int (*operation)(int);

int counter = 5;

static int twice(int value) { return 2 * value; }
static void nothing(void) {}

__attribute__((export_name("operation"))) operation get_operation(void) { return twice; }
__attribute__((export_name("procedure"))) void (*procedure(void))(void) { return nothing; }
__attribute__((export_name("counter_value"))) int counter_value(void) { return counter; }

__attribute__((export_name("recurse"))) int recurse(int depth) {
  volatile char block[1024];
  block[depth % 1024] = (char)depth;
  return depth == 0 ? 0 : recurse(depth - 1) + block[depth % 1024];
}
