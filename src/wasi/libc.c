// What the command for WASI takes in place of its C library's: less of it, for a program that runs once and
// ends.
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// ------------------------------------------------------------------------------------------- bytes

// Engines have instructions for these.
void *memcpy(void *restrict to, const void *restrict from, size_t size) {
  return __builtin_memcpy(to, from, size);
}

void *memmove(void *to, const void *from, size_t size) {
  return __builtin_memmove(to, from, size);
}

void *memset(void *to, int byte, size_t size) {
  return __builtin_memset(to, byte, size);
}

// ------------------------------------------------------------------------------------------- memory

// A block has one of some sizes: 32, 40, 48, 56, and these times a power of two. Each size has a list of the
// blocks that are free.
union block {
  struct {
    size_t size; // of all of it
    union block *next_free;
  };
  uint64_t alignment; // nothing here has a larger one
};
enum { HEADER = 8, SMALLEST = 32, SIZES = 128, PAGE = 65536, LEAST_PAGES = 16 };

static union block *free_blocks[SIZES];
extern char __heap_base;
static uintptr_t unused, end; // memory that was in no block so far

// The size of a block with room for that many bytes; and which size that is.
static size_t block_size(size_t size, unsigned *which) {
  size_t last = (size + HEADER > SMALLEST ? size + HEADER : SMALLEST) - 1;
  unsigned shift = 29 - (unsigned)__builtin_clz(last);
  *which = 4 * shift + (last >> shift & 3);
  return ((last >> shift) + 1) << shift;
}

static union block *take_unused(size_t size) {
  if (!end) {
    unused = ((uintptr_t)&__heap_base + HEADER - 1) & ~(uintptr_t)(HEADER - 1);
    end = __builtin_wasm_memory_size(0) * (uintptr_t)PAGE;
  }
  if (size > end - unused) {
    size_t pages = (size - (end - unused) + PAGE - 1) / PAGE;
    if (pages < LEAST_PAGES)
      pages = LEAST_PAGES;
    if (__builtin_wasm_memory_grow(0, pages) == SIZE_MAX)
      return NULL;
    end += pages * PAGE;
  }
  union block *block = (union block *)unused;
  unused += size;
  block->size = size;
  return block;
}

// A block, and whether it was used before.
static union block *take(size_t size, bool *used) {
  unsigned which;
  union block *block = NULL;
  if (size <= INT32_MAX) {
    size_t all = block_size(size, &which);
    block = free_blocks[which];
    *used = block;
    if (block)
      free_blocks[which] = block->next_free;
    else
      block = take_unused(all);
  }
  if (!block)
    errno = ENOMEM;
  return block;
}

static void *bytes_of(union block *block) {
  return block ? (char *)block + HEADER : NULL;
}

void *malloc(size_t size) {
  bool used;
  return bytes_of(take(size, &used));
}

void *calloc(size_t count, size_t size) {
  bool used;
  if (__builtin_mul_overflow(count, size, &size))
    size = SIZE_MAX;
  union block *block = take(size, &used);
  return block && used ? memset(bytes_of(block), 0, size) : bytes_of(block);
}

void free(void *bytes) {
  if (!bytes)
    return;
  union block *block = (union block *)((char *)bytes - HEADER);
  unsigned which;
  block_size(block->size - HEADER, &which);
  block->next_free = free_blocks[which];
  free_blocks[which] = block;
}

void *realloc(void *bytes, size_t size) {
  if (!bytes)
    return malloc(size);
  size_t room = ((union block *)((char *)bytes - HEADER))->size - HEADER;
  if (size <= room)
    return bytes;
  void *larger = malloc(size);
  if (larger) {
    memcpy(larger, bytes, room);
    free(bytes);
  }
  return larger;
}

// ------------------------------------------------------------------------------------------- sorting

typedef int compare_function(const void *, const void *);

static void swap(char *a, char *b, size_t size) {
  for (size_t i = 0; i < size; i++) {
    char byte = a[i];
    a[i] = b[i];
    b[i] = byte;
  }
}

// Moves an element down to where it belongs in a heap, of which all below it is in order.
static void sift(char *elements, size_t at, size_t count, size_t size, compare_function *compare) {
  for (size_t child; (child = 2 * at + 1) < count; at = child) {
    if (child + 1 < count && compare(elements + child * size, elements + (child + 1) * size) < 0)
      child++;
    if (compare(elements + at * size, elements + child * size) >= 0)
      return;
    swap(elements + at * size, elements + child * size, size);
  }
}

// By a heap.
void qsort(void *elements, size_t count, size_t size, compare_function *compare) {
  for (size_t i = count / 2; i-- > 0;)
    sift(elements, i, count, size, compare);
  while (count-- > 1) {
    swap(elements, (char *)elements + count * size, size);
    sift(elements, 0, count, size, compare);
  }
}

// ------------------------------------------------------------------------------------------- text

// For reading JSON, in which layouts have whole numbers alone: all others are the same here.
double strtod(const char *restrict text, char **restrict end_of_number) {
  *end_of_number = (char *)text + strspn(text, "+-.0123456789Ee");
  return 0.5;
}

// No wide character is printed.
int wctomb(char *bytes, wchar_t character) {
  (void)bytes;
  (void)character;
  return -1;
}

// What js/wasi.js tells apart, in the words of the GNU C library, which the native command has.
char *strerror(int error) {
  static const struct {
    int error;
    const char *text;
  } known[] = {{E2BIG, "Argument list too long"},
               {EACCES, "Permission denied"},
               {EAGAIN, "Resource temporarily unavailable"},
               {EBADF, "Bad file descriptor"},
               {EBUSY, "Device or resource busy"},
               {EDQUOT, "Disk quota exceeded"},
               {EEXIST, "File exists"},
               {EFBIG, "File too large"},
               {EINTR, "Interrupted system call"},
               {EINVAL, "Invalid argument"},
               {EISDIR, "Is a directory"},
               {ELOOP, "Too many levels of symbolic links"},
               {EMFILE, "Too many open files"},
               {ENAMETOOLONG, "File name too long"},
               {ENFILE, "Too many open files in system"},
               {ENODEV, "No such device"},
               {ENOENT, "No such file or directory"},
               {ENOMEM, "Cannot allocate memory"},
               {ENOSPC, "No space left on device"},
               {ENOSYS, "Function not implemented"},
               {ENOTDIR, "Not a directory"},
               {ENOTEMPTY, "Directory not empty"},
               {ENXIO, "No such device or address"},
               {EPERM, "Operation not permitted"},
               {EPIPE, "Broken pipe"},
               {EROFS, "Read-only file system"},
               {ESPIPE, "Illegal seek"},
               {ETXTBSY, "Text file busy"},
               {EXDEV, "Invalid cross-device link"}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (known[i].error == error)
      return (char *)(uintptr_t)known[i].text;
  return "Input/output error";
}
