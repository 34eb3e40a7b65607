// Cosines and sines of vectors of angles.
#pragma once
#include "kernels/vectors.hpp"

namespace qloom {
namespace {

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
QLOOM_INLINE Vec<T> horner(const T (&coefficients)[N], Vec<T> x) {
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

}  // namespace
}  // namespace qloom
