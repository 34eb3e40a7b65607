// Cells from where they lie in a state into a block, and back.
#pragma once
#include "kernels/vectors.hpp"

namespace qloom {
namespace {

// Cells that come from afar are asked for so many ahead: loads alone would wait for one another.
constexpr size_t AHEAD = 32;

template <class T>
void gather(const T* state, T* block, size_t cells, uint32_t base, const uint32_t* places, const uint8_t* flips) {
    const auto from = [&](size_t k) { return size_t(base ^ places[k]) * CELL_BYTES; };
    for (size_t k = 0; k < cells; ++k) {
        __builtin_prefetch(reinterpret_cast<const char*>(state) + from(k + AHEAD < cells ? k + AHEAD : k));
        const Cell<T> a = load(state, from(k));
        const Cell<T> b = flips ? LaneFlip<T>(flips[k])(a) : a;
        store(block, k * CELL_BYTES, b.re, b.im);
    }
}

template <class T>
void scatter(T* state, const T* block, size_t cells, uint32_t base, const uint32_t* places, const uint8_t* flips) {
    for (size_t k = 0; k < cells; ++k) {
        const Cell<T> a = load(block, k * CELL_BYTES);
        const Cell<T> b = flips ? LaneFlip<T>(flips[k])(a) : a;
        store(state, size_t(base ^ places[k]) * CELL_BYTES, b.re, b.im);
    }
}

}  // namespace
}  // namespace qloom
