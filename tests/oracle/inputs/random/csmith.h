// In place of csmith's own header, which Debian does not have beside csmith: what its programs use, for a
// host to give.
#include <limits.h>
#include <stdint.h>

extern uint32_t crc32_context;
void crc32_gentab(void);
void platform_main_begin(void);
void platform_main_end(uint32_t checksum, int print);
void transparent_crc(uint64_t value, const char *name, int print);
void transparent_crc_bytes(const volatile void *bytes, int size, const char *name, int print);
int printf(const char *format, ...);
int strcmp(const char *left, const char *right);
