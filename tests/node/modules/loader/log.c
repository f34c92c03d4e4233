void say(int number); // the host's

__attribute__((export_name("log_number"))) void log_number(int number) {
  say(number);
}
