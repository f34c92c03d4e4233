// Freestanding C++: vtables of virtual bases and construction vtables, pointers to member functions, constructors that
// run before anything is called, and inline variables in COMDATs.

#define EXPORT(name) extern "C" __attribute__((export_name(#name)))

struct Base {
    int n = 1;
    virtual int value() const { return n; }
    virtual int other() const = 0;
};
struct Left : virtual Base {
    int value() const override { return 2 * n; }
};
struct Right : virtual Base {
    int right = 5;
    int other() const override { return right; }
};
struct Bottom final : Left, Right {
    const Base *self;
    Bottom() : self(this) {}
    int value() const override { return right + Left::value(); }
};

template <class T> struct Registry {
    static inline T instance;
    static inline const Base *const pointer = &instance;
};

Bottom global;
Bottom many[3];
int (Base::*const members[])() const = {&Base::value, &Base::other};
const Base *const list[] = {&global, Registry<Bottom>::pointer, &many[2], nullptr};

// The symbols that the C++ library would define.
extern "C" void __cxa_pure_virtual() { __builtin_trap(); }
extern "C" void __wasm_call_ctors();

EXPORT(start) void start() { __wasm_call_ctors(); }
EXPORT(value) int value(unsigned i) { return list[i & 3]->value() + (list[i & 1]->*members[i & 1])(); }
EXPORT(self) const void *self() { return global.self; }
EXPORT(adjust) const void *adjust(const Bottom *bottom) { return static_cast<const Right *>(bottom); }
