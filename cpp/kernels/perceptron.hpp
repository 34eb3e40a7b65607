// Perceptrons: products of matrices, and what comes between them. Rows are of whole vectors.
#pragma once
#include "kernels/angles.hpp"
#include "kernels/kernels.hpp"

namespace qloom {
namespace {

// exp(x) = 2^n exp(r) with n whole, r at most ln(2) / 2 and exp(r) by the first terms of its series.
template <class T>
struct Exponential;
template <>
struct Exponential<float> {
    static constexpr int TERMS = 7, MANTISSA = 23, BIAS = 127;
    static constexpr float MOST = 87, LN2[2] = {0.693359375f, -2.12194440e-4f};
};
template <>
struct Exponential<double> {
    static constexpr int TERMS = 13, MANTISSA = 52, BIAS = 1023;
    static constexpr double MOST = 708, LN2[2] = {6.93145751953125e-1, 1.42860682030941723212e-6};
};

template <class T>
QLOOM_INLINE Vec<T> exponential(Vec<T> x) {
    using E = Exponential<T>;
    typedef typename Series<T>::Bits Bits __attribute__((vector_size(QLOOM_VECTOR_BYTES)));
    const Vec<T> most = broadcast(E::MOST);
    x = x > most ? most : x < -most ? -most : x;
    // Adding MAGIC rounds to an integer, which then stands in the low bits.
    const Vec<T> shifted = x * T(1.44269504088896340736) + Series<T>::MAGIC, n = shifted - Series<T>::MAGIC;
    const Vec<T> r = (x - n * E::LN2[0]) - n * E::LN2[1];
    Vec<T> sum = broadcast(T(1));
    for (int k = E::TERMS; k; --k) sum = sum * r * (T(1) / T(k)) + T(1);
    const Bits whole = (Bits)shifted - (Bits)broadcast(Series<T>::MAGIC);
    return sum * (Vec<T>)((whole + E::BIAS) << E::MANTISSA);
}

template <class T>
QLOOM_INLINE Vec<T> logistic(Vec<T> x) {
    return T(1) / (T(1) + exponential<T>(-x));
}

// ROWS rows and VECTORS vectors of `product`.
template <class T, size_t ROWS, size_t VECTORS>
QLOOM_INLINE void product_tile(const Strided<T>& a, const T* b, const T* start, T* c, size_t inner, size_t width) {
    Vec<T> sums[ROWS][VECTORS];
    for (size_t i = 0; i < ROWS; ++i)
        for (size_t v = 0; v < VECTORS; ++v) sums[i][v] = start ? vector(start + v * LANES<T>) : Vec<T>{};
    const T* from = a.data;
    for (size_t k = 0; k < inner; ++k, from += a.column, b += width) {
        Vec<T> own[VECTORS];
        for (size_t v = 0; v < VECTORS; ++v) own[v] = vector(b + v * LANES<T>);
#pragma GCC unroll 4
        for (size_t i = 0; i < ROWS; ++i)
            for (size_t v = 0; v < VECTORS; ++v) sums[i][v] += from[i * a.row] * own[v];
    }
    for (size_t i = 0; i < ROWS; ++i)
        for (size_t v = 0; v < VECTORS; ++v) vector(c + i * width + v * LANES<T>) = sums[i][v];
}

template <class T, size_t VECTORS>
QLOOM_INLINE void product_strip(Strided<T> a, const T* b, const T* start, T* c, Sizes sizes) {
    constexpr size_t ROWS = 4;
    size_t i = 0;
    for (; i + ROWS <= sizes.rows; i += ROWS, a.data += ROWS * a.row, c += ROWS * sizes.width)
        product_tile<T, ROWS, VECTORS>(a, b, start, c, sizes.inner, sizes.width);
    for (; i < sizes.rows; ++i, a.data += a.row, c += sizes.width)
        product_tile<T, 1, VECTORS>(a, b, start, c, sizes.inner, sizes.width);
}

template <class T>
void product(Strided<T> a, const T* b, const T* start, T* c, Sizes sizes) {
    constexpr size_t PAIR = 2 * LANES<T>;
    size_t j = 0;
    for (; j + PAIR <= sizes.width; j += PAIR) product_strip<T, 2>(a, b + j, start ? start + j : start, c + j, sizes);
    for (; j < sizes.width; j += LANES<T>) product_strip<T, 1>(a, b + j, start ? start + j : start, c + j, sizes);
}

template <class T>
void silu(T* x, T* slopes, size_t count) {
    for (size_t i = 0; i < count; i += LANES<T>) {
        const Vec<T> s = logistic<T>(vector(x + i)), y = vector(x + i) * s;
        vector(x + i) = y;
        vector(slopes + i) = s + y * (T(1) - s);
    }
}

template <class T>
void bound(T* x, T* slopes, T most, size_t count) {
    for (size_t i = 0; i < count; i += LANES<T>) {
        const Vec<T> tanh = T(2) * logistic<T>(T(2) * vector(x + i)) - T(1);
        vector(x + i) = most * tanh;
        vector(slopes + i) = most * (T(1) - tanh * tanh);
    }
}

template <class T>
void multiply(T* x, const T* factors, size_t count) {
    for (size_t i = 0; i < count; i += LANES<T>) vector(x + i) *= vector(factors + i);
}

}  // namespace
}  // namespace qloom
