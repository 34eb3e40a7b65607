// Oscillators of simulated bifurcation: forces by products with a matrix, and the steps they cause.
#pragma once
#include "kernels/vectors.hpp"
#include "searches/kernels.hpp"

namespace qloom {
namespace {

constexpr size_t WIDE = TILE_VECTORS;

template <class T>
void add_products(T* y, const T* panels, const T* x, size_t count, size_t columns) {
    for (size_t p = 0; p < count; ++p, y += PANEL_ROWS * WIDE * LANES<T>) {
        Vec<T> sums[PANEL_ROWS][WIDE];
        for (size_t r = 0; r < PANEL_ROWS; ++r)
            for (size_t v = 0; v < WIDE; ++v) sums[r][v] = vector(y + (r * WIDE + v) * LANES<T>);
        const T* from = x;
        for (size_t j = 0; j < columns; ++j, panels += PANEL_ROWS, from += WIDE * LANES<T>) {
            Vec<T> own[WIDE];
            for (size_t v = 0; v < WIDE; ++v) own[v] = vector(from + v * LANES<T>);
#pragma GCC unroll 6
            for (size_t r = 0; r < PANEL_ROWS; ++r)
                for (size_t v = 0; v < WIDE; ++v) sums[r][v] += panels[r] * own[v];
        }
        for (size_t r = 0; r < PANEL_ROWS; ++r)
            for (size_t v = 0; v < WIDE; ++v) vector(y + (r * WIDE + v) * LANES<T>) = sums[r][v];
    }
}

template <class T>
void add_sparse_products(T* y, const int64_t* starts, const int32_t* columns, const T* values, const T* x, size_t n) {
    constexpr int64_t UNROLLED = 4;  // sums that do not wait for each other
    for (size_t i = 0; i < n; ++i, y += WIDE * LANES<T>) {
        Vec<T> sums[UNROLLED][WIDE] = {};
        auto add = [&](int64_t k, Vec<T>* sum) __attribute__((always_inline)) {
            const T* from = x + size_t(columns[k]) * WIDE * LANES<T>;
            for (size_t v = 0; v < WIDE; ++v) sum[v] += values[k] * vector(from + v * LANES<T>);
        };
        int64_t k = starts[i];
        for (; k + UNROLLED <= starts[i + 1]; k += UNROLLED)
#pragma GCC unroll 4
            for (int64_t u = 0; u < UNROLLED; ++u) add(k + u, sums[u]);
        for (; k < starts[i + 1]; ++k) add(k, sums[0]);
        for (size_t v = 0; v < WIDE; ++v)
            vector(y + v * LANES<T>) += (sums[0][v] + sums[1][v]) + (sums[2][v] + sums[3][v]);
    }
}

template <class T>
void swing(T* x, T* y, T* p, T* signs, const T* controls, size_t n, T step, T share) {
    const Vec<T> one = broadcast(T(1)), none = broadcast(T(0));
    for (size_t i = 0; i < n; ++i)
        for (size_t v = 0; v < WIDE; ++v) {
            const size_t at = (i * WIDE + v) * LANES<T>;
            Vec<T> own = vector(x + at), speed = vector(y + at), pump = vector(p + at);
            speed -= step * pump * own;
            own += step * speed;
            const auto above = own > one, below = own < -one;
            speed = above | below ? none : speed;
            own = above ? one : below ? -one : own;
            vector(x + at) = own;
            vector(y + at) = speed;
            vector(p + at) = pump - share * (one - vector(controls + v * LANES<T>) * own * own) * pump;
            if (signs) vector(signs + at) = own < none ? -one : one;
        }
}

}  // namespace
}  // namespace qloom
