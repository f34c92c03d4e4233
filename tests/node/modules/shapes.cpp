// C++ as people write it: virtual functions, constructors of static objects, strings, containers, run-time
// types.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#define EXPORT(name) extern "C" __attribute__((export_name(#name)))

namespace {

struct shape {
  virtual ~shape() = default;
  virtual double area() const = 0;
  virtual const char *name() const { return "shape"; }
};

struct square : shape {
  explicit square(double side) : side(side) {}
  double area() const override { return side * side; }
  const char *name() const override { return "square"; }
  double side;
};

struct named {
  virtual ~named() = default;
  virtual std::string label() const { return "no label"; }
};

// Two bases: calls through the second go through a thunk.
struct flag : square, named {
  flag(double side, std::string text) : square(side), text(std::move(text)) {}
  double area() const override { return square::area() / 2; }
  std::string label() const override { return text + " flag"; }
  std::string text;
};

// A static object with a constructor that runs before anything else, registered in another one.
std::map<std::string, std::function<std::unique_ptr<shape>()>> &factories() {
  static std::map<std::string, std::function<std::unique_ptr<shape>()>> all;
  return all;
}

int constructed;

struct registration {
  registration(const char *name, std::function<std::unique_ptr<shape>()> make) {
    factories()[name] = std::move(make);
    constructed++;
  }
};

const registration first("square", [] { return std::make_unique<square>(3); });
const registration second("flag", [] { return std::make_unique<flag>(4, "red"); });

std::string answer;

using member = double (shape::*)() const;
constexpr member members[] = {&shape::area};

} // namespace

EXPORT(constructed_objects) int constructed_objects() {
  return constructed;
}

EXPORT(describe) const char *describe() {
  std::vector<std::unique_ptr<shape>> shapes;
  for (const auto &[name, make] : factories())
    shapes.push_back(make());
  std::sort(shapes.begin(), shapes.end(), [](const auto &a, const auto &b) { return a->area() > b->area(); });

  answer.clear();
  for (const auto &one : shapes) {
    answer += std::string(one->name()) + " " + std::to_string((int)(one.get()->*members[0])());
    if (const auto *labelled = dynamic_cast<const named *>(one.get()))
      answer += " (" + labelled->label() + ")";
    answer += "; ";
  }
  return answer.c_str();
}

// The virtual table's address, as an object carries it.
EXPORT(virtual_table) const void *virtual_table() {
  static const square one(1);
  return *reinterpret_cast<const void *const *>(&one);
}
