// Words of Z in circuits of diagonal gates between Hadamards: rows of signs, one a qubit, of strings side by side.
// Rows are of whole vectors.
#pragma once
#include "kernels/kernels.hpp"
#include "kernels/vectors.hpp"

namespace qloom {
namespace {

// ROWS qubits of a word from the a-th on, on VECTORS vectors of strings: their share of half the phase.
template <int ROWS, int VECTORS, class T>
QLOOM_INLINE void word_phase_rows(const WordOfPairs<T>& w, size_t a, size_t from, Vec<T> (&sums)[VECTORS]) {
    Vec<T> field[ROWS][VECTORS];
    const T* couplings = w.couplings + a * w.count;
    for (int r = 0; r < ROWS; ++r) {
        const T* fields = w.fields + w.qubits[a + r] * w.stride + from;
        for (int v = 0; v < VECTORS; ++v) field[r][v] = vector(fields + v * LANES<T>) + w.linear[a + r];
    }
    for (size_t b = 0; b < a; ++b) {
        const T* signs = w.signs + w.qubits[b] * w.stride + from;
        for (int v = 0; v < VECTORS; ++v)
            for (int r = 0; r < ROWS; ++r) field[r][v] -= couplings[r * w.count + b] * vector(signs + v * LANES<T>);
    }
    for (int r = 0; r < ROWS; ++r) {
        const T* signs = w.signs + w.qubits[a + r] * w.stride + from;
        for (int v = 0; v < VECTORS; ++v) {
            const Vec<T> sign = vector(signs + v * LANES<T>);
            sums[v] += sign * field[r][v];
            for (int later = r + 1; later < ROWS; ++later) field[later][v] -= couplings[later * w.count + a + r] * sign;
        }
    }
}

template <int VECTORS, class T>
QLOOM_INLINE void word_phase_strip(const WordOfPairs<T>& w, size_t from, T* phases) {
    Vec<T> sums[VECTORS] = {};
    size_t a = 0;
    for (; a + 2 <= w.count; a += 2) word_phase_rows<2, VECTORS, T>(w, a, from, sums);
    if (a < w.count) word_phase_rows<1, VECTORS, T>(w, a, from, sums);
    for (int v = 0; v < VECTORS; ++v) vector(phases + from + v * LANES<T>) = sums[v] + sums[v];
}

template <class T>
void word_phase(const WordOfPairs<T>& w, T* phases) {
    constexpr size_t STRIP = 4 * LANES<T>;
    size_t from = 0;
    for (; from + STRIP <= w.stride; from += STRIP) word_phase_strip<4>(w, from, phases);
    for (; from < w.stride; from += LANES<T>) word_phase_strip<1>(w, from, phases);
}

// to += factor times the product of the rows of these qubits.
template <class T>
void add_product(T factor, const T* signs, const int32_t* qubits, size_t count, size_t stride, T* to) {
    for (size_t i = 0; i < stride; i += LANES<T>) {
        Vec<T> product = broadcast(factor);
        for (size_t a = 0; a < count; ++a) product *= vector(signs + qubits[a] * stride + i);
        vector(to + i) += product;
    }
}

template <class T>
QLOOM_INLINE T sum_of(const Vec<T>& v) {
    T total = 0;
    for (int lane = 0; lane < LANES<T>; ++lane) total += v[lane];
    return total;
}

// The sum of numbers times the product of the rows of these qubits.
template <class T>
T sum_product(const T* numbers, const T* signs, const int32_t* qubits, size_t count, size_t stride) {
    Vec<T> sum = {};
    for (size_t i = 0; i < stride; i += LANES<T>) {
        Vec<T> product = vector(numbers + i);
        for (size_t a = 0; a < count; ++a) product *= vector(signs + qubits[a] * stride + i);
        sum += product;
    }
    return sum_of<T>(sum);
}

// Sums of numbers times the products of two rows of a word's qubits, (1, 0), (2, 0), (2, 1), ...; `row` is scratch.
template <class T>
void pair_sums(const T* numbers, const T* signs, const int32_t* qubits, size_t count, size_t stride, T* row, T* sums) {
    for (size_t a = 1; a < count; ++a) {
        for (size_t i = 0; i < stride; i += LANES<T>)
            vector(row + i) = vector(numbers + i) * vector(signs + qubits[a] * stride + i);
        size_t b = 0;
        for (; b + 4 <= a; b += 4, sums += 4) {
            const T* of[4];
            for (int k = 0; k < 4; ++k) of[k] = signs + qubits[b + k] * stride;
            Vec<T> four[4] = {};
            for (size_t i = 0; i < stride; i += LANES<T>)
                for (int k = 0; k < 4; ++k) four[k] += vector(row + i) * vector(of[k] + i);
            for (int k = 0; k < 4; ++k) sums[k] = sum_of<T>(four[k]);
        }
        for (; b < a; ++b) *sums++ = sum_product(row, signs, qubits + b, 1, stride);
    }
}

template <class T>
void add(const T* from, T* to, size_t count) {
    for (size_t i = 0; i < count; i += LANES<T>) vector(to + i) += vector(from + i);
}

}  // namespace
}  // namespace qloom
