// Thread-local variables of another object's, by the GOT; and one that points to a variable of all threads.

#define EXPORT(name) __attribute__((export_name(#name))) name

extern _Thread_local int far_away;
extern int of_all[2];
_Thread_local int before[3] = {1, 2, 3};
_Thread_local int *pointer = &of_all[1];

int EXPORT(add)(int n) { return far_away += n; }
int *EXPORT(where)(void) { return &far_away; }
int EXPORT(pointed)(void) { return ++*pointer + before[2]; }
