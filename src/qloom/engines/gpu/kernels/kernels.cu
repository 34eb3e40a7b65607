// All kernels, for one kind of number, one or two components an amplitude and so many amplitudes a thread: QLOOM_T,
// COMPONENTS and REGISTER_BITS are given to the compiler.
#include "draw.h"
#include "state.h"
