// What pic-threads.c uses.
_Thread_local int far_away = 40;
int of_all[2] = {7, 100};
