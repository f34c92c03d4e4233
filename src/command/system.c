// What each operating system has in a way of its own. WASI, which the npm package runs on, has no signals and
// no processes.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef __APPLE__
#include <mach-o/dyld.h>
#endif
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "command/command.h"

bool exchange_names(const char *a, const char *b) {
#if defined(RENAME_EXCHANGE)
  return renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE) == 0;
#elif defined(RENAME_SWAP)
  return renamex_np(a, b, RENAME_SWAP) == 0;
#else
  (void)a, (void)b;
  return false;
#endif
}

ssize_t copy_range(int from, uint64_t offset, int to, size_t size) {
#ifdef __linux__
  off_t at = (off_t)offset;
  return copy_file_range(from, &at, to, NULL, size, 0);
#else
  (void)from, (void)offset, (void)to, (void)size;
  return -1;
#endif
}

void forget_pages(const void *bytes, size_t size) {
#ifdef __wasi__
  (void)bytes, (void)size; // a mapped file is a copy
#else
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), begin = ((uintptr_t)bytes + page - 1) / page * page;
  uintptr_t end = ((uintptr_t)bytes + size) / page * page;
  if (begin < end)
    madvise((void *)begin, end - begin, MADV_DONTNEED);
#endif
}

void handle_signals(void (*handler)(int)) {
#ifdef __wasi__
  (void)handler;
#else
  // SIGPIPE: of what reads our output. SIGABRT: LLVM's reader out of memory.
  static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGABRT};
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART}, old;
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN) // as nohup has it
      sigaction(numbers[i], &action, NULL);
#endif
}

#ifndef __wasi__ // in src/wasi/real_path.c
char *real_path(const char *path) {
  return realpath(path, NULL);
}
#endif

char *command_path(const char *called) {
#if defined(__wasi__)
  return xprintf("%s", called); // the package says where it is
#elif defined(__APPLE__)
  (void)called;
  char path[PATH_MAX];
  uint32_t size = sizeof path;
  return _NSGetExecutablePath(path, &size) == 0 ? realpath(path, NULL) : NULL;
#else
  (void)called;
  return realpath("/proc/self/exe", NULL);
#endif
}

// Has malloc take one piece of memory now that it gives out later, and has that be of huge pages, where the
// system has such: one page fault in place of 512.
static void use_huge_pages(void) {
#if defined(__GLIBC__) && defined(MADV_HUGEPAGE)
  enum { KIB = 1024, HUGE_PAGE = 2048 * KIB, PIECE = 16 * HUGE_PAGE, FIRST = 256 * KIB, HEADERS = 256 };
  mallopt(M_TOP_PAD, PIECE + 2 * HUGE_PAGE);
  void *first = malloc(FIRST);   // more than is left of the piece that malloc began with
  mallopt(M_TOP_PAD, 128 * KIB); // as it was
  if (!first)
    return;
  uintptr_t begin = (uintptr_t)first, page = (begin + FIRST + HEADERS + HUGE_PAGE) / HUGE_PAGE * HUGE_PAGE;
  free(first);
  // A page is huge if it is so when it is first used: what comes before, with malloc's note of where it ends,
  // is left. A malloc that is not the C library's gives out another place, and is let alone.
  void *before = malloc(page - begin - HEADERS);
  if ((uintptr_t)before == begin)
    madvise((void *)page, PIECE, MADV_HUGEPAGE);
  else
    free(before);
#endif
}

// The first use of a page costs more than what is done with it, and the command ends soon: what one part of
// it has freed, another gets, in whichever thread, and nothing is given back before the end.
void keep_memory(void) {
  static bool kept;
  if (kept)
    return;
  kept = true;
#ifdef __GLIBC__
  enum { MIB = 1024 * 1024 };
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_MMAP_THRESHOLD, 32 * MIB); // as much as it can be
  mallopt(M_TRIM_THRESHOLD, 1024 * MIB);
#endif
  use_huge_pages();
}

bool begin_command(void) {
#ifdef __wasi__
  // A module starts in the root; and its C library writes the first line that is printed at once.
  static char buffer[BUFSIZ];
  setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
  const char *directory = getenv("PWD");
  if (directory && chdir(directory) != 0)
    return fail("%s: cannot be the working directory: %s", directory, strerror(errno));
#endif
  return true;
}
