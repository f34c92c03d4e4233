// Sorts what others have, by their rule: the items and the rule are pointers into the caller's module.

typedef int (*less)(const void *a, const void *b);

__attribute__((export_name("sort"))) void sort(const void **items, int count, less less) {
  for (int i = 1; i < count; i++)
    for (int k = i; k > 0 && less(items[k], items[k - 1]); k--) {
      const void *item = items[k];
      items[k] = items[k - 1];
      items[k - 1] = item;
    }
}
