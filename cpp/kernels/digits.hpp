// Linear maps of a block of cells whose place is a number with digits of base 4: a vector over Pauli words. A map acts
// on some digits; a group are the cells that differ in these alone.
#pragma once
#include "kernels/kernels.hpp"
#include "kernels/vectors.hpp"

namespace qloom {
namespace {

// block[k] = the vector at places[k], and back.
template <class T>
void gather_digits(const T* from, T* block, size_t cells, const uint32_t* places) {
    for (size_t k = 0; k < cells; ++k) vector(block + k * LANES<T>) = vector(from + places[k]);
}
template <class T>
void scatter_digits(T* to, const T* block, size_t cells, const uint32_t* places) {
    for (size_t k = 0; k < cells; ++k) vector(to + places[k]) = vector(block + k * LANES<T>);
}

// The same with lanes that do not lie side by side: lane l is lanes[l] numbers further on.
template <class T>
void gather_lanes(const T* from, T* block, size_t cells, const uint32_t* places, const uint32_t* lanes) {
    for (size_t k = 0; k < cells; ++k) {
        Vec<T> all;
        for (int l = 0; l < LANES<T>; ++l) all[l] = from[places[k] + lanes[l]];
        vector(block + k * LANES<T>) = all;
    }
}
template <class T>
void scatter_lanes(T* to, const T* block, size_t cells, const uint32_t* places, const uint32_t* lanes) {
    for (size_t k = 0; k < cells; ++k) {
        const Vec<T> all = vector(block + k * LANES<T>);
        for (int l = 0; l < LANES<T>; ++l) to[places[k] + lanes[l]] = all[l];
    }
}

// One digit, a matrix whose first row is (1, 0, 0, 0): `matrix` has the other twelve vectors. WIDE groups at once.
template <int WIDE, class T>
QLOOM_INLINE void map_digit_groups(const T* in, T* out, const T* matrix, const uint16_t* groups, size_t stride) {
    Vec<T> x[4][WIDE];
    size_t at[WIDE];
    for (int w = 0; w < WIDE; ++w) at[w] = groups[w] * size_t(LANES<T>);
    for (int c = 0; c < 4; ++c)
        for (int w = 0; w < WIDE; ++w) x[c][w] = vector(in + at[w] + c * stride);
    for (int w = 0; w < WIDE; ++w) vector(out + at[w]) = x[0][w];
    for (int r = 1; r < 4; ++r) {
        const T* row = matrix + (r - 1) * 4 * LANES<T>;
        Vec<T> sum[WIDE];
        for (int w = 0; w < WIDE; ++w) sum[w] = vector(row) * x[0][w];
        for (int c = 1; c < 4; ++c)
            for (int w = 0; w < WIDE; ++w) sum[w] += vector(row + c * LANES<T>) * x[c][w];
        for (int w = 0; w < WIDE; ++w) vector(out + at[w] + r * stride) = sum[w];
    }
}
template <class T>
void map_digit(const T* in, T* out, const T* matrix, const DigitGroups& g) {
    const size_t stride = g.stride * size_t(LANES<T>);
    size_t k = 0;
    for (; k + 2 <= g.count; k += 2) map_digit_groups<2>(in, out, matrix, g.groups + k, stride);
    for (; k < g.count; ++k) map_digit_groups<1>(in, out, matrix, g.groups + k, stride);
}

// The transposed matrix.
template <int WIDE, class T>
QLOOM_INLINE void pull_digit_groups(const T* in, T* out, const T* matrix, const uint16_t* groups, size_t stride) {
    Vec<T> x[4][WIDE];
    size_t at[WIDE];
    for (int w = 0; w < WIDE; ++w) at[w] = groups[w] * size_t(LANES<T>);
    for (int c = 0; c < 4; ++c)
        for (int w = 0; w < WIDE; ++w) x[c][w] = vector(in + at[w] + c * stride);
    for (int c = 0; c < 4; ++c) {
        Vec<T> sum[WIDE];
        for (int w = 0; w < WIDE; ++w) sum[w] = vector(matrix + c * LANES<T>) * x[1][w];
        for (int r = 2; r < 4; ++r)
            for (int w = 0; w < WIDE; ++w) sum[w] += vector(matrix + ((r - 1) * 4 + c) * LANES<T>) * x[r][w];
        for (int w = 0; w < WIDE; ++w) vector(out + at[w] + c * stride) = c ? sum[w] : sum[w] + x[0][w];
    }
}
template <class T>
void pull_digit(const T* in, T* out, const T* matrix, const DigitGroups& g) {
    const size_t stride = g.stride * size_t(LANES<T>);
    size_t k = 0;
    for (; k + 2 <= g.count; k += 2) pull_digit_groups<2>(in, out, matrix, g.groups + k, stride);
    for (; k < g.count; ++k) pull_digit_groups<1>(in, out, matrix, g.groups + k, stride);
}

// sums[(r - 1) * 4 + c] += the sum over groups of lambda[r] x[c].
template <class T>
void sum_digit(const T* x, const T* lambda, T* sums, const DigitGroups& g) {
    const size_t stride = g.stride * size_t(LANES<T>);
    Vec<T> total[12];
    for (int k = 0; k < 12; ++k) total[k] = vector(sums + k * LANES<T>);
    for (size_t k = 0; k < g.count; ++k) {
        const size_t at = g.groups[k] * size_t(LANES<T>);
        const Vec<T> l1 = vector(lambda + at + stride), l2 = vector(lambda + at + 2 * stride),
                     l3 = vector(lambda + at + 3 * stride);
        for (int c = 0; c < 4; ++c) {
            const Vec<T>& from = vector(x + at + c * stride);
            total[c] += l1 * from;
            total[4 + c] += l2 * from;
            total[8 + c] += l3 * from;
        }
    }
    for (int k = 0; k < 12; ++k) vector(sums + k * LANES<T>) = total[k];
}

// One row of a sparse map with ENTRIES entries, over all groups.
template <int ENTRIES, class T>
QLOOM_INLINE void map_row(const T* in, T* to, const T* values, const uint32_t* entries, const uint16_t* columns,
                          const DigitGroups& g) {
    Vec<T> factor[ENTRIES > 0 ? ENTRIES : 1];
    const T* from[ENTRIES > 0 ? ENTRIES : 1];
    for (int e = 0; e < ENTRIES; ++e) {
        factor[e] = vector(values + entries[e] * size_t(LANES<T>));
        from[e] = in + columns[e] * size_t(LANES<T>);
    }
    for (size_t k = 0; k < g.count; ++k) {
        const size_t at = g.groups[k] * size_t(LANES<T>);
        Vec<T> sum = {};
        for (int e = 0; e < ENTRIES; ++e) sum += factor[e] * vector(from[e] + at);
        vector(to + at) = sum;
    }
}
template <class T>
void map_row_of_many(const T* in, T* to, const T* values, const uint32_t* entries, const uint16_t* columns,
                     size_t count, const DigitGroups& g) {
    for (size_t k = 0; k < g.count; ++k) {
        const size_t at = g.groups[k] * size_t(LANES<T>);
        Vec<T> sum = {};
        for (size_t e = 0; e < count; ++e)
            sum += vector(values + entries[e] * size_t(LANES<T>)) * vector(in + at + columns[e] * size_t(LANES<T>));
        vector(to + at) = sum;
    }
}

template <class T>
void map_rows(const T* in, T* out, const T* values, const DigitRows& rows, const DigitGroups& g) {
    for (size_t r = 0; r < rows.count; ++r) {
        const uint32_t first = rows.starts[r], count = rows.starts[r + 1] - first;
        const uint32_t* entries = rows.entries + first;
        const uint16_t* columns = rows.columns + first;
        T* to = out + rows.places[r] * size_t(LANES<T>);
        if (count == 1)
            map_row<1>(in, to, values, entries, columns, g);
        else if (count == 2)
            map_row<2>(in, to, values, entries, columns, g);
        else if (count == 0)
            map_row<0>(in, to, values, entries, columns, g);
        else if (count == 3)
            map_row<3>(in, to, values, entries, columns, g);
        else if (count == 4)
            map_row<4>(in, to, values, entries, columns, g);
        else
            map_row_of_many(in, to, values, entries, columns, count, g);
    }
}

// sums[entry] += the sum over groups of lambda[row] x[column], for some entries.
template <class T>
void sum_entries(const T* x, const T* lambda, T* sums, const DigitEntries& some, const DigitGroups& g) {
    for (size_t e = 0; e < some.count; ++e) {
        const T *row = lambda + some.rows[e] * size_t(LANES<T>), *column = x + some.columns[e] * size_t(LANES<T>);
        Vec<T> total = {};
        for (size_t k = 0; k < g.count; ++k) {
            const size_t at = g.groups[k] * size_t(LANES<T>);
            total += vector(row + at) * vector(column + at);
        }
        vector(sums + some.entries[e] * size_t(LANES<T>)) += total;
    }
}

}  // namespace
}  // namespace qloom
