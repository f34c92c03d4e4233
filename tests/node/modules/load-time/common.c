// Calls back, by a function pointer of whichever module.
__attribute__((export_name("apply"))) int apply(int (*function)(int), int number) {
  return function(number);
}
