// Outcomes drawn from a table of probabilities.
#pragma once
#include <cstddef>
#include <cstdint>

namespace qloom {

// The outcome at each place: the first whose probability, added to all before it, exceeds place * sum.
// n probabilities, a power of two; places in [0, 1).
template <class T>
void draw(const T* probabilities, size_t n, const double* places, size_t shots, int64_t* outcomes);

}  // namespace qloom
