// Expectation values of Pauli words and what they send back.
#pragma once
#include "kernels/vectors.hpp"

namespace qloom {
namespace {

template <class T>
void add_weights(const T* psi, size_t cells, Lookup lookup, T* sums) {
    for (size_t i = 0; i < cells; ++i) {
        const Cell<T> a = load(psi, i * CELL_BYTES);
        vector(sums + (lookup.index[i] ^ lookup.base) * LANES<T>) += a.re * a.re + a.im * a.im;
    }
}

template <class T>
void add_squares(const T* psi, size_t cells, T* sum) {
    Vec<T> sums[4] = {};
    for (size_t i = 0; i < cells; ++i) {
        const Cell<T> a = load(psi, i * CELL_BYTES);
        sums[i % 4] += a.re * a.re + a.im * a.im;
    }
    vector(sum) += (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

template <class T>
void weigh(const T* psi, T* lambda, size_t cells, Lookup lookup, const T* factors, bool add) {
    for (size_t i = 0; i < cells; ++i) {
        const Vec<T> factor = vector(factors + (lookup.index[i] ^ lookup.base) * LANES<T>);
        const Cell<T> a = load(psi, i * CELL_BYTES);
        if (add) {
            const Cell<T> l = load(lambda, i * CELL_BYTES);
            store(lambda, i * CELL_BYTES, l.re + factor * a.re, l.im + factor * a.im);
        } else {
            store(lambda, i * CELL_BYTES, factor * a.re, factor * a.im);
        }
    }
}

template <class T>
void measure_word(const T* psi, size_t begin, size_t end, uint64_t x, uint64_t z, uint32_t flip, bool real, T* sum) {
    const LaneFlip<T> flipped(flip);
    Vec<T> sums[2] = {};
    for (size_t i = begin; i < end; ++i) {
        const Cell<T> a = load(psi, i * CELL_BYTES), b = flipped(load(psi, (i ^ x) * CELL_BYTES));
        sums[parity(i & z)] += real ? a.re * b.im - a.im * b.re : a.re * b.re + a.im * b.im;
    }
    vector(sum) += sums[0] - sums[1];
}

template <class T>
void weigh_word(const T* psi, T* lambda, size_t begin, size_t end, uint64_t x, uint64_t z, uint32_t flip, bool real,
                const T* g_) {
    const LaneFlip<T> flipped(flip);
    const Vec<T> g[2] = {vector(g_), -vector(g_)};
    for (size_t i = begin; i < end; ++i) {
        const Vec<T> gi = g[parity(i & z)];
        const Cell<T> b = flipped(load(psi, (i ^ x) * CELL_BYTES)), l = load(lambda, i * CELL_BYTES);
        if (real)
            store(lambda, i * CELL_BYTES, l.re + gi * b.im, l.im - gi * b.re);
        else
            store(lambda, i * CELL_BYTES, l.re + gi * b.re, l.im + gi * b.im);
    }
}

}  // namespace
}  // namespace qloom
