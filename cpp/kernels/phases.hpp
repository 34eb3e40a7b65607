// Diagonal rotations that all samples share, by a table over the values of a few linear forms; what norms are kept
// with.
#pragma once
#include "vectors.hpp"

namespace qloom {
namespace {

template <bool BROADCAST, class T>
QLOOM_INLINE Cell<T> entry(const T* table, uint32_t index) {
    if constexpr (BROADCAST) return {broadcast(table[2 * index]), broadcast(table[2 * index + 1])};
    return load(table, index * size_t(CELL_BYTES));
}

template <bool BROADCAST, class T>
void phase_of(T* psi, size_t cells, Lookup lookup, const T* table) {
    for (size_t i = 0; i < cells; ++i) {
        const Cell<T> turn = entry<BROADCAST, T>(table, lookup.index[i] ^ lookup.base);
        const Cell<T> a = load(psi, i * CELL_BYTES);
        store(psi, i * CELL_BYTES, turn.re * a.re + turn.im * a.im, turn.re * a.im - turn.im * a.re);
    }
}

template <bool BROADCAST, class T>
void unphase_of(T* psi, T* lambda, size_t cells, Lookup lookup, const T* table, const T* weight_, T* sums) {
    const Vec<T> weight = vector(weight_);
    for (size_t i = 0; i < cells; ++i) {
        const uint32_t index = lookup.index[i] ^ lookup.base;
        const Cell<T> turn = entry<BROADCAST, T>(table, index);
        const Cell<T> a = load(psi, i * CELL_BYTES), l = load(lambda, i * CELL_BYTES);
        vector(sums + index * LANES<T>) += weight * (l.re * a.im - l.im * a.re);
        store(psi, i * CELL_BYTES, turn.re * a.re - turn.im * a.im, turn.re * a.im + turn.im * a.re);
        store(lambda, i * CELL_BYTES, turn.re * l.re - turn.im * l.im, turn.re * l.im + turn.im * l.re);
    }
}

template <class T>
void phase(T* psi, size_t cells, Lookup lookup, const T* table, bool broadcast) {
    broadcast ? phase_of<true>(psi, cells, lookup, table) : phase_of<false>(psi, cells, lookup, table);
}

template <class T>
void unphase(T* psi, T* lambda, size_t cells, Lookup lookup, const T* table, bool broadcast, const T* weight, T* sums) {
    broadcast ? unphase_of<true>(psi, lambda, cells, lookup, table, weight, sums)
              : unphase_of<false>(psi, lambda, cells, lookup, table, weight, sums);
}

template <class T>
void scale(T* psi, size_t cells, const T* factor_) {
    const Vec<T> factor = vector(factor_);
    for (size_t i = 0; i < cells; ++i) {
        const Cell<T> a = load(psi, i * CELL_BYTES);
        store(psi, i * CELL_BYTES, a.re * factor, a.im * factor);
    }
}

template <class T>
bool outgrow(T* norm_, const T* const* factors, size_t count, T most) {
    Vec<T>& norm = vector(norm_);
    Vec<T> after = norm;
    for (size_t k = 0; k < count; ++k) after *= vector(factors[k]);
    const auto over = (after > most) | (after < -most);
    bool any = false;
    for (int lane = 0; lane < LANES<T>; ++lane) any |= over[lane] != 0;
    if (!any) norm = after;
    return any;
}

template <class T>
void add_lanes(const T* vectors, size_t count, double* out) {
    for (size_t i = 0; i < count; ++i) {
        const Vec<T> v = vector(vectors + i * LANES<T>);
        T sum[4] = {};
#pragma GCC unroll 16
        for (int lane = 0; lane < LANES<T>; ++lane) sum[lane % 4] += v[lane];
        out[i] += (sum[0] + sum[1]) + (sum[2] + sum[3]);
    }
}

}  // namespace
}  // namespace qloom
