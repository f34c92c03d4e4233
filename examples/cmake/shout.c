// Reads another module's text where it lies, and makes its own of it.
__attribute__((import_module("greeting"), import_name("greeting"))) const char *greeting(void);

static char shouted[64];

__attribute__((export_name("shout"))) const char *shout(void) {
  const char *text = greeting();
  for (unsigned i = 0; text[i] && i < sizeof shouted - 1; i++) {
    shouted[i] = text[i] >= 'a' && text[i] <= 'z' ? (char)(text[i] - 'a' + 'A') : text[i];
  }
  return shouted;
}
