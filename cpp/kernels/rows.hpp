// Rows of couplings added to the local fields of spins.
#pragma once
#include <cstddef>
#include <cstdint>

namespace qloom {
namespace {

template <class F>
void add_row(F* local, const F* row, F change, size_t n) {
    for (size_t j = 0; j < n; ++j) local[j] = F(local[j] + change * row[j]);
}

}  // namespace
}  // namespace qloom
