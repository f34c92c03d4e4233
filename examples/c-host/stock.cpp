// Things that are for sale, each with its own way to its price. They are sorted by the module `sort`, which calls back.

extern "C" {
__attribute__((import_module("sort"), import_name("sort")))
void sort(const void **items, int count, int (*less)(const void *, const void *));

// the host's
__attribute__((import_module("host"), import_name("report"))) void report(const char *name, int price);
}

struct Item {
  const char *name;
  int listed;
  constexpr Item(const char *name, int listed) : name(name), listed(listed) {}
  virtual int price() const { return listed; }
};

struct Reduced : Item {
  using Item::Item;
  int price() const override { return listed / 2; }
};

static const Item bread("bread", 30), salt("salt", 12);
static const Reduced cheese("cheese", 50);
static const Item *items[] = {&bread, &cheese, &salt};

extern "C" __attribute__((export_name("report_stock"))) void report_stock() {
  sort(reinterpret_cast<const void **>(items), 3, [](const void *a, const void *b) -> int {
    return static_cast<const Item *>(a)->price() < static_cast<const Item *>(b)->price();
  });
  for (const Item *item : items)
    report(item->name, item->price());
}

extern "C" __attribute__((export_name("cheapest"))) const char *cheapest() {
  return items[0]->name;
}
