// Rotations on a block, up to three in one walk, forward and undone.
#pragma once
#include "kernels/kernels.hpp"
#include "kernels/vectors.hpp"

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

// The lanes of a group's members: shifted so that partners are in the same lane. The signs that lanes give to words are
// then the same in all members, but for what `cross` says.
template <int WORDS, bool SHIFTED, class T>
class Shifts {
    LaneFlip<T> of[SHIFTED ? 1 << WORDS : 1];

public:
    explicit Shifts(const Walk& w) {
        for (int e = 1; SHIFTED && e < 1 << WORDS; ++e)
            of[e] = LaneFlip<T>((e & 1 ? w.flip[0] : 0) ^ (e & 2 ? w.flip[1] : 0) ^ (e & 4 ? w.flip[2] : 0));
    }
    QLOOM_INLINE Vec<T> operator()(int e, Vec<T> v) const {
        if constexpr (SHIFTED) return e ? of[e](v) : v;
        return v;
    }
};

// u += s K_k u over a group.
template <int WORDS, int CROSS, int K, class T>
QLOOM_INLINE void turn_group(Vec<T>* u, Vec<T> s) {
#pragma GCC unroll 8
    for (int e = 0; e < 1 << WORDS; ++e) {
        if (e >> K & 1) continue;
        Vec<T>&a = u[e], &b = u[e | 1 << K];
        const Vec<T> from_a = a, from_b = b;
        const bool minus = minus_at(WORDS, CROSS, K, e);
        a = minus ? a - s * from_b : a + s * from_b;
        b = minus ? b + s * from_a : b - s * from_a;
    }
}

template <int WORDS, int CROSS, class T>
QLOOM_INLINE void turn_all(Vec<T>* u, const Vec<T>* s) {
    turn_group<WORDS, CROSS, 0, T>(u, s[0]);
    if constexpr (WORDS > 1) turn_group<WORDS, CROSS, 1, T>(u, s[1]);
    if constexpr (WORDS > 2) turn_group<WORDS, CROSS, 2, T>(u, s[2]);
}

// sum += (+-) lambda_e (K_k u)_e, without K's sign.
template <int WORDS, int CROSS, int K, class T>
QLOOM_INLINE void add_slope(Vec<T>& sum, int e, Vec<T> lambda, const Vec<T>* u) {
    const Vec<T> from = u[e ^ 1 << K];
    if (minus_at(WORDS, CROSS, K, e) != (e >> K & 1))
        sum -= lambda * from;
    else
        sum += lambda * from;
}

// Each lambda is loaded and shifted once ...
template <int WORDS, int CROSS, class T, class S>
QLOOM_INLINE void add_slopes_by_member(Vec<T>* sum, T* lambda, const uint32_t* places, const S& shifted,
                                       const Vec<T>* u) {
#pragma GCC unroll 8
    for (int e = 0; e < 1 << WORDS; ++e) {
        const Vec<T> l = shifted(e, at(lambda, places[e]));
        add_slope<WORDS, CROSS, 0, T>(sum[0], e, l, u);
        if constexpr (WORDS > 1) add_slope<WORDS, CROSS, 1, T>(sum[1], e, l, u);
        if constexpr (WORDS > 2) add_slope<WORDS, CROSS, 2, T>(sum[2], e, l, u);
    }
}

// ... or is the multiply-add's operand in memory, which leaves more registers.
template <int WORDS, int CROSS, class T>
QLOOM_INLINE void add_slopes_by_word(Vec<T>* sum, T* lambda, const uint32_t* places, const Vec<T>* u) {
#pragma GCC unroll 8
    for (int e = 0; e < 1 << WORDS; ++e) add_slope<WORDS, CROSS, 0, T>(sum[0], e, at(lambda, places[e]), u);
    if constexpr (WORDS > 1)
#pragma GCC unroll 8
        for (int e = 0; e < 1 << WORDS; ++e) add_slope<WORDS, CROSS, 1, T>(sum[1], e, at(lambda, places[e]), u);
    if constexpr (WORDS > 2)
#pragma GCC unroll 8
        for (int e = 0; e < 1 << WORDS; ++e) add_slope<WORDS, CROSS, 2, T>(sum[2], e, at(lambda, places[e]), u);
}

template <int WORDS>
QLOOM_INLINE void place_group(uint32_t first, const Walk& w, uint32_t* places) {
#pragma GCC unroll 8
    for (int e = 0; e < 1 << WORDS; ++e)
        places[e] = first ^ (e & 1 ? w.x[0] : 0) ^ (e & 2 ? w.x[1] : 0) ^ (e & 4 ? w.x[2] : 0);
}

template <int WORDS, class T, class S>
QLOOM_INLINE void load_group(const T* state, const uint32_t* places, const S& shifted, Vec<T>* u) {
#pragma GCC unroll 8
    for (int e = 0; e < 1 << WORDS; ++e) u[e] = shifted(e, at(const_cast<T*>(state), places[e]));
}

template <int WORDS, class T, class S>
QLOOM_INLINE void store_group(T* state, const uint32_t* places, const S& shifted, const Vec<T>* u) {
#pragma GCC unroll 8
    for (int e = 0; e < 1 << WORDS; ++e) at(state, places[e]) = shifted(e, u[e]);
}

template <int WORDS, int CROSS, bool SHIFTED, class T>
void turn_of(T* psi, const Walk& walk, const T* const* turns) {
    const Walk w = walk;
    const Shifts<WORDS, SHIFTED, T> shifted(w);
    const uint32_t* first = w.firsts;
    for (int signs = 0; signs < 1 << WORDS; ++signs) {
        Vec<T> s[WORDS];
        for (int k = 0; k < WORDS; ++k) s[k] = signed_turn(turns[k], (signs ^ w.opposite) >> k & 1);
        for (const uint32_t* end = first + w.counts[signs]; first < end; ++first) {
            uint32_t places[1 << WORDS];
            Vec<T> u[1 << WORDS];
            place_group<WORDS>(*first, w, places);
            load_group<WORDS>(psi, places, shifted, u);
            turn_all<WORDS, CROSS, T>(u, s);
            store_group<WORDS>(psi, places, shifted, u);
        }
    }
}

template <int WORDS, int CROSS, bool SHIFTED, class T>
void unturn_of(T* psi, T* lambda, const Walk& walk, const T* const* turns, T* sums) {
    const Walk w = walk;
    const Shifts<WORDS, SHIFTED, T> shifted(w);
    const uint32_t* first = w.firsts;
    for (int signs = 0; signs < 1 << WORDS; ++signs) {
        const unsigned minus = signs ^ w.opposite;
        Vec<T> s[WORDS], sum[WORDS] = {};
        for (int k = 0; k < WORDS; ++k) s[k] = signed_turn(turns[k], !(minus >> k & 1));
        for (const uint32_t* end = first + w.counts[signs]; first < end; ++first) {
            uint32_t places[1 << WORDS];
            Vec<T> u[1 << WORDS];
            place_group<WORDS>(*first, w, places);
            load_group<WORDS>(psi, places, shifted, u);
            if constexpr (SHIFTED)
                add_slopes_by_member<WORDS, CROSS, T>(sum, lambda, places, shifted, u);
            else
                add_slopes_by_word<WORDS, CROSS, T>(sum, lambda, places, u);
            turn_all<WORDS, CROSS, T>(u, s);
            forget();
            store_group<WORDS>(psi, places, shifted, u);
            load_group<WORDS>(lambda, places, shifted, u);
            turn_all<WORDS, CROSS, T>(u, s);
            store_group<WORDS>(lambda, places, shifted, u);
        }
        for (int k = 0; k < WORDS; ++k) vector(sums + k * LANES<T>) += minus >> k & 1 ? -sum[k] : sum[k];
    }
}

// The functions for every number of words and pattern of signs, by index: 3 words 0 to 7, 2 words 8 and 9, 1 word 10.
inline unsigned variant(const Walk& w) { return w.words == 3 ? w.cross : w.words == 2 ? 8 + w.cross : 10; }

template <bool S, class T>
struct Variants {
    static constexpr decltype(&turn_of<1, 0, S, T>) TURN[] = {
        turn_of<3, 0, S, T>, turn_of<3, 1, S, T>, turn_of<3, 2, S, T>, turn_of<3, 3, S, T>,
        turn_of<3, 4, S, T>, turn_of<3, 5, S, T>, turn_of<3, 6, S, T>, turn_of<3, 7, S, T>,
        turn_of<2, 0, S, T>, turn_of<2, 1, S, T>, turn_of<1, 0, S, T>};
    static constexpr decltype(&unturn_of<1, 0, S, T>) UNTURN[] = {
        unturn_of<3, 0, S, T>, unturn_of<3, 1, S, T>, unturn_of<3, 2, S, T>, unturn_of<3, 3, S, T>,
        unturn_of<3, 4, S, T>, unturn_of<3, 5, S, T>, unturn_of<3, 6, S, T>, unturn_of<3, 7, S, T>,
        unturn_of<2, 0, S, T>, unturn_of<2, 1, S, T>, unturn_of<1, 0, S, T>};
};

// A rotation whose partners are in the same vector.
template <class T>
void turn_lanes(T* psi, const Walk& w, const T* turn) {
    const uint32_t* first = w.firsts;
    const LaneFlip<T> flipped(w.flip[0]);
    for (unsigned sign = 0; sign < 2; ++sign) {
        const Vec<T> s = signed_turn(turn, sign ^ w.opposite);
        for (const uint32_t* end = first + w.counts[sign]; first < end; ++first)
            at(psi, *first) += s * flipped(at(psi, *first));
    }
}

template <class T>
void unturn_lanes(T* psi, T* lambda, const Walk& w, const T* turn, T* sums) {
    const uint32_t* first = w.firsts;
    const LaneFlip<T> flipped(w.flip[0]);
    for (unsigned sign = 0; sign < 2; ++sign) {
        const Vec<T> s = signed_turn(turn, !sign ^ w.opposite);
        Vec<T> sum{};
        for (const uint32_t* end = first + w.counts[sign]; first < end; ++first) {
            const Vec<T> from = flipped(at(psi, *first));
            sum += at(lambda, *first) * from;
            at(psi, *first) += s * from;
            at(lambda, *first) += s * flipped(at(lambda, *first));
        }
        vector(sums) += (sign ^ w.opposite) & 1 ? -sum : sum;
    }
}

inline bool any_flip(const Walk& w) { return w.flip[0] | w.flip[1] | w.flip[2]; }

template <class T>
void turn(T* psi, const Walk& w, const T* const* turns) {
    if (w.x[0] == 0) return turn_lanes(psi, w, turns[0]);
    (any_flip(w) ? Variants<true, T>::TURN : Variants<false, T>::TURN)[variant(w)](psi, w, turns);
}

template <class T>
void unturn(T* psi, T* lambda, const Walk& w, const T* const* turns, T* sums) {
    if (w.x[0] == 0) return unturn_lanes(psi, lambda, w, turns[0], sums);
    (any_flip(w) ? Variants<true, T>::UNTURN : Variants<false, T>::UNTURN)[variant(w)](psi, lambda, w, turns, sums);
}

// out = or += s (K psi), of a cell whose partner is given. Where K is not real it takes real to imaginary parts.
template <bool REAL, bool ADD, int PARTS, class T>
QLOOM_INLINE void turn_cell(Parts<PARTS, T>& out, Vec<T> s, const Parts<PARTS, T>& partner) {
    const auto put = [&](int part, Vec<T> value) { out[part] = ADD ? out[part] + value : value; };
    if constexpr (PARTS == 1) {
        put(0, s * partner[0]);
    } else {
        put(0, s * (REAL ? partner[0] : partner[1]));
        put(1, REAL ? s * partner[1] : -s * partner[0]);
    }
}

// ALIKE: the signs of z are the same in all cells below the top bit.
template <bool REAL, bool ALIKE, int PARTS, class T>
void grow_of(T* psi, size_t begin, size_t end, size_t cells, uint64_t z, const T* turn) {
    const Vec<T> c = vector(turn + 2 * LANES<T>);
    for (size_t i = begin; i < end; ++i) {
        Parts<PARTS, T> a = read_parts<PARTS>(psi, i), grown;
        const Vec<T> s = signed_turn(turn, parity((ALIKE ? cells : i + cells) & z));
        turn_cell<REAL, false>(grown, s, a);
        for (int p = 0; p < PARTS; ++p) a[p] *= c;
        write_parts(psi, i + cells, grown);
        write_parts(psi, i, a);
    }
}

template <bool REAL, bool ALIKE, int PARTS, class T>
void ungrow_of(T* psi, T* lambda, size_t begin, size_t end, size_t cells, uint64_t z, const T* turn, T* sum) {
    const Vec<T> c = vector(turn + 2 * LANES<T>);
    Vec<T> sums[2] = {};
    for (size_t i = begin; i < end; ++i) {
        const unsigned sign = ALIKE ? 0 : parity(i & z);
        const Vec<T> s = signed_turn(turn, !sign);
        Parts<PARTS, T> a = read_parts<PARTS>(psi, i), la = read_parts<PARTS>(lambda, i);
        const Parts<PARTS, T> b = read_parts<PARTS>(psi, i + cells), lb = read_parts<PARTS>(lambda, i + cells);
        if constexpr (PARTS == 1)
            sums[sign] += la[0] * b[0] - lb[0] * a[0];
        else if constexpr (REAL)
            sums[sign] += la[0] * b[0] + la[1] * b[1] - lb[0] * a[0] - lb[1] * a[1];
        else
            sums[sign] += la[0] * b[1] - la[1] * b[0] + lb[0] * a[1] - lb[1] * a[0];
        for (int p = 0; p < PARTS; ++p) a[p] *= c, la[p] *= c;
        turn_cell<REAL, true>(a, s, b);
        turn_cell<REAL, true>(la, s, lb);
        write_parts(psi, i, a);
        write_parts(lambda, i, la);
    }
    vector(sum) += sums[0] - sums[1];
}

// By whether K is real, and signs alike.
template <int PARTS, class T>
void grow(T* psi, size_t begin, size_t end, size_t cells, uint64_t z, bool real, const T* turn) {
    static constexpr decltype(&grow_of<true, true, PARTS, T>) OF[2][2] = {
        {grow_of<false, false, PARTS, T>, grow_of<false, true, PARTS, T>},
        {grow_of<true, false, PARTS, T>, grow_of<true, true, PARTS, T>}};
    OF[real][(z & (cells - 1)) == 0](psi, begin, end, cells, z, turn);
}

template <int PARTS, class T>
void ungrow(T* psi, T* lambda, size_t begin, size_t end, size_t cells, uint64_t z, bool real, const T* turn, T* sum) {
    static constexpr decltype(&ungrow_of<true, true, PARTS, T>) OF[2][2] = {
        {ungrow_of<false, false, PARTS, T>, ungrow_of<false, true, PARTS, T>},
        {ungrow_of<true, false, PARTS, T>, ungrow_of<true, true, PARTS, T>}};
    OF[real][(z & (cells - 1)) == 0](psi, lambda, begin, end, cells, z, turn, sum);
}

}  // namespace
}  // namespace qloom
