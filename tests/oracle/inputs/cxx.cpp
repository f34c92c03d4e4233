// What a C++ compiler and libc++ put into memory that holds addresses: vtables with and without virtual bases,
// typeinfo, pointers to members, static constructors, guards, and the library's own tables.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <typeinfo>
#include <vector>

#define EXPORT(name) extern "C" __attribute__((export_name(#name)))

namespace {

struct Shape {
    virtual ~Shape() = default;
    virtual double area() const = 0;
    virtual const char *name() const { return "shape"; }
};
struct Named : virtual Shape {
    std::string label;
    explicit Named(std::string text) : label(std::move(text)) {}
    const char *name() const override { return label.c_str(); }
};
struct Sized : virtual Shape {
    double side = 2;
};
struct Square final : Named, Sized {
    Square() : Named("a square whose name does not fit into a small string") {}
    double area() const override { return side * side; }
};
struct Circle final : Shape {
    double area() const override { return 3; }
};

// Constructed before main, with and without an address in what they construct.
std::map<std::string, std::function<int(int)>> registry = {
    {"twice", [](int n) { return 2 * n; }},
    {"square", [](int n) { return n * n; }},
};
const std::vector<std::unique_ptr<Shape>> &shapes() {
    static std::vector<std::unique_ptr<Shape>> list;
    if (list.empty()) {
        list.push_back(std::make_unique<Square>());
        list.push_back(std::make_unique<Circle>());
    }
    return list;
}

double (Shape::*const virtual_member)() const = &Shape::area;
std::string Named::*const data_member = &Named::label;
const std::type_info *const types[] = {&typeid(Square), &typeid(Circle), &typeid(int), &typeid(Shape *)};

} // namespace

EXPORT(area) double area(unsigned i) { return (shapes()[i % 2].get()->*virtual_member)(); }
EXPORT(name) const char *name(unsigned i) { return shapes()[i % 2]->name(); }
EXPORT(type) const char *type(unsigned i) {
    const Shape &shape = *shapes()[i % 2];
    return i > 3 ? typeid(shape).name() : types[i]->name();
}
EXPORT(is_named) bool is_named(unsigned i) { return dynamic_cast<Named *>(shapes()[i % 2].get()) != nullptr; }
EXPORT(call) int call(const char *key, int n) {
    auto found = registry.find(key);
    return found == registry.end() ? -1 : found->second(n);
}
EXPORT(format) int format(char *text, int size, double value) {
    std::string number = std::to_string(value);
    return std::snprintf(text, size, "%s=%g (%s)", (Square().*data_member).c_str(), value, number.c_str());
}
EXPORT(write) int write(const char *text) { return std::puts(text); }
EXPORT(insert) int insert(const char *key, int factor) {
    registry[key] = [factor](int n) { return n * factor; };
    return static_cast<int>(registry.size());
}
EXPORT(sort) int sort(int n) {
    std::vector<std::string> words;
    for (int i = 0; i < n; ++i) words.push_back(std::to_string(n - i));
    std::stable_sort(words.begin(), words.end());
    return std::stoi(words.at(0));
}
EXPORT(round) double round_number(const char *text) { return std::strtod(text, nullptr); }
#ifdef COMMAND // a program instead of a library
int main(int argc, char **argv) { return argc > 1 ? call(argv[1], argc) : 0; }
#endif
