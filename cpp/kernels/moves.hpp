// Cells from where they lie in a state into a block, and back.
#pragma once
#include "vectors.hpp"

namespace qloom {
namespace {

template <class T>
QLOOM_INLINE void move(const T* from, size_t from_bytes, T* to, size_t to_bytes, uint32_t flip) {
    Cell<T> a = load(from, from_bytes);
    if (flip) a = LaneFlip<T>(flip)(a);
    store(to, to_bytes, a.re, a.im);
}

template <class T>
void gather(const T* state, T* block, size_t cells, uint32_t base, const uint32_t* places, const uint8_t* flips) {
    for (size_t k = 0; k < cells; ++k)
        move(state, size_t(base ^ places[k]) * CELL_BYTES, block, k * CELL_BYTES, flips ? flips[k] : 0);
}

template <class T>
void scatter(T* state, const T* block, size_t cells, uint32_t base, const uint32_t* places, const uint8_t* flips) {
    for (size_t k = 0; k < cells; ++k)
        move(block, k * CELL_BYTES, state, size_t(base ^ places[k]) * CELL_BYTES, flips ? flips[k] : 0);
}

}  // namespace
}  // namespace qloom
