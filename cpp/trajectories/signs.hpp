// What is measured of a trajectory, with the signs that its errors leave.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "trajectories/errors.hpp"

namespace qloom::trajectories {

// Words that are added to outputs, a sign each; or bits of the outcomes whose probabilities are the outputs.
struct Measured {
    std::vector<uint32_t> output;  // of each word; empty for outcomes
    size_t n_outputs;
    size_t n_bits = 0;  // of an outcome, the last first

    bool of_outcomes() const { return output.empty() && n_bits > 0; }
    size_t n_values() const { return of_outcomes() ? n_outputs : output.size(); }  // of a row
    size_t n_signs() const { return Errors::numbers(of_outcomes() ? n_bits : output.size()); }
};

// Adds values (D, V) of distinct rows, found by `places` (rows,), to the means and the sums of squared differences from
// them (samples, O) of the trajectories before, `rows.first` many. Squares may be null. Source: Welford 1962.
template <class T>
void add_values(const Measured&, const Rows&, const T* values, const int64_t* places, const uint64_t* signs,
                double* means, double* squares);

// Cotangents (D, V) of distinct rows: the sums of those (samples, O) of their trajectories, signed, over `rows.all`.
// Where `row_values` is not null, (rows,), sum_o cotangent_o value_o of every row.
template <class T>
void spread_cotangents(const Measured&, const Rows&, const T* cotangents, const int64_t* places, const uint64_t* signs,
                       size_t n_distinct, T* out);
template <class T>
void weigh_values(const Measured&, const Rows&, const T* cotangents, const T* values, const int64_t* places,
                  const uint64_t* signs, double* row_values);

}  // namespace qloom::trajectories
