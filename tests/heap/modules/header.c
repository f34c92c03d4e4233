// Each piece of memory begins with a header, the first one at __heap_base, without a look at whether there is room.
#include "allocator.h"
struct piece {
  struct piece *next;
  char *top;
  size left;
};
static struct piece *pieces;
static struct piece *begin(struct piece *piece, char *end) {
  piece->top = aligned(piece + 1);
  piece->left = (size)(end - piece->top);
  piece->next = pieces;
  return pieces = piece;
}
static char *more(size n) {
  struct piece *piece = pieces ? pieces : begin((struct piece *)aligned(&__heap_base), (char *)&__heap_end);
  while (piece && piece->left < n)
    piece = piece->next;
  if (!piece) {
    char *grown = grow(n + PAGE);
    if (!grown)
      return 0;
    piece = begin((struct piece *)grown, grown + pages(n + PAGE) * PAGE);
  }
  piece->top += n;
  piece->left -= n;
  return piece->top - n;
}
