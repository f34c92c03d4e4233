#include "base/suggest.h"

enum { LONGEST_SUGGESTION = 200 };

static size_t least(size_t a, size_t b) {
  return a < b ? a : b;
}

// How many characters must be added, removed, changed or swapped with the next to make `b` of `a`.
static size_t edit_distance(struct ws_slice a, struct ws_slice b) {
  size_t rows[3][LONGEST_SUGGESTION + 1];
  for (size_t k = 0; k <= b.size; k++)
    rows[0][k] = k;
  for (size_t i = 1; i <= a.size; i++) {
    size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
    row[0] = i;
    for (size_t k = 1; k <= b.size; k++) {
      size_t changed = above[k - 1] + (a.data[i - 1] != b.data[k - 1]);
      row[k] = least(changed, least(above[k], row[k - 1]) + 1);
      if (i > 1 && k > 1 && a.data[i - 1] == b.data[k - 2] && a.data[i - 2] == b.data[k - 1])
        row[k] = least(row[k], two_above[k - 2] + 1);
    }
  }
  return rows[a.size % 3][b.size];
}

struct ws_suggestion ws_suggest(struct ws_slice wanted) {
  return (struct ws_suggestion){.wanted = wanted, .distance = (wanted.size + 2) / 3 + 1, .from = SIZE_MAX};
}

void ws_offer(struct ws_suggestion *suggestion, struct ws_slice name, size_t from) {
  size_t longest = name.size > suggestion->wanted.size ? name.size : suggestion->wanted.size;
  size_t shortest = name.size + suggestion->wanted.size - longest;
  if (longest > LONGEST_SUGGESTION || longest - shortest >= suggestion->distance)
    return;
  size_t distance = edit_distance(suggestion->wanted, name);
  if (distance >= suggestion->distance)
    return;
  suggestion->name = name;
  suggestion->distance = distance;
  suggestion->from = from;
}
