// How the states of a tile start, from given amplitudes or as products grown from |0>, and the walk back to there.
#include <algorithm>

#include "statevector/tile.hpp"

namespace qloom {

template <class T>
void Tile<T>::start() {
    if (!program.starts_from_zero()) return take_amplitudes();
    grow();
    std::fill_n(norm_at_start, lanes, 1.0);
}

template <class T>
void Tile<T>::take_amplitudes() {
    const size_t size = program.size();
    if (used < (schedule.lane_bits ? 1 : lanes)) std::memset(psi, 0, cells * stride * sizeof(T));
    over_ranges(size, [&](size_t begin, size_t end, size_t) {
        over_rows(begin, end, [&](size_t from, size_t to, size_t sample) {
            const T* row = batch.inputs + (first + sample) * program.n_inputs;
            for (size_t i = from; i < to; ++i) {
                const bool given = program.real_column >= 0;
                T* at = psi + position(i, sample);
                at[0] = given ? row[program.real_column + i] : T(program.initial[i]);
                if (is_real) continue;
                at[lanes] = given ? (program.imaginary_column >= 0 ? row[program.imaginary_column + i] : T(0))
                                  : T(program.initial[size + i]);
            }
        });
    });
    sum_squares(norm_at_start);
}

template <class T>
void Tile<T>::grow() {
    std::memset(psi, 0, stride * sizeof(T));
    for (size_t lane = 0; lane < (schedule.lane_bits ? 1 : lanes); ++lane) psi[lane] = 1;
    size_t filled = 1;
    for (size_t r = 0; r < coordinates.growths; ++r) {
        const Word& word = coordinates.rotations[r];
        if (r < schedule.lane_bits) {
            grow_lanes(r);
        } else {
            over_ranges(filled, [&](size_t begin, size_t end, size_t) {
                of_cells.grow(psi, begin, end, filled, schedule.on_cells(word).z, word.real, turn[r]);
            });
            filled *= 2;
        }
    }
    std::memset(cell(psi, filled), 0, (cells - filled) * stride * sizeof(T));
}

// The first bits lie within the first cell.
template <class T>
void Tile<T>::grow_lanes(size_t r) {
    const T* s = turn[r];
    const size_t top = size_t(1) << r;
    for (size_t a = 0, b = top; a < top; ++a, ++b) {
        const Parts grown = turned(psi, r, a);
        for (size_t p = 0; p < stride; p += lanes) psi[p + b] = s[b] * grown[p / lanes], psi[p + a] *= s[2 * lanes];
    }
}

template <class T>
void Tile<T>::ungrow_lanes(size_t r, T* sum) {
    const T* s = turn[r];
    const T c = s[2 * lanes];
    const size_t top = size_t(1) << r;
    for (size_t a = 0, b = top; a < top; ++a, ++b) {
        const Parts at_a = turned(psi, r, b), at_b = turned(psi, r, a), lambda_at_a = turned(lambda, r, b);
        for (size_t p = 0, part = 0; p < stride; p += lanes, ++part) {
            sum[a] += lambda[p + a] * at_a[part], sum[b] += lambda[p + b] * at_b[part];
            psi[p + a] = c * psi[p + a] - s[a] * at_a[part];
            lambda[p + a] = c * lambda[p + a] - s[a] * lambda_at_a[part];
        }
    }
}

// What rotation r's K makes of the amplitude in a lane of the first cell, but for a sign.
template <class T>
typename Tile<T>::Parts Tile<T>::turned(const T* state, size_t r, size_t lane) const {
    if (is_real) return {state[lane], 0};
    const T re = state[lane], im = state[lanes + lane];
    return coordinates.rotations[r].real ? Parts{re, im} : Parts{im, -re};
}

template <class T>
void Tile<T>::ungrow(size_t first_wanted) {
    const size_t step = schedule.steps.size();
    for (size_t r = coordinates.growths; r-- > first_wanted;) {
        if (r < schedule.lane_bits) {
            alignas(64) T sum[MOST_LANES] = {};
            ungrow_lanes(r, sum);
            add_sum(0, r, sum, step);
            continue;
        }
        const Word& word = coordinates.rotations[r];
        const size_t below = size_t(1) << (r - schedule.lane_bits);
        over_ranges(below, [&](size_t begin, size_t end, size_t range) {
            alignas(64) T sum[MOST_LANES] = {};
            of_cells.ungrow(psi, lambda, begin, end, below, schedule.on_cells(word).z, word.real, turn[r], sum);
            add_sum(range, r, sum, step);
        });
    }
}

template <class T>
void Tile<T>::give_amplitudes(const Gradient<T>& gradient) const {
    over_rows(0, program.size(), [&](size_t from, size_t to, size_t sample) {
        T* row = gradient.d_inputs + (first + sample) * program.n_inputs;
        const T factor = T(2 * drift[lane_of(sample)] / norms().lambda()[lane_of(sample)]);
        for (size_t i = from; i < to; ++i) {
            const T* at = lambda + position(i, sample);
            row[program.real_column + i] += factor * at[0];
            if (program.imaginary_column >= 0) row[program.imaginary_column + i] += factor * at[lanes];
        }
    });
}

template class Tile<float>;
template class Tile<double>;

}  // namespace qloom
