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
    if (used < (schedule.lane_bits ? 1 : lanes)) std::memset(psi, 0, cells * 2 * lanes * sizeof(T));
    over_ranges(size, [&](size_t begin, size_t end, size_t) {
        over_rows(begin, end, [&](size_t from, size_t to, size_t sample) {
            const T* row = batch.inputs + (first + sample) * program.n_inputs;
            for (size_t i = from; i < to; ++i) {
                const bool given = program.real_column >= 0;
                T* at = psi + position(i, sample);
                at[0] = given ? row[program.real_column + i] : T(program.initial[i]);
                at[lanes] = given ? (program.imaginary_column >= 0 ? row[program.imaginary_column + i] : T(0))
                                  : T(program.initial[size + i]);
            }
        });
    });
    sum_squares(norm_at_start);
}

template <class T>
void Tile<T>::grow() {
    std::memset(psi, 0, 2 * lanes * sizeof(T));
    for (size_t lane = 0; lane < (schedule.lane_bits ? 1 : lanes); ++lane) psi[lane] = 1;
    size_t filled = 1;
    for (size_t r = 0; r < coordinates.growths; ++r) {
        const Word& word = coordinates.rotations[r];
        if (r < schedule.lane_bits) {
            grow_lanes(r);
        } else {
            over_ranges(filled, [&](size_t begin, size_t end, size_t) {
                kernel.grow(psi, begin, end, filled, schedule.on_cells(word).z, word.real, turn[r]);
            });
            filled *= 2;
        }
    }
    std::memset(cell(psi, filled), 0, (cells - filled) * 2 * lanes * sizeof(T));
}

// The first bits lie within the first cell.
template <class T>
void Tile<T>::grow_lanes(size_t r) {
    const T* s = turn[r];
    T *re = psi, *im = psi + lanes;
    const size_t top = size_t(1) << r;
    for (size_t a = 0, b = top; a < top; ++a, ++b) {
        const bool real = coordinates.rotations[r].real;
        re[b] = s[b] * (real ? re[a] : im[a]);
        im[b] = s[b] * (real ? im[a] : -re[a]);
        re[a] *= s[2 * lanes], im[a] *= s[2 * lanes];
    }
}

template <class T>
void Tile<T>::ungrow_lanes(size_t r, T* sum) {
    const T* s = turn[r];
    const T c = s[2 * lanes];
    T *re = psi, *im = psi + lanes, *lre = lambda, *lim = lambda + lanes;
    const size_t top = size_t(1) << r;
    const bool real = coordinates.rotations[r].real;
    const auto slope = [&](size_t at, size_t partner) {
        return real ? lre[at] * re[partner] + lim[at] * im[partner] : lre[at] * im[partner] - lim[at] * re[partner];
    };
    for (size_t a = 0, b = top; a < top; ++a, ++b) {
        sum[a] += slope(a, b), sum[b] += slope(b, a);
        const T from_re = real ? re[b] : im[b], from_im = real ? im[b] : -re[b];
        const T from_lre = real ? lre[b] : lim[b], from_lim = real ? lim[b] : -lre[b];
        re[a] = c * re[a] - s[a] * from_re, im[a] = c * im[a] - s[a] * from_im;
        lre[a] = c * lre[a] - s[a] * from_lre, lim[a] = c * lim[a] - s[a] * from_lim;
    }
}

template <class T>
void Tile<T>::ungrow(size_t first_wanted) {
    const size_t step = schedule.steps.size();
    for (size_t r = coordinates.growths; r-- > first_wanted;) {
        if (r < schedule.lane_bits) {
            alignas(64) T sum[16] = {};
            ungrow_lanes(r, sum);
            add_sum(0, r, sum, step);
            continue;
        }
        const Word& word = coordinates.rotations[r];
        const size_t below = size_t(1) << (r - schedule.lane_bits);
        over_ranges(below, [&](size_t begin, size_t end, size_t range) {
            alignas(64) T sum[16] = {};
            kernel.ungrow(psi, lambda, begin, end, below, schedule.on_cells(word).z, word.real, turn[r], sum);
            add_sum(range, r, sum, step);
        });
    }
}

template <class T>
void Tile<T>::give_amplitudes(const Gradient<T>& gradient) const {
    over_rows(0, program.size(), [&](size_t from, size_t to, size_t sample) {
        T* row = gradient.d_inputs + (first + sample) * program.n_inputs;
        const T factor = T(2 * drift[lane_of(sample)] / lambda_growth[lane_of(sample)]);
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
