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
        const Vec<T>* from = parts_of<PARTS>(state, base ^ places[k]);
        Vec<T>* to = parts_of<PARTS>(block, k);
        for (int p = 0; p < PARTS; ++p) to[p] = flips ? LaneFlip<T>(flips[k])(from[p]) : from[p];
    }
}

template <int PARTS, class T>
void scatter(T* state, const T* block, size_t cells, uint32_t base, const uint32_t* places, const uint8_t* flips) {
    for (size_t k = 0; k < cells; ++k) {
        const Vec<T>* from = parts_of<PARTS>(block, k);
        Vec<T>* to = parts_of<PARTS>(state, base ^ places[k]);
        for (int p = 0; p < PARTS; ++p) to[p] = flips ? LaneFlip<T>(flips[k])(from[p]) : from[p];
    }
}

}  // namespace
}  // namespace qloom
