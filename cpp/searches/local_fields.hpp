// Local fields of spins: rows of couplings added to them, the best flip by them.
#pragma once
#include <cstddef>
#include <cstdint>

#include "searches/kernels.hpp"

namespace qloom {
namespace {

template <class F>
void add_row(F* local, const F* row, F change, size_t n) {
    for (size_t j = 0; j < n; ++j) local[j] = F(local[j] + change * row[j]);
}

template <class F>
size_t best_flip(const F* local, const int8_t* spins, const F* held, size_t blocks, size_t start) {
    auto value = [&](size_t i) { return F(spins[i] * local[i] + held[i]); };
    F most[FLIP_BLOCK];  // of each place in a block: a vector's lanes do not wait for each other
    for (size_t k = 0; k < FLIP_BLOCK; ++k) most[k] = value(k);
    for (size_t i = FLIP_BLOCK; i < blocks * FLIP_BLOCK; i += FLIP_BLOCK)
        for (size_t k = 0; k < FLIP_BLOCK; ++k) most[k] = value(i + k) > most[k] ? value(i + k) : most[k];
    F best = most[0];
    for (size_t k = 1; k < FLIP_BLOCK; ++k) best = most[k] > best ? most[k] : best;
    for (size_t b = 0; b < blocks; ++b) {
        const size_t i = (start / FLIP_BLOCK + b) % blocks * FLIP_BLOCK;
        int found = 0;
        for (size_t k = 0; k < FLIP_BLOCK; ++k) found |= value(i + k) == best;
        if (!found) continue;
        for (size_t k = start;; ++k)
            if (value(i + k % FLIP_BLOCK) == best) return i + k % FLIP_BLOCK;
    }
    return start;  // not reached: one of the values is the largest
}

}  // namespace
}  // namespace qloom
