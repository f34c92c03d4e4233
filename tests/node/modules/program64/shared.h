inline long count = 40;
struct Error {
  long code;
};
long down(long), up(long); // call each other
long chosen(long);
extern long (*const pointer)(long);
long caught(long);
