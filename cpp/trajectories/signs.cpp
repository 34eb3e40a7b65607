#include "trajectories/signs.hpp"

#include <algorithm>
#include <vector>

namespace qloom::trajectories {
namespace {

bool is_set(const uint64_t* bits, size_t k) { return bits[k / 64] >> (k % 64) & 1; }

// take(output, value number, sign) for all that is measured of a row.
template <class Take>
void over_values(const Measured& measured, const uint64_t* signs, const Take& take) {
    if (measured.of_outcomes()) {
        for (size_t i = 0; i < measured.n_outputs; ++i) take(i ^ signs[0], i, 1);
    } else {
        for (size_t t = 0; t < measured.output.size(); ++t) take(measured.output[t], t, is_set(signs, t) ? -1 : 1);
    }
}

}  // namespace

template <class T>
void add_values(const Measured& measured, const Rows& rows, const T* values, const int64_t* places,
                const uint64_t* signs, double* means, double* squares) {
    std::vector<double> one(measured.n_outputs);
    for (size_t row = 0; row < rows.size(); ++row) {
        const T* mine = values + size_t(places[row]) * measured.n_values();
        std::fill(one.begin(), one.end(), 0.0);
        over_values(measured, signs + row * measured.n_signs(),
                    [&](size_t o, size_t v, int sign) { one[o] += sign * double(mine[v]); });
        const size_t start = row / rows.count * measured.n_outputs;
        const double n = double(rows.first + row % rows.count + 1);
        for (size_t o = 0; o < measured.n_outputs; ++o) {
            const double before = one[o] - means[start + o];
            means[start + o] += before / n;
            if (squares) squares[start + o] += before * (one[o] - means[start + o]);
        }
    }
}

template <class T>
void spread_cotangents(const Measured& measured, const Rows& rows, const T* cotangents, const int64_t* places,
                       const uint64_t* signs, size_t n_distinct, T* out) {
    const size_t n = measured.n_values();
    std::vector<double> sums(n_distinct * n, 0.0);
    for (size_t row = 0; row < rows.size(); ++row) {
        const T* given = cotangents + row / rows.count * measured.n_outputs;
        double* mine = sums.data() + size_t(places[row]) * n;
        over_values(measured, signs + row * measured.n_signs(),
                    [&](size_t o, size_t v, int sign) { mine[v] += sign * double(given[o]); });
    }
    for (size_t k = 0; k < sums.size(); ++k) out[k] = T(sums[k] / double(rows.all));
}

template <class T>
void weigh_values(const Measured& measured, const Rows& rows, const T* cotangents, const T* values,
                  const int64_t* places, const uint64_t* signs, double* row_values) {
    for (size_t row = 0; row < rows.size(); ++row) {
        const T* given = cotangents + row / rows.count * measured.n_outputs;
        const T* mine = values + size_t(places[row]) * measured.n_values();
        double sum = 0;
        over_values(measured, signs + row * measured.n_signs(),
                    [&](size_t o, size_t v, int sign) { sum += sign * double(given[o]) * double(mine[v]); });
        row_values[row] = sum;
    }
}

template void add_values(const Measured&, const Rows&, const float*, const int64_t*, const uint64_t*, double*, double*);
template void add_values(const Measured&, const Rows&, const double*, const int64_t*, const uint64_t*, double*,
                         double*);
template void spread_cotangents(const Measured&, const Rows&, const float*, const int64_t*, const uint64_t*, size_t,
                                float*);
template void spread_cotangents(const Measured&, const Rows&, const double*, const int64_t*, const uint64_t*, size_t,
                                double*);
template void weigh_values(const Measured&, const Rows&, const float*, const float*, const int64_t*, const uint64_t*,
                           double*);
template void weigh_values(const Measured&, const Rows&, const double*, const double*, const int64_t*, const uint64_t*,
                           double*);

}  // namespace qloom::trajectories
