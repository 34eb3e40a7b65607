// Cells from where they lie in a state into a block, and back.
#pragma once
#include "kernels/vectors.hpp"

namespace qloom {
namespace {

// Cells that come from afar are asked for so many ahead: loads alone would wait for one another.
constexpr size_t AHEAD = 32;

template <int PARTS, class T>
void gather(const T* state, T* block, size_t cells, uint32_t base, const uint32_t* places, const uint8_t* flips) {
    for (size_t k = 0; k < cells; ++k) {
        __builtin_prefetch(parts_of<PARTS>(state, base ^ places[k + AHEAD < cells ? k + AHEAD : k]));
        Parts<PARTS, T> cell = read_parts<PARTS>(state, base ^ places[k]);
        if (flips)
            for (int p = 0; p < PARTS; ++p) cell[p] = LaneFlip<T>(flips[k])(cell[p]);
        write_parts(block, k, cell);
    }
}

template <int PARTS, class T>
void scatter(T* state, const T* block, size_t cells, uint32_t base, const uint32_t* places, const uint8_t* flips) {
    for (size_t k = 0; k < cells; ++k) {
        Parts<PARTS, T> cell = read_parts<PARTS>(block, k);
        if (flips)
            for (int p = 0; p < PARTS; ++p) cell[p] = LaneFlip<T>(flips[k])(cell[p]);
        write_parts(state, base ^ places[k], cell);
    }
}

}  // namespace
}  // namespace qloom
