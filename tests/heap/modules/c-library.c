// The allocator of whatever C library it is linked with, or of another module.
#define C_LIBRARY
#include "allocator.h"
