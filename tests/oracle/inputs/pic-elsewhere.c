// What pic.c reaches through its GOT.
int elsewhere = 9;
int elsewhere_function(int n) { return n ^ elsewhere; }
