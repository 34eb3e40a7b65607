// What the machine can do at most, measured now: the yardstick of every benchmark.
#pragma once
#include <cstddef>

namespace qloom {

// Float32 fused multiply-adds a second of a loop that stays in registers, with the widest vectors of this processor,
// all threads together.
double fma_rate(int threads, double seconds);

// Bytes a second, read and written, of a copying loop in which each thread has `bytes` of memory of its own, half
// source and half target; all threads together.
double copy_rate(size_t bytes, int threads, double seconds);

}  // namespace qloom
