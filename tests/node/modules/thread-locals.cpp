// One of two modules of one program, with threads: what C++ makes one variable is one in each thread.

#define JOIN(a, b) a##b
#define NAME(prefix, name) JOIN(prefix, name)
#define EXPORT(name) __attribute__((visibility("default"))) NAME(SIDE, name)

inline thread_local int shared = 5;
template <class T> struct Each { static thread_local T value; };
template <class T> thread_local T Each<T>::value = T(40);
inline int total;
inline int constructed();
inline thread_local int made = constructed(); // when it is first used
inline int constructed() { return __atomic_add_fetch(&total, 1, __ATOMIC_SEQ_CST) ? 9 : 0; }

thread_local int NAME(SIDE, own)[SIZE] = {SIZE};
char NAME(SIDE, padding)[50 * SIZE] = {1}; // so that the distance between the modules' variables is another than in threads

extern "C" {
int *EXPORT(_shared)() { return &shared; }
int EXPORT(_step)() { return ++shared * 100 + ++Each<int>::value; }
int EXPORT(_own)() { return NAME(SIDE, own)[0]++ + NAME(SIDE, padding)[0]; }
int EXPORT(_made)() { return made; }
int EXPORT(_total)() { return total; }
}
