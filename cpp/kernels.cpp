// Compiled once per instruction set with QLOOM_ISA (a name) and QLOOM_VECTOR_BYTES defined. Nothing of the standard
// library is used here: its inline functions, compiled for a newer processor, could replace those of the other files.
#include "kernels.hpp"

namespace qloom {
namespace {

template <class T>
struct VectorOf {
    typedef T type __attribute__((vector_size(QLOOM_VECTOR_BYTES)));
};
template <class T>
using Vec = typename VectorOf<T>::type;
template <class T>
constexpr int LANES = QLOOM_VECTOR_BYTES / sizeof(T);

inline unsigned parity(uint64_t bits) { return __builtin_parityll(bits); }

template <int X, class T>
inline Vec<T> partner_lanes(Vec<T> v) {
    if constexpr (X == 0) return v;
    Vec<T> out;
    for (int lane = 0; lane < LANES<T>; ++lane) out[lane] = v[lane ^ X];
    return out;
}

template <class T>
inline Vec<T> lane_signs(uint32_t z_lane) {
    Vec<T> signs;
    for (int lane = 0; lane < LANES<T>; ++lane) signs[lane] = parity(lane & z_lane) ? T(-1) : T(1);
    return signs;
}

template <class T>
inline Vec<T> broadcast(T value) {
    return value - Vec<T>{};
}

// Pair p -> its first vector: a 0 put in at bit `top`.
inline size_t first_of_pair(size_t p, unsigned top) {
    return ((p >> top) << (top + 1)) | (p & ((size_t(1) << top) - 1));
}
inline unsigned top_bit(uint64_t x) { return 63 - __builtin_clzll(x); }

// Polynomials of sine (over x) and cosine on [-pi/4, pi/4] and pi/2 in three parts. Source: Moshier's Cephes library.
template <class T>
struct Series;
template <>
struct Series<float> {
    using Bits = int32_t;
    static constexpr float MAGIC = 12582912.0f, PARTS[3] = {1.5703125f, 4.837512969970703125e-4f, 7.54978995489188e-8f};
    static constexpr float SINE[3] = {-1.9515295891e-4f, 8.3321608736e-3f, -1.6666654611e-1f};
    static constexpr float COSINE[3] = {2.443315711809948e-5f, -1.388731625493765e-3f, 4.166664568298827e-2f};
};
template <>
struct Series<double> {
    using Bits = int64_t;
    static constexpr double MAGIC = 6755399441055744.0;
    static constexpr double PARTS[3] = {1.57079625129699707031, 7.54978941586159635335e-8, 5.39030285815811905290e-15};
    static constexpr double SINE[6] = {1.58962301576546568060e-10, -2.50507477628578072866e-8,
                                       2.75573136213857245213e-6,  -1.98412698295895385996e-4,
                                       8.33333333332211858878e-3,  -1.66666666666666307295e-1};
    static constexpr double COSINE[6] = {-1.13585365213876817300e-11, 2.08757008419747316778e-9,
                                         -2.75573141792967388112e-7,  2.48015872888517045348e-5,
                                         -1.38888888888730564116e-3,  4.16666666666665929218e-2};
};

template <class T, size_t N>
inline Vec<T> horner(const T (&coefficients)[N], Vec<T> x) {
    Vec<T> sum = broadcast(coefficients[0]);
    for (size_t k = 1; k < N; ++k) sum = sum * x + coefficients[k];
    return sum;
}

template <class T>
void cos_sin(const T* angles_, size_t vectors, T* cosines_, T* sines_) {
    using S = Series<T>;
    typedef typename S::Bits Bits __attribute__((vector_size(QLOOM_VECTOR_BYTES)));
    auto angles = reinterpret_cast<const Vec<T>*>(angles_);
    auto cosines = reinterpret_cast<Vec<T>*>(cosines_), sines = reinterpret_cast<Vec<T>*>(sines_);
    for (size_t i = 0; i < vectors; ++i) {
        // Adding MAGIC rounds the number of quarter turns to an integer, which then stands in the low bits.
        const Vec<T> shifted = angles[i] * T(0.63661977236758134308) + S::MAGIC, turns = shifted - S::MAGIC;
        const Bits quarter = (Bits)shifted;
        const Vec<T> x = ((angles[i] - turns * S::PARTS[0]) - turns * S::PARTS[1]) - turns * S::PARTS[2], xx = x * x;
        const Vec<T> sine = x + x * xx * horner(S::SINE, xx);
        const Vec<T> cosine = T(1) - T(0.5) * xx + xx * xx * horner(S::COSINE, xx);
        const Bits odd = (quarter & 1) != 0;
        const Vec<T> c = odd ? sine : cosine, s = odd ? cosine : sine;
        cosines[i] = ((quarter + 1) & 2) != 0 ? -c : c;
        sines[i] = (quarter & 2) != 0 ? -s : s;
    }
}

// A complex vector of psi and what the word's partner contributes: -i partner for an imaginary word, partner for a real
// one.
template <class T, bool REAL>
inline void turn(Vec<T>& re, Vec<T>& im, Vec<T> c, Vec<T> s, Vec<T> pre, Vec<T> pim) {
    if constexpr (REAL) {
        re = c * re + s * pre;
        im = c * im + s * pim;
    } else {
        re = c * re + s * pim;
        im = c * im - s * pre;
    }
}

template <class T, bool REAL>
inline Vec<T> slope(Vec<T> lre, Vec<T> lim, Vec<T> pre, Vec<T> pim) {
    if constexpr (REAL) return lre * pre + lim * pim;
    return lre * pim - lim * pre;
}

template <class T, int X, bool REAL>
void rotate(T* re_, T* im_, size_t begin, size_t end, const Word& w, const T* c_, const T* s_) {
    auto re = reinterpret_cast<Vec<T>*>(re_), im = reinterpret_cast<Vec<T>*>(im_);
    const Vec<T> c = *reinterpret_cast<const Vec<T>*>(c_);
    const Vec<T> s = *reinterpret_cast<const Vec<T>*>(s_) * lane_signs<T>(w.z_lane);
    const Vec<T> signed_s[2] = {s, -s};
    if (w.x == 0) {
        for (size_t i = begin; i < end; ++i) {
            const Vec<T> si = signed_s[parity(i & w.z)], pre = partner_lanes<X, T>(re[i]),
                         pim = partner_lanes<X, T>(im[i]);
            turn<T, REAL>(re[i], im[i], c, si, pre, pim);
        }
        return;
    }
    const unsigned top = top_bit(w.x), flip = parity(w.x & w.z);
    for (size_t p = begin; p < end; ++p) {
        const size_t i = first_of_pair(p, top), j = i ^ w.x;
        const unsigned sign = parity(i & w.z);
        Vec<T> are = re[i], aim = im[i], bre = re[j], bim = im[j];
        const Vec<T> qre = partner_lanes<X, T>(are), qim = partner_lanes<X, T>(aim);
        turn<T, REAL>(are, aim, c, signed_s[sign], partner_lanes<X, T>(bre), partner_lanes<X, T>(bim));
        turn<T, REAL>(bre, bim, c, signed_s[sign ^ flip], qre, qim);
        re[i] = are, im[i] = aim, re[j] = bre, im[j] = bim;
    }
}

template <class T, int X, bool REAL>
void unrotate(T* re_, T* im_, T* lre_, T* lim_, size_t begin, size_t end, const Word& w, const T* c_, const T* s_,
              T* sum_) {
    auto re = reinterpret_cast<Vec<T>*>(re_), im = reinterpret_cast<Vec<T>*>(im_);
    auto lre = reinterpret_cast<Vec<T>*>(lre_), lim = reinterpret_cast<Vec<T>*>(lim_);
    const Vec<T> signs = lane_signs<T>(w.z_lane), c = *reinterpret_cast<const Vec<T>*>(c_);
    const Vec<T> s = *reinterpret_cast<const Vec<T>*>(s_) * signs;
    const Vec<T> signed_s[2] = {-s, s}, unit[2] = {broadcast(T(1)), broadcast(T(-1))};
    Vec<T> sum{};
    if (w.x == 0) {
        for (size_t i = begin; i < end; ++i) {
            const unsigned sign = parity(i & w.z);
            const Vec<T> pre = partner_lanes<X, T>(re[i]), pim = partner_lanes<X, T>(im[i]);
            sum += unit[sign] * slope<T, REAL>(lre[i], lim[i], pre, pim);
            const Vec<T> qre = partner_lanes<X, T>(lre[i]), qim = partner_lanes<X, T>(lim[i]);
            turn<T, REAL>(re[i], im[i], c, signed_s[sign], pre, pim);
            turn<T, REAL>(lre[i], lim[i], c, signed_s[sign], qre, qim);
        }
    } else {
        const unsigned top = top_bit(w.x), flip = parity(w.x & w.z);
        for (size_t p = begin; p < end; ++p) {
            const size_t i = first_of_pair(p, top), j = i ^ w.x;
            const unsigned sign = parity(i & w.z);
            const Vec<T> si = signed_s[sign], sj = signed_s[sign ^ flip];
            Vec<T> are = re[i], aim = im[i], bre = re[j], bim = im[j];
            Vec<T> cre = lre[i], cim = lim[i], dre = lre[j], dim = lim[j];
            const Vec<T> pre = partner_lanes<X, T>(are), pim = partner_lanes<X, T>(aim);
            const Vec<T> qre = partner_lanes<X, T>(bre), qim = partner_lanes<X, T>(bim);
            sum += unit[sign] * slope<T, REAL>(cre, cim, qre, qim);
            sum += unit[sign ^ flip] * slope<T, REAL>(dre, dim, pre, pim);
            turn<T, REAL>(are, aim, c, si, qre, qim);
            turn<T, REAL>(bre, bim, c, sj, pre, pim);
            const Vec<T> ure = partner_lanes<X, T>(cre), uim = partner_lanes<X, T>(cim);
            turn<T, REAL>(cre, cim, c, si, partner_lanes<X, T>(dre), partner_lanes<X, T>(dim));
            turn<T, REAL>(dre, dim, c, sj, ure, uim);
            re[i] = are, im[i] = aim, re[j] = bre, im[j] = bim;
            lre[i] = cre, lim[i] = cim, lre[j] = dre, lim[j] = dim;
        }
    }
    *reinterpret_cast<Vec<T>*>(sum_) += sum * signs;
}

// One amplitude of every lane.
template <class T>
struct Amplitude {
    Vec<T> re, im;
};

template <class T, bool REAL>
inline void turn_pair(Amplitude<T>& a, Amplitude<T>& b, Vec<T> c, Vec<T> s) {
    const Amplitude<T> old = a;
    turn<T, REAL>(a.re, a.im, c, s, b.re, b.im);
    turn<T, REAL>(b.re, b.im, c, REAL ? -s : s, old.re, old.im);
}

template <class T, bool REAL>
inline Vec<T> slope_pair(const Amplitude<T>& la, const Amplitude<T>& lb, const Amplitude<T>& a, const Amplitude<T>& b) {
    const Vec<T> there = slope<T, REAL>(la.re, la.im, b.re, b.im), back = slope<T, REAL>(lb.re, lb.im, a.re, a.im);
    return REAL ? there - back : there + back;
}

// Where the four vectors of a four are, and the signs of the two words there.
struct Four {
    uint32_t i, j, k, l;
    unsigned sign1, sign2;
};

class Fours {
public:
    // `swapped`: the list was made for the two words in the other order.
    Fours(const uint32_t* list, const Word* w, bool swapped)
        : list(list),
          x1(uint32_t(w[0].x) * QLOOM_VECTOR_BYTES),
          x2(uint32_t(w[1].x) * QLOOM_VECTOR_BYTES),
          bit1(swapped),
          bit2(!swapped),
          cross1(parity(w[1].x & w[0].z)),
          cross2(parity(w[0].x & w[1].z)) {}

    Four operator[](size_t p) const {
        const uint32_t entry = list[p], i = entry & ~3u;
        return {i, i ^ x1, i ^ x2, i ^ x1 ^ x2, entry >> bit1 & 1, entry >> bit2 & 1};
    }

private:
    const uint32_t* list;
    uint32_t x1, x2;
    unsigned bit1, bit2;

public:
    const unsigned cross1, cross2;  // the sign of word 1 changes with x2, that of word 2 with x1
};

template <class T>
inline Vec<T>& at(T* part, uint32_t bytes) {
    return *reinterpret_cast<Vec<T>*>(reinterpret_cast<char*>(part) + bytes);
}

template <class T>
inline Amplitude<T> load(T* re, T* im, uint32_t bytes) {
    return {at(re, bytes), at(im, bytes)};
}

template <class T>
inline void store(T* re, T* im, uint32_t bytes, const Amplitude<T>& a) {
    at(re, bytes) = a.re;
    at(im, bytes) = a.im;
}

template <class T, bool REAL1, bool REAL2>
void rotate_two_of(T* re, T* im, const uint32_t* list, size_t count, const Word* w, const T* turn1, const T* turn2) {
    auto t1 = reinterpret_cast<const Vec<T>*>(turn1), t2 = reinterpret_cast<const Vec<T>*>(turn2);
    const Vec<T> c1 = t1[0], c2 = t2[0], s1[2] = {t1[1], -t1[1]}, s2[2] = {t2[1], -t2[1]};
    const Fours fours(list, w, false);
    for (size_t p = 0; p < count; ++p) {
        const Four f = fours[p];
        Amplitude<T> a = load(re, im, f.i), b = load(re, im, f.j), c = load(re, im, f.k), d = load(re, im, f.l);
        turn_pair<T, REAL1>(a, b, c1, s1[f.sign1]);
        turn_pair<T, REAL1>(c, d, c1, s1[f.sign1 ^ fours.cross1]);
        turn_pair<T, REAL2>(a, c, c2, s2[f.sign2]);
        turn_pair<T, REAL2>(b, d, c2, s2[f.sign2 ^ fours.cross2]);
        store(re, im, f.i, a);
        store(re, im, f.j, b);
        store(re, im, f.k, c);
        store(re, im, f.l, d);
    }
}

template <class T, bool REAL1, bool REAL2>
void unrotate_two_of(T* re, T* im, T* lre, T* lim, const uint32_t* list, size_t count, const Word* w, const T* turn1,
                     const T* turn2, T* sums_) {
    auto t1 = reinterpret_cast<const Vec<T>*>(turn1), t2 = reinterpret_cast<const Vec<T>*>(turn2);
    auto sums = reinterpret_cast<Vec<T>*>(sums_);
    const Vec<T> c1 = t1[0], c2 = t2[0], s1[2] = {-t1[1], t1[1]}, s2[2] = {-t2[1], t2[1]};
    const Vec<T> unit[2] = {broadcast(T(1)), broadcast(T(-1))};
    const Fours fours(list, w, true);  // undoing goes from the later word to the earlier one
    Vec<T> sum1{}, sum2{};
    for (size_t p = 0; p < count; ++p) {
        const Four f = fours[p];
        Amplitude<T> a = load(re, im, f.i), b = load(re, im, f.j), c = load(re, im, f.k), d = load(re, im, f.l);
        Amplitude<T> la = load(lre, lim, f.i), lb = load(lre, lim, f.j), lc = load(lre, lim, f.k),
                     ld = load(lre, lim, f.l);
        const unsigned other1 = f.sign1 ^ fours.cross1, other2 = f.sign2 ^ fours.cross2;
        sum1 += unit[f.sign1] * slope_pair<T, REAL1>(la, lb, a, b);
        turn_pair<T, REAL1>(a, b, c1, s1[f.sign1]);
        turn_pair<T, REAL1>(la, lb, c1, s1[f.sign1]);
        sum1 += unit[other1] * slope_pair<T, REAL1>(lc, ld, c, d);
        turn_pair<T, REAL1>(c, d, c1, s1[other1]);
        turn_pair<T, REAL1>(lc, ld, c1, s1[other1]);
        sum2 += unit[f.sign2] * slope_pair<T, REAL2>(la, lc, a, c);
        turn_pair<T, REAL2>(a, c, c2, s2[f.sign2]);
        turn_pair<T, REAL2>(la, lc, c2, s2[f.sign2]);
        store(re, im, f.i, a);
        store(re, im, f.k, c);
        store(lre, lim, f.i, la);
        store(lre, lim, f.k, lc);
        sum2 += unit[other2] * slope_pair<T, REAL2>(lb, ld, b, d);
        turn_pair<T, REAL2>(b, d, c2, s2[other2]);
        turn_pair<T, REAL2>(lb, ld, c2, s2[other2]);
        store(re, im, f.j, b);
        store(re, im, f.l, d);
        store(lre, lim, f.j, lb);
        store(lre, lim, f.l, ld);
    }
    sums[0] += sum1;
    sums[1] += sum2;
}

template <class T>
void rotate_two(T* re, T* im, const uint32_t* fours, size_t count, const Word* w, const T* turn1, const T* turn2) {
    auto go = w[0].real ? (w[1].real ? rotate_two_of<T, true, true> : rotate_two_of<T, true, false>)
                        : (w[1].real ? rotate_two_of<T, false, true> : rotate_two_of<T, false, false>);
    go(re, im, fours, count, w, turn1, turn2);
}

template <class T>
void unrotate_two(T* re, T* im, T* lre, T* lim, const uint32_t* fours, size_t count, const Word* w, const T* turn1,
                  const T* turn2, T* sums) {
    auto go = w[0].real ? (w[1].real ? unrotate_two_of<T, true, true> : unrotate_two_of<T, true, false>)
                        : (w[1].real ? unrotate_two_of<T, false, true> : unrotate_two_of<T, false, false>);
    go(re, im, lre, lim, fours, count, w, turn1, turn2, sums);
}

template <class T, bool REAL>
void rotate_table_of(T* re_, T* im_, size_t pairs, const Word& w, const T* c_, const T* s_) {
    auto re = reinterpret_cast<Vec<T>*>(re_), im = reinterpret_cast<Vec<T>*>(im_);
    if (w.x == 0) {
        for (size_t i = 0; i < pairs; ++i)
            turn<T, false>(re[i], im[i], broadcast(c_[i]), broadcast(s_[i]), re[i] + Vec<T>{}, im[i] + Vec<T>{});
        return;
    }
    const unsigned top = top_bit(w.x);
    for (size_t p = 0; p < pairs; ++p) {
        const size_t i = first_of_pair(p, top), j = i ^ w.x;
        const Vec<T> c = broadcast(c_[p]), s = broadcast(s_[p]);
        Vec<T> are = re[i], aim = im[i], bre = re[j], bim = im[j];
        turn<T, REAL>(re[i], im[i], c, s, bre, bim);
        turn<T, REAL>(bre, bim, c, REAL ? -s : s, are, aim);
        re[j] = bre, im[j] = bim;
    }
}

template <class T, bool REAL>
void unrotate_table_of(T* re_, T* im_, T* lre_, T* lim_, size_t pairs, const Word& w, const T* c_, const T* s_,
                       T* sums_) {
    auto re = reinterpret_cast<Vec<T>*>(re_), im = reinterpret_cast<Vec<T>*>(im_);
    auto lre = reinterpret_cast<Vec<T>*>(lre_), lim = reinterpret_cast<Vec<T>*>(lim_);
    auto sums = reinterpret_cast<Vec<T>*>(sums_);
    if (w.x == 0) {
        for (size_t i = 0; i < pairs; ++i) {
            const Vec<T> c = broadcast(c_[i]), s = -broadcast(s_[i]);
            const Vec<T> pre = re[i], pim = im[i], qre = lre[i], qim = lim[i];
            sums[i] += slope<T, false>(qre, qim, pre, pim);
            turn<T, false>(re[i], im[i], c, s, pre, pim);
            turn<T, false>(lre[i], lim[i], c, s, qre, qim);
        }
        return;
    }
    const unsigned top = top_bit(w.x);
    for (size_t p = 0; p < pairs; ++p) {
        const size_t i = first_of_pair(p, top), j = i ^ w.x;
        const Vec<T> c = broadcast(c_[p]), s = -broadcast(s_[p]), t = REAL ? -s : s;
        const Vec<T> are = re[i], aim = im[i], bre = re[j], bim = im[j];
        const Vec<T> cre = lre[i], cim = lim[i], dre = lre[j], dim = lim[j];
        const Vec<T> back = slope<T, REAL>(dre, dim, are, aim);
        sums[p] += slope<T, REAL>(cre, cim, bre, bim) + (REAL ? -back : back);
        turn<T, REAL>(re[i], im[i], c, s, bre, bim);
        turn<T, REAL>(re[j], im[j], c, t, are, aim);
        turn<T, REAL>(lre[i], lim[i], c, s, dre, dim);
        turn<T, REAL>(lre[j], lim[j], c, t, cre, cim);
    }
}

template <class T>
void measure_diagonal(const T* re_, const T* im_, size_t begin, size_t end, const Word* words, size_t terms, T* sums_) {
    auto re = reinterpret_cast<const Vec<T>*>(re_), im = reinterpret_cast<const Vec<T>*>(im_);
    auto sums = reinterpret_cast<Vec<T>*>(sums_);
    const Vec<T> unit[2] = {broadcast(T(1)), broadcast(T(-1))};
    constexpr size_t AT_ONCE = 4;
    for (size_t first = 0; first < terms; first += AT_ONCE) {
        const size_t n = terms - first < AT_ONCE ? terms - first : AT_ONCE;
        uint64_t z[AT_ONCE] = {};
        for (size_t t = 0; t < n; ++t) z[t] = words[first + t].z;
        Vec<T> sum[AT_ONCE] = {};
        for (size_t i = begin; i < end; ++i) {
            const Vec<T> weight = re[i] * re[i] + im[i] * im[i];
            for (size_t t = 0; t < AT_ONCE; ++t) sum[t] += unit[parity(i & z[t])] * weight;
        }
        for (size_t t = 0; t < n; ++t) sums[first + t] += sum[t] * lane_signs<T>(words[first + t].z_lane);
    }
}

template <class T>
void weigh_diagonal(const T* re_, const T* im_, T* lre_, T* lim_, size_t begin, size_t end, const Word* words,
                    size_t terms, const T* g_) {
    auto re = reinterpret_cast<const Vec<T>*>(re_), im = reinterpret_cast<const Vec<T>*>(im_);
    auto lre = reinterpret_cast<Vec<T>*>(lre_), lim = reinterpret_cast<Vec<T>*>(lim_);
    auto g = reinterpret_cast<const Vec<T>*>(g_);
    const Vec<T> unit[2] = {broadcast(T(1)), broadcast(T(-1))};
    constexpr size_t AT_ONCE = 4;
    for (size_t i = begin; i < end; ++i) lre[i] = lim[i] = Vec<T>{};
    for (size_t first = 0; first < terms; first += AT_ONCE) {
        const size_t n = terms - first < AT_ONCE ? terms - first : AT_ONCE;
        uint64_t z[AT_ONCE] = {};
        Vec<T> signed_g[AT_ONCE] = {};
        for (size_t t = 0; t < n; ++t)
            z[t] = words[first + t].z, signed_g[t] = g[first + t] * lane_signs<T>(words[first + t].z_lane);
        for (size_t i = begin; i < end; ++i) {
            Vec<T> d{};
            for (size_t t = 0; t < AT_ONCE; ++t) d += unit[parity(i & z[t])] * signed_g[t];
            lre[i] += d * re[i];
            lim[i] += d * im[i];
        }
    }
}

template <class T, int X, bool REAL>
void measure_word(const T* re_, const T* im_, size_t begin, size_t end, const Word& w, T* sum_) {
    auto re = reinterpret_cast<const Vec<T>*>(re_), im = reinterpret_cast<const Vec<T>*>(im_);
    const Vec<T> unit[2] = {broadcast(T(1)), broadcast(T(-1))};
    Vec<T> sum{};
    for (size_t i = begin; i < end; ++i) {
        const Vec<T> pre = partner_lanes<X, T>(re[i ^ w.x]), pim = partner_lanes<X, T>(im[i ^ w.x]);
        if constexpr (REAL)
            sum += unit[parity(i & w.z)] * (re[i] * pim - im[i] * pre);
        else
            sum += unit[parity(i & w.z)] * (re[i] * pre + im[i] * pim);
    }
    *reinterpret_cast<Vec<T>*>(sum_) += sum * lane_signs<T>(w.z_lane);
}

template <class T, int X, bool REAL>
void weigh_word(const T* re_, const T* im_, T* lre_, T* lim_, size_t begin, size_t end, const Word& w, const T* g_) {
    auto re = reinterpret_cast<const Vec<T>*>(re_), im = reinterpret_cast<const Vec<T>*>(im_);
    auto lre = reinterpret_cast<Vec<T>*>(lre_), lim = reinterpret_cast<Vec<T>*>(lim_);
    const Vec<T> g = *reinterpret_cast<const Vec<T>*>(g_) * lane_signs<T>(w.z_lane);
    const Vec<T> signed_g[2] = {g, -g};
    for (size_t i = begin; i < end; ++i) {
        const Vec<T> gi = signed_g[parity(i & w.z)];
        const Vec<T> pre = partner_lanes<X, T>(re[i ^ w.x]), pim = partner_lanes<X, T>(im[i ^ w.x]);
        lre[i] += gi * (REAL ? pim : pre);
        lim[i] += gi * (REAL ? -pre : pim);
    }
}

// The lane permutation is a template argument, so that it compiles to one shuffle: a table over its values.
template <class T, int X = 0>
struct ByLaneMask {
    template <class F>
    static void call(uint32_t x_lane, F f) {
        if constexpr (X < LANES<T>) {
            if (x_lane == X) return f.template operator()<X>();
            ByLaneMask<T, X + 1>::call(x_lane, f);
        }
    }
};

template <class T>
void rotate_any(T* re, T* im, size_t begin, size_t end, const Word& w, const T* c, const T* s) {
    ByLaneMask<T>::call(w.x_lane, [&]<int X>() {
        w.real ? rotate<T, X, true>(re, im, begin, end, w, c, s) : rotate<T, X, false>(re, im, begin, end, w, c, s);
    });
}

template <class T>
void unrotate_any(T* re, T* im, T* lre, T* lim, size_t begin, size_t end, const Word& w, const T* c, const T* s,
                  T* sum) {
    ByLaneMask<T>::call(w.x_lane, [&]<int X>() {
        w.real ? unrotate<T, X, true>(re, im, lre, lim, begin, end, w, c, s, sum)
               : unrotate<T, X, false>(re, im, lre, lim, begin, end, w, c, s, sum);
    });
}

template <class T>
void rotate_table(T* re, T* im, size_t pairs, const Word& w, const T* c, const T* s) {
    w.real ? rotate_table_of<T, true>(re, im, pairs, w, c, s) : rotate_table_of<T, false>(re, im, pairs, w, c, s);
}

template <class T>
void unrotate_table(T* re, T* im, T* lre, T* lim, size_t pairs, const Word& w, const T* c, const T* s, T* sums) {
    w.real ? unrotate_table_of<T, true>(re, im, lre, lim, pairs, w, c, s, sums)
           : unrotate_table_of<T, false>(re, im, lre, lim, pairs, w, c, s, sums);
}

template <class T>
void measure_word_any(const T* re, const T* im, size_t begin, size_t end, const Word& w, T* sum) {
    ByLaneMask<T>::call(w.x_lane, [&]<int X>() {
        w.real ? measure_word<T, X, true>(re, im, begin, end, w, sum)
               : measure_word<T, X, false>(re, im, begin, end, w, sum);
    });
}

template <class T>
void weigh_word_any(const T* re, const T* im, T* lre, T* lim, size_t begin, size_t end, const Word& w, const T* g) {
    ByLaneMask<T>::call(w.x_lane, [&]<int X>() {
        w.real ? weigh_word<T, X, true>(re, im, lre, lim, begin, end, w, g)
               : weigh_word<T, X, false>(re, im, lre, lim, begin, end, w, g);
    });
}

template <class T>
constexpr Kernels<T> TABLE = {
    QLOOM_ISA_NAME,    LANES<T>,        cos_sin<T>,        rotate_any<T>,       unrotate_any<T>,   rotate_two<T>,
    unrotate_two<T>,   rotate_table<T>, unrotate_table<T>, measure_diagonal<T>, weigh_diagonal<T>, measure_word_any<T>,
    weigh_word_any<T>,
};

}  // namespace

#define QLOOM_JOIN_(a, b) a##b
#define QLOOM_JOIN(a, b) QLOOM_JOIN_(a, b)
extern const Kernels<float>& QLOOM_JOIN(float_kernels_, QLOOM_ISA);
extern const Kernels<double>& QLOOM_JOIN(double_kernels_, QLOOM_ISA);
const Kernels<float>& QLOOM_JOIN(float_kernels_, QLOOM_ISA) = TABLE<float>;
const Kernels<double>& QLOOM_JOIN(double_kernels_, QLOOM_ISA) = TABLE<double>;

}  // namespace qloom
