// Code without a single relocation, and constants as wide as those that have one.
__attribute__((export_name("mix"))) unsigned long long mix(unsigned n) {
  return (n ^ 0x85ebca6bu) * 0xcbf29ce484222325u + 0x10001 * n + 1.5e-9f * n;
}
