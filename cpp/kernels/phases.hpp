// Diagonal rotations that all samples share, by a table over the values of a few linear forms; what norms are kept
// with.
#pragma once
#include "kernels/kernels.hpp"
#include "kernels/vectors.hpp"

namespace qloom {
namespace {

template <bool BROADCAST, class T>
QLOOM_INLINE Cell<T> entry(const T* table, uint32_t index) {
    if constexpr (BROADCAST) return {broadcast(table[2 * index]), broadcast(table[2 * index + 1])};
    return load(table, index * size_t(CELL_BYTES));
}

template <class T>
QLOOM_INLINE Cell<T> product(const Cell<T>& a, const Cell<T>& b) {
    return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

// exp(i a / 2) of cell i, all tables together.
template <int TABLES, bool BROADCAST, class T>
QLOOM_INLINE Cell<T> phase_at(const Phases<T>& p, size_t i) {
    Cell<T> out = entry<BROADCAST, T>(p.table[0], p.lookup[0].index[i] ^ p.lookup[0].base);
#pragma GCC unroll 4
    for (int k = 1; k < TABLES; ++k)
        out = product<T>(out, entry<BROADCAST, T>(p.table[k], p.lookup[k].index[i] ^ p.lookup[k].base));
    return out;
}

template <int TABLES, bool BROADCAST, class T>
void phase_of(T* psi, size_t cells, const Phases<T>& phases) {
    const Phases<T> p = phases;
    for (size_t i = 0; i < cells; ++i) {
        const Cell<T> turn = phase_at<TABLES, BROADCAST, T>(p, i);
        const Cell<T> a = load(psi, i * CELL_BYTES);
        store(psi, i * CELL_BYTES, turn.re * a.re + turn.im * a.im, turn.re * a.im - turn.im * a.re);
    }
}

template <int TABLES, bool BROADCAST, bool SLOPES, class T>
void unphase_of(T* psi, T* lambda, size_t cells, const Phases<T>& phases, const T* weight_) {
    const Phases<T> p = phases;
    const Vec<T> weight = SLOPES ? vector(weight_) : Vec<T>{};
    for (size_t i = 0; i < cells; ++i) {
        const Cell<T> turn = phase_at<TABLES, BROADCAST, T>(p, i);
        const Cell<T> a = load(psi, i * CELL_BYTES), l = load(lambda, i * CELL_BYTES);
        if constexpr (SLOPES) {
            const Vec<T> slope = weight * (l.re * a.im - l.im * a.re);
#pragma GCC unroll 4
            for (int k = 0; k < TABLES; ++k)
                vector(p.sums[k] + (p.lookup[k].index[i] ^ p.lookup[k].base) * LANES<T>) += slope;
        }
        const Cell<T> before = product<T>(turn, a), lambda_before = product<T>(turn, l);
        store(psi, i * CELL_BYTES, before.re, before.im);
        store(lambda, i * CELL_BYTES, lambda_before.re, lambda_before.im);
    }
}

template <class T>
void phase(T* psi, size_t cells, const Phases<T>& p) {
    static constexpr decltype(&phase_of<1, true, T>) OF[MOST_TABLES][2] = {
        {phase_of<1, false, T>, phase_of<1, true, T>},
        {phase_of<2, false, T>, phase_of<2, true, T>},
        {phase_of<3, false, T>, phase_of<3, true, T>}};
    OF[p.count - 1][p.broadcast](psi, cells, p);
}

template <bool SLOPES, class T>
struct Unphase {
    static constexpr decltype(&unphase_of<1, true, SLOPES, T>) OF[MOST_TABLES][2] = {
        {unphase_of<1, false, SLOPES, T>, unphase_of<1, true, SLOPES, T>},
        {unphase_of<2, false, SLOPES, T>, unphase_of<2, true, SLOPES, T>},
        {unphase_of<3, false, SLOPES, T>, unphase_of<3, true, SLOPES, T>}};
};

template <class T>
void unphase(T* psi, T* lambda, size_t cells, const Phases<T>& p, const T* weight) {
    (weight ? Unphase<true, T>::OF : Unphase<false, T>::OF)[p.count - 1][p.broadcast](psi, lambda, cells, p, weight);
}

template <class T>
void scale(T* vectors, size_t count, const T* factor_) {
    const Vec<T> factor = vector(factor_);
    for (size_t i = 0; i < count; ++i) vector(vectors + i * LANES<T>) *= factor;
}

template <class T>
bool exceeds(T* norm_, const T* const* factors, size_t count, T most) {
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
