// Expectation values of Pauli words and what they send back.
#pragma once
#include "kernels/kernels.hpp"
#include "kernels/vectors.hpp"

namespace qloom {
namespace {

template <int PARTS, class T>
QLOOM_INLINE Vec<T> squared(const Parts<PARTS, T>& a) {
    if constexpr (PARTS == 1)
        return a[0] * a[0];
    else
        return a[0] * a[0] + a[1] * a[1];
}

template <int PARTS, class T>
void add_weights(const T* psi, size_t cells, Lookup lookup, T* sums) {
    for (size_t i = 0; i < cells; ++i)
        vector(sums + (lookup.index[i] ^ lookup.base) * LANES<T>) += squared(read_parts<PARTS>(psi, i));
}

template <class T>
void add_squares(const T* vectors, size_t count, T* sum) {
    Vec<T> sums[4] = {};
    for (size_t i = 0; i < count; ++i) {
        const Vec<T>& a = vector(vectors + i * LANES<T>);
        sums[i % 4] += a * a;
    }
    vector(sum) += (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

template <int PARTS, class T>
void weigh(const T* psi, T* lambda, size_t cells, Lookup lookup, const T* factors, bool add) {
    for (size_t i = 0; i < cells; ++i) {
        const Vec<T> factor = vector(factors + (lookup.index[i] ^ lookup.base) * LANES<T>);
        const Parts<PARTS, T> a = read_parts<PARTS>(psi, i);
        Parts<PARTS, T> l{};
        if (add) l = read_parts<PARTS>(lambda, i);
        for (int p = 0; p < PARTS; ++p) l[p] += factor * a[p];
        write_parts(lambda, i, l);
    }
}

template <int PARTS, class T>
void measure_word(const T* psi, size_t begin, size_t end, uint64_t x, uint64_t z, uint32_t flip, bool real, T* sum) {
    const LaneFlip<T> flipped(flip);
    Vec<T> sums[2] = {};
    for (size_t i = begin; i < end; ++i) {
        const Parts<PARTS, T> a = read_parts<PARTS>(psi, i), b = read_parts<PARTS>(psi, i ^ x);
        Vec<T>& out = sums[parity(i & z)];
        if constexpr (PARTS == 1)
            out += a[0] * flipped(b[0]);
        else
            out += real ? a[0] * flipped(b[1]) - a[1] * flipped(b[0]) : a[0] * flipped(b[0]) + a[1] * flipped(b[1]);
    }
    vector(sum) += sums[0] - sums[1];
}

template <int PARTS, class T>
void weigh_word(const T* psi, T* lambda, size_t begin, size_t end, uint64_t x, uint64_t z, uint32_t flip, bool real,
                const T* g_) {
    const LaneFlip<T> flipped(flip);
    const Vec<T> g[2] = {vector(g_), -vector(g_)};
    for (size_t i = begin; i < end; ++i) {
        const Vec<T> gi = g[parity(i & z)];
        const Parts<PARTS, T> b = read_parts<PARTS>(psi, i ^ x);
        Parts<PARTS, T> l = read_parts<PARTS>(lambda, i);
        if (PARTS == 1 || !real) {
            for (int p = 0; p < PARTS; ++p) l[p] += gi * flipped(b[p]);
        } else {
            l[0] += gi * flipped(b[PARTS - 1]);
            l[PARTS - 1] -= gi * flipped(b[0]);
        }
        write_parts(lambda, i, l);
    }
}

}  // namespace
}  // namespace qloom
