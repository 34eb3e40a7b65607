// The Walsh-Hadamard transform.
#pragma once
#include "kernels/vectors.hpp"

namespace qloom {
namespace {

// Sums and differences of two halves of `count` numbers each.
template <class T>
QLOOM_INLINE void halves(T* values, size_t count) {
    size_t i = 0;
    for (; i + LANES<T> <= count; i += LANES<T>) {
        Vec<T> a, b;
        __builtin_memcpy(&a, values + i, sizeof a);
        __builtin_memcpy(&b, values + count + i, sizeof b);
        const Vec<T> sum = a + b, difference = a - b;
        __builtin_memcpy(values + i, &sum, sizeof sum);
        __builtin_memcpy(values + count + i, &difference, sizeof difference);
    }
    for (; i < count; ++i) {
        const T a = values[i], b = values[count + i];
        values[i] = a + b, values[count + i] = a - b;
    }
}

// What fits in the first cache is done at once; above that the halves one after the other.
template <class T>
void walsh(T* values, size_t size, size_t width) {
    constexpr size_t AT_ONCE = 16384 / sizeof(T);
    if (size < 2) return;
    if (size > 2 && size * width > AT_ONCE) {
        const size_t half = size / 2 * width;
        halves(values, half);
        walsh(values, size / 2, width);
        walsh(values + half, size / 2, width);
        return;
    }
    for (size_t half = size / 2 * width; half >= width; half /= 2)
        for (size_t block = 0; block < size * width; block += 2 * half) halves(values + block, half);
}

}  // namespace
}  // namespace qloom
