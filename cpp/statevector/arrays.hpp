// Arrays of a call on their way to the walks.
#pragma once
#include <algorithm>
#include <stdexcept>
#include <string>

#include "machine/kept.hpp"
#include "machine/view.hpp"
#include "statevector/program.hpp"

namespace qloom {

// Shapes of inputs, weights and cotangents were checked in Python; checked here is what the engines give beside them.
inline void check_size(size_t given, size_t expected, const char* what) {
    if (given != expected)
        throw std::invalid_argument(std::string(what) + " has " + std::to_string(given) + " numbers, expected " +
                                    std::to_string(expected) + "; give what belongs to this batch");
}

template <class T>
Batch<T> batch_of(const Program& p, const View<const T>& inputs, const View<const T>& weights, int threads,
                  const View<const uint64_t>& flips) {
    const size_t n_flips = (p.rotations.size() + 63) / 64;
    if (flips.data) check_size(flips.size, inputs.rows * n_flips, "flips");
    return {inputs.rows, inputs.data, weights.data, weights.ndim == 2 ? p.n_weights : 0,
            p.n_inputs,  threads,     flips.data,   n_flips};
}

template <class T>
T* states_of(const Program& p, size_t batch, const Kept* kept) {
    if (!kept) return nullptr;
    check_size(kept->bytes / sizeof(T), kept_size<T>(p, batch), "kept");
    return static_cast<T*>(kept->data());
}

// Null, and the states are found again, where another walk has had them.
template <class T>
T* taken_states(const Program& p, size_t batch, Kept* kept) {
    T* states = states_of<T>(p, batch, kept);
    return kept && kept->take() ? states : nullptr;
}

// Zeros to add derivatives to; null where none are wanted.
template <class T>
T* cleared(const View<T>& derivatives, size_t like, const char* what) {
    if (!derivatives.data) return nullptr;
    check_size(derivatives.size, like, what);
    return std::fill_n(derivatives.data, like, T(0)), derivatives.data;
}

}  // namespace qloom
