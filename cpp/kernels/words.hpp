// Pauli words as rows of 64-bit numbers, and the coefficients that belong to them, a number a lane.
#pragma once
#include "kernels/kernels.hpp"
#include "kernels/vectors.hpp"

namespace qloom {
namespace {

template <size_t PARTS>
size_t find_odd_words_of(const uint64_t* words, size_t stride, size_t begin, size_t end, const WordPart* parts,
                         size_t n_parts, uint32_t* found) {
    size_t n = 0;
    for (size_t i = begin; i < end; ++i) {
        uint64_t bits = 0;
        for (size_t p = 0; p < (PARTS ? PARTS : n_parts); ++p)
            bits ^= words[i * stride + parts[p].offset] & parts[p].mask;
        found[n] = uint32_t(i);
        n += size_t(__builtin_popcountll(bits) & 1);
    }
    return n;
}

inline size_t find_odd_words(const uint64_t* words, size_t stride, size_t begin, size_t end, const WordPart* parts,
                             size_t n_parts, uint32_t* found) {
    const auto find = n_parts == 1 ? find_odd_words_of<1> : n_parts == 2 ? find_odd_words_of<2> : find_odd_words_of<0>;
    return find(words, stride, begin, end, parts, n_parts, found);
}

// (a, b) = (c a - s b, c b + s a).
template <class T>
void turn_pair(T* a, T* b, const T* cosines, const T* sines, size_t lanes) {
    for (size_t l = 0; l < lanes; ++l) {
        const T x = a[l], y = b[l];
        a[l] = cosines[l] * x - sines[l] * y;
        b[l] = cosines[l] * y + sines[l] * x;
    }
}

// slopes += mu a - lambda b, where lambda and mu are the slopes by a and b after a turn; then both pairs turned back.
template <class T>
void turn_pair_back(T* a, T* b, T* lambda, T* mu, const T* cosines, const T* sines, T sign, T* slopes, size_t lanes) {
    for (size_t l = 0; l < lanes; ++l) {
        const T x = a[l], y = b[l], u = lambda[l], v = mu[l], c = cosines[l], s = sines[l];
        slopes[l] += sign * (v * x - u * y);
        a[l] = c * x + s * y, b[l] = c * y - s * x;
        lambda[l] = c * u + s * v, mu[l] = c * v - s * u;
    }
}

// The same for pairs of rows of c, numbers of two rows each; the last bit of the second is the sign of the sines. Rows
// are whole vectors.
constexpr uint32_t SIGN = uint32_t(1) << 31;

template <class T>
void turn_pairs(T* c, const uint32_t* pairs, size_t n, const T* cosines, const T* sines, size_t row) {
    for (size_t k = 0; k < n; ++k) {
        T *a = c + pairs[2 * k] * row, *b = c + (pairs[2 * k + 1] & ~SIGN) * row;
        const Vec<T> sign = broadcast<T>(pairs[2 * k + 1] & SIGN ? -1 : 1);
        for (size_t l = 0; l < row; l += LANES<T>) {
            const Vec<T> x = vector(a + l), y = vector(b + l), cosine = vector(cosines + l),
                         sine = sign * vector(sines + l);
            vector(a + l) = cosine * x - sine * y;
            vector(b + l) = cosine * y + sine * x;
        }
    }
}

// As `turn_pair_back`, last pair first.
template <class T>
void turn_pairs_back(T* c, T* lambda, const uint32_t* pairs, size_t n, const T* cosines, const T* sines, T* slopes,
                     size_t row) {
    for (size_t k = n; k-- > 0;) {
        const size_t first = pairs[2 * k] * row, second = (pairs[2 * k + 1] & ~SIGN) * row;
        T *a = c + first, *b = c + second, *at_a = lambda + first, *at_b = lambda + second;
        const Vec<T> sign = broadcast<T>(pairs[2 * k + 1] & SIGN ? -1 : 1);
        for (size_t l = 0; l < row; l += LANES<T>) {
            const Vec<T> x = vector(a + l), y = vector(b + l), u = vector(at_a + l), v = vector(at_b + l),
                         cosine = vector(cosines + l), sine = sign * vector(sines + l);
            vector(slopes + l) += sign * (v * x - u * y);
            vector(a + l) = cosine * x + sine * y, vector(b + l) = cosine * y - sine * x;
            vector(at_a + l) = cosine * u + sine * v, vector(at_b + l) = cosine * v - sine * u;
        }
    }
}

}  // namespace
}  // namespace qloom
