// A walk over the variables of a linear program of whole numbers that mends broken rows one by one.
#pragma once
#include <cstddef>
#include <cstdint>

namespace qloom {

// low <= A x <= high, lower <= x <= upper; A (m, n) by rows and by columns. The last row is the objective.
struct LinearRows {
    size_t m, n;
    const int64_t* starts;
    const int32_t* variables;
    const double* factors;
    const int64_t* column_starts;
    const int32_t* column_rows;
    const double* column_factors;
    const double *low, *high;
    const double* units;  // weights of the rows to begin with
    const double* slack;  // by which a row may be missed
    const double *lower, *upper;
    const uint8_t* kinds;  // of the variables
};
enum Kind : uint8_t { CONTINUOUS, WHOLE, SPIN };

struct RowWalk {
    size_t moves;         // at most
    double step, lowest;  // what a better objective is better by, 0 for a share of it; and the one to be beaten
    bool with_objective;  // else the first solution that meets all rows is the last
    uint64_t seed;
};

// From `best` (n), which is written over by solutions that meet all rows, each better than the one before; the
// objective of the last one, or `lowest` where there is none.
double walk_rows(const LinearRows&, const RowWalk&, double* best);

}  // namespace qloom
