// What csmith's programs with floating-point numbers may use.
float fabsf(float value);
double fabs(double value);
