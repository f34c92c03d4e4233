// Has the text, in its own static data.
__attribute__((export_name("greeting"))) const char *greeting(void) {
  return "hello from a module of its own";
}
