// The two ways to lay a batch out on vectors; engine.cpp picks one.
#pragma once
#include "program.hpp"

namespace qloom {

// Lanes are samples: for many samples of a small register. A tile of `lanes` samples runs through the whole program.
namespace batched {
template <class T>
void forward(const Program&, const Batch<T>&, T* values, T* kept);
template <class T>
void backward(const Program&, const Batch<T>&, const Gradient<T>&);
template <class T>
void states(const Program&, const Batch<T>&, T* out);
}  // namespace batched

// Lanes are amplitudes: one sample at a time, for large registers or few samples.
namespace single {
template <class T>
void forward(const Program&, const Batch<T>&, T* values, T* kept);
template <class T>
void backward(const Program&, const Batch<T>&, const Gradient<T>&);
template <class T>
void states(const Program&, const Batch<T>&, T* out);
}  // namespace single

// Work is cut into at most this many parts, whatever the number of threads, and sums are taken part by part in order:
// so results do not depend on the threads.
inline size_t n_parts(size_t items) { return items < 16 ? items : items < 1024 ? 16 : 64; }

// Sums of `width` numbers for each part, added up part by part.
template <class T>
void add_parts(const double* sums, size_t parts, size_t width, T* out) {
    for (size_t k = 0; k < width; ++k) {
        double total = 0;
        for (size_t part = 0; part < parts; ++part) total += sums[part * width + k];
        out[k] = T(total);
    }
}

}  // namespace qloom
