// Rotations on a block, up to three in one walk, forward and undone.
#pragma once
#include "vectors.hpp"

namespace qloom {
namespace {

template <class T>
QLOOM_INLINE Vec<T>& at(T* state, uint32_t bytes) {
    return *reinterpret_cast<Vec<T>*>(reinterpret_cast<char*>(state) + bytes);
}

template <class T>
QLOOM_INLINE Vec<T> signed_turn(const T* t, unsigned minus) {
    return vector(t + minus * LANES<T>);
}

// Keeps the compiler from holding in registers what it can load again: there are too few of them.
QLOOM_INLINE void forget() { asm volatile("" ::: "memory"); }

constexpr bool crossed(int cross, int j, int k) { return cross >> (j + k - 1) & 1; }

// Whether word k has the other sign at member e of a group than at its first.
constexpr bool minus_at(int words, int cross, int k, int e) {
    bool out = false;
    for (int j = 0; j < words; ++j) out ^= j != k && (e >> j & 1) && crossed(cross, j, k);
    return out;
}

// u += s K_k u over a group.
template <int WORDS, int CROSS, int K, class T>
QLOOM_INLINE void turn_group(Vec<T>* u, Vec<T> s) {
#pragma GCC unroll 8
    for (int e = 0; e < 1 << WORDS; ++e) {
        if (e >> K & 1) continue;
        Vec<T>&a = u[e], &b = u[e | 1 << K];
        const Vec<T> old = a;
        if (minus_at(WORDS, CROSS, K, e)) {
            a -= s * b;
            b += s * old;
        } else {
            a += s * b;
            b -= s * old;
        }
    }
}

template <int WORDS, int CROSS, class T>
QLOOM_INLINE void turn_all(Vec<T>* u, const Vec<T>* s) {
    turn_group<WORDS, CROSS, 0, T>(u, s[0]);
    if constexpr (WORDS > 1) turn_group<WORDS, CROSS, 1, T>(u, s[1]);
    if constexpr (WORDS > 2) turn_group<WORDS, CROSS, 2, T>(u, s[2]);
}

// sum += lambda . K_k u over a group.
template <int WORDS, int CROSS, int K, class T>
QLOOM_INLINE void add_slope(Vec<T>& sum, T* lambda, const uint32_t* places, const Vec<T>* u) {
#pragma GCC unroll 8
    for (int e = 0; e < 1 << WORDS; ++e) {
        if (minus_at(WORDS, CROSS, K, e) != bool(e >> K & 1))
            sum -= at(lambda, places[e]) * u[e ^ 1 << K];
        else
            sum += at(lambda, places[e]) * u[e ^ 1 << K];
    }
}

template <int WORDS>
QLOOM_INLINE void place_group(uint32_t first, const Walk& w, uint32_t* places) {
#pragma GCC unroll 8
    for (int e = 0; e < 1 << WORDS; ++e)
        places[e] = first ^ (e & 1 ? w.x[0] : 0) ^ (e & 2 ? w.x[1] : 0) ^ (e & 4 ? w.x[2] : 0);
}

template <int WORDS, int CROSS, class T>
void turn_of(T* psi, const Walk& walk, const T* const* turns) {
    const Walk w = walk;
    const uint32_t* first = w.firsts;
    for (int signs = 0; signs < 1 << WORDS; ++signs) {
        Vec<T> s[WORDS];
        for (int k = 0; k < WORDS; ++k) s[k] = signed_turn(turns[k], (signs ^ w.opposite) >> k & 1);
        for (const uint32_t* end = first + w.counts[signs]; first < end; ++first) {
            uint32_t places[1 << WORDS];
            place_group<WORDS>(*first, w, places);
            Vec<T> u[1 << WORDS];
#pragma GCC unroll 8
            for (int e = 0; e < 1 << WORDS; ++e) u[e] = at(psi, places[e]);
            turn_all<WORDS, CROSS, T>(u, s);
#pragma GCC unroll 8
            for (int e = 0; e < 1 << WORDS; ++e) at(psi, places[e]) = u[e];
        }
    }
}

template <int WORDS, int CROSS, class T>
void unturn_of(T* psi, T* lambda, const Walk& walk, const T* const* turns, T* sums) {
    const Walk w = walk;
    const uint32_t* first = w.firsts;
    for (int signs = 0; signs < 1 << WORDS; ++signs) {
        const unsigned minus = signs ^ w.opposite;
        Vec<T> s[WORDS], sum[WORDS] = {};
        for (int k = 0; k < WORDS; ++k) s[k] = signed_turn(turns[k], !(minus >> k & 1));
        for (const uint32_t* end = first + w.counts[signs]; first < end; ++first) {
            uint32_t places[1 << WORDS];
            place_group<WORDS>(*first, w, places);
            Vec<T> u[1 << WORDS];
#pragma GCC unroll 8
            for (int e = 0; e < 1 << WORDS; ++e) u[e] = at(psi, places[e]);
            add_slope<WORDS, CROSS, 0, T>(sum[0], lambda, places, u);
            if constexpr (WORDS > 1) add_slope<WORDS, CROSS, 1, T>(sum[1], lambda, places, u);
            if constexpr (WORDS > 2) add_slope<WORDS, CROSS, 2, T>(sum[2], lambda, places, u);
            turn_all<WORDS, CROSS, T>(u, s);
            forget();
#pragma GCC unroll 8
            for (int e = 0; e < 1 << WORDS; ++e) at(psi, places[e]) = u[e];
#pragma GCC unroll 8
            for (int e = 0; e < 1 << WORDS; ++e) u[e] = at(lambda, places[e]);
            turn_all<WORDS, CROSS, T>(u, s);
#pragma GCC unroll 8
            for (int e = 0; e < 1 << WORDS; ++e) at(lambda, places[e]) = u[e];
        }
        for (int k = 0; k < WORDS; ++k) vector(sums + k * LANES<T>) += minus >> k & 1 ? -sum[k] : sum[k];
    }
}

template <class T>
void turn(T* psi, const Walk& w, const T* const* turns) {
    constexpr decltype(&turn<T>) THREE[] = {turn_of<3, 0, T>, turn_of<3, 1, T>, turn_of<3, 2, T>, turn_of<3, 3, T>,
                                            turn_of<3, 4, T>, turn_of<3, 5, T>, turn_of<3, 6, T>, turn_of<3, 7, T>};
    constexpr decltype(&turn<T>) TWO[] = {turn_of<2, 0, T>, turn_of<2, 1, T>};
    (w.words == 3 ? THREE[w.cross] : w.words == 2 ? TWO[w.cross] : turn_of<1, 0, T>)(psi, w, turns);
}

template <class T>
void unturn(T* psi, T* lambda, const Walk& w, const T* const* turns, T* sums) {
    constexpr decltype(&unturn<T>) THREE[] = {unturn_of<3, 0, T>, unturn_of<3, 1, T>, unturn_of<3, 2, T>,
                                              unturn_of<3, 3, T>, unturn_of<3, 4, T>, unturn_of<3, 5, T>,
                                              unturn_of<3, 6, T>, unturn_of<3, 7, T>};
    constexpr decltype(&unturn<T>) TWO[] = {unturn_of<2, 0, T>, unturn_of<2, 1, T>};
    (w.words == 3 ? THREE[w.cross] : w.words == 2 ? TWO[w.cross] : unturn_of<1, 0, T>)(psi, lambda, w, turns, sums);
}

template <class T>
void turn_flipped(T* psi, const Walk& w, const T* turn) {
    const uint32_t *first = w.firsts, x = w.x[0];
    const LaneFlip<T> flipped(w.flip);
    for (unsigned sign = 0; sign < 2; ++sign) {
        const Vec<T> s = signed_turn(turn, sign ^ w.opposite), s_there = w.antisymmetric ? -s : s;
        for (const uint32_t* end = first + w.counts[sign]; first < end; ++first) {
            const Vec<T> a = at(psi, *first), b = at(psi, *first ^ x);
            at(psi, *first ^ x) = b + s_there * flipped(a);
            at(psi, *first) = a + s * flipped(b);
        }
    }
}

template <class T>
void unturn_flipped(T* psi, T* lambda, const Walk& w, const T* turn, T* sum) {
    const uint32_t *first = w.firsts, x = w.x[0];
    const LaneFlip<T> flipped(w.flip);
    for (unsigned sign = 0; sign < 2; ++sign) {
        const Vec<T> s = signed_turn(turn, !sign ^ w.opposite), s_there = w.antisymmetric ? -s : s;
        Vec<T> here{}, there{};
        for (const uint32_t* end = first + w.counts[sign]; first < end; ++first) {
            const Vec<T> a = at(psi, *first), b = at(psi, *first ^ x);
            const Vec<T> la = at(lambda, *first), lb = at(lambda, *first ^ x);
            here += la * flipped(b);
            if (x) there += lb * flipped(a);
            at(psi, *first ^ x) = b + s_there * flipped(a);
            at(psi, *first) = a + s * flipped(b);
            at(lambda, *first ^ x) = lb + s_there * flipped(la);
            at(lambda, *first) = la + s * flipped(lb);
        }
        const Vec<T> both = w.antisymmetric ? here - there : here + there;
        vector(sum) += (sign ^ w.opposite) & 1 ? -both : both;
    }
}

// (K psi) of an amplitude whose partner is given.
template <bool REAL, class T>
QLOOM_INLINE void add_turned(Cell<T>& a, Vec<T> s, const Cell<T>& partner) {
    if constexpr (REAL) {
        a.re += s * partner.re;
        a.im += s * partner.im;
    } else {
        a.re += s * partner.im;
        a.im -= s * partner.re;
    }
}

template <bool REAL, class T>
void grow_of(T* psi, size_t cells, uint64_t z, const T* turn) {
    const Vec<T> c = vector(turn + 2 * LANES<T>);
    for (size_t i = 0; i < cells; ++i) {
        const Cell<T> a = load(psi, i * CELL_BYTES);
        Cell<T> grown{};
        add_turned<REAL, T>(grown, signed_turn(turn, parity((i + cells) & z)), a);
        store(psi, (i + cells) * CELL_BYTES, grown.re, grown.im);
        store(psi, i * CELL_BYTES, c * a.re, c * a.im);
    }
}

template <bool REAL, class T>
void ungrow_of(T* psi, T* lambda, size_t cells, uint64_t z, const T* turn, T* sum) {
    const Vec<T> c = vector(turn + 2 * LANES<T>);
    Vec<T> sums[2] = {};
    for (size_t i = 0; i < cells; ++i) {
        const unsigned sign = parity(i & z);
        const Vec<T> s = signed_turn(turn, !sign);
        const Cell<T> a = load(psi, i * CELL_BYTES), b = load(psi, (i + cells) * CELL_BYTES);
        const Cell<T> la = load(lambda, i * CELL_BYTES), lb = load(lambda, (i + cells) * CELL_BYTES);
        if constexpr (REAL)
            sums[sign] += la.re * b.re + la.im * b.im - lb.re * a.re - lb.im * a.im;
        else
            sums[sign] += la.re * b.im - la.im * b.re + lb.re * a.im - lb.im * a.re;
        Cell<T> before{c * a.re, c * a.im}, lambda_before{c * la.re, c * la.im};
        add_turned<REAL, T>(before, s, b);
        add_turned<REAL, T>(lambda_before, s, lb);
        store(psi, i * CELL_BYTES, before.re, before.im);
        store(lambda, i * CELL_BYTES, lambda_before.re, lambda_before.im);
    }
    vector(sum) += sums[0] - sums[1];
}

template <class T>
void grow(T* psi, size_t cells, uint64_t z, bool real, const T* turn) {
    real ? grow_of<true>(psi, cells, z, turn) : grow_of<false>(psi, cells, z, turn);
}

template <class T>
void ungrow(T* psi, T* lambda, size_t cells, uint64_t z, bool real, const T* turn, T* sum) {
    real ? ungrow_of<true>(psi, lambda, cells, z, turn, sum) : ungrow_of<false>(psi, lambda, cells, z, turn, sum);
}

}  // namespace
}  // namespace qloom
