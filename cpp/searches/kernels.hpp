// The searches' kernels: local fields of spins, and oscillators. One source (kernels.cpp) is compiled for several
// instruction sets.
#pragma once
#include <cstddef>
#include <cstdint>

namespace qloom {

constexpr size_t FLIP_BLOCK = 64, PANEL_ROWS = 6, TILE_VECTORS = 2;

struct SearchKernels {
    size_t lanes;  // numbers of a vector

    // local[j] += change * row[j], for spins and their couplings.
    void (*add_row)(float* local, const float* row, float change, size_t n);
    void (*add_integers)(int16_t* local, const int16_t* row, int16_t change, size_t n);
    // Where spins[i] * local[i] + held[i] is largest; among equals one near `start`, an index. Arrays are of whole
    // blocks.
    size_t (*best_flip)(const float* local, const int8_t* spins, const float* held, size_t blocks, size_t start);
    size_t (*best_integer_flip)(const int16_t* local, const int8_t* spins, const int16_t* held, size_t blocks,
                                size_t start);

    // A tile of oscillators has two vectors a variable, each lane a replica.
    // y += A x, A in panels of PANEL_ROWS rows, each column by column; y of as many rows as the panels.
    void (*add_products)(float* y, const float* panels, const float* x, size_t count, size_t columns);
    // The same by rows of a sparse A.
    void (*add_sparse_products)(float* y, const int64_t* starts, const int32_t* columns, const float* values,
                                const float* x, size_t n);
    // A step of n variables: y -= step p x, x += step y, those beyond -1 .. 1 put to rest there, and then
    // p -= share (1 - control x^2) p, each lane by its own of `controls`. Signs of x are written if wanted, else null.
    void (*swing)(float* x, float* y, float* p, float* signs, const float* controls, size_t n, float step, float share);
};

// Of the chosen instruction set.
const SearchKernels& search_kernels();

}  // namespace qloom
