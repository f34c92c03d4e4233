// In C++: operator new and delete, of libc++abi, and a string.
#include "worker.h"

#include <algorithm>
#include <new>
#include <string>

// Its destructor is registered in a list that the C library allocates.
static std::string kept(100, 'k');

extern "C" {

void *EXPORT(take)(size_t size, size_t align) {
  return align <= __STDCPP_DEFAULT_NEW_ALIGNMENT__ ? ::operator new(size, std::nothrow)
                                                   : ::operator new(size, std::align_val_t(align), std::nothrow);
}

void EXPORT(give)(void *block, size_t align) {
  if (align <= __STDCPP_DEFAULT_NEW_ALIGNMENT__)
    ::operator delete(block);
  else
    ::operator delete(block, std::align_val_t(align));
}

void *EXPORT(resize)(void *block, size_t old_size, size_t align, size_t size) {
  void *moved = take(size, align);
  if (moved) {
    std::copy_n(static_cast<char *>(block), std::min(old_size, size), static_cast<char *>(moved));
    give(block, align);
  }
  return moved;
}

// A C string that this module has allocated with new char[].
char *EXPORT(sentence)(int words) {
  std::string text;
  for (int i = 0; i < words; i++)
    text += "word " + std::to_string(i) + ' ';
  char *copy = new char[text.size() + 1];
  std::copy_n(text.c_str(), text.size() + 1, copy);
  return copy;
}
}
