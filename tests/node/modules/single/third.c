extern volatile int first_seen[], first_count;
extern void host_log(const char *text);

static char buffer[2000]; // is not written

__attribute__((constructor)) static void last_of_all(void) { first_seen[first_count++] = 3; }

const char *third_name(void) {
  const char *text = "third";
  for (int i = 0; text[i]; i++)
    buffer[i] = text[i];
  host_log(buffer);
  return buffer;
}
