// Quadratic assignments: sum_ij flows_ij distances_{s_i s_j} over permutations s.
#pragma once
#include <cstddef>
#include <cstdint>

namespace qloom {

// Robust tabu search over exchanges of two locations, for so many moves: always the best one that is
// allowed, from `best` (n), which is written over by what is lower by more than a share `tolerance`. Flows and
// distances are (n, n).
void exchange_locations(size_t n, const double* flows, const double* distances, size_t moves, double tolerance,
                        uint64_t seed, int32_t* best);

}  // namespace qloom
