#include "iqp/words.hpp"

#include "kernels/kernels.hpp"
#include "machine/arena.hpp"
#include "machine/interrupt.hpp"
#include "machine/threads.hpp"

namespace qloom {

template <class T>
void statistics(const T* phases, size_t words, const Strings<T>& strings, double* means, double* squares, int threads) {
    parallel_for(words, threads, [&](size_t a) {
        Watch::check(strings.stride);
        Scratch scratch;
        T *cosines = scratch.take<T>(strings.stride), *sines = scratch.take<T>(strings.stride);
        kernels<T>().cos_sin(phases + a * strings.stride, strings.stride / kernels<T>().lanes, cosines, sines);
        double sum = 0, square = 0;
        for (size_t k = 0; k < strings.count; ++k) {
            sum += double(cosines[k]);
            square += double(cosines[k]) * double(cosines[k]);
        }
        means[a] = sum / double(strings.count), squares[a] = square / double(strings.count);
    });
}

template <class T>
void phase_slopes(T* phases, size_t words, const Strings<T>& strings, const double* by_means, const double* by_squares,
                  int threads) {
    parallel_for(words, threads, [&](size_t a) {
        Watch::check(strings.stride);
        Scratch scratch;
        T *cosines = scratch.take<T>(strings.stride), *sines = scratch.take<T>(strings.stride);
        T* row = phases + a * strings.stride;
        kernels<T>().cos_sin(row, strings.stride / kernels<T>().lanes, cosines, sines);
        const T first = T(by_means[a] / double(strings.count)), second = T(2 * by_squares[a] / double(strings.count));
        for (size_t k = 0; k < strings.stride; ++k) row[k] = -sines[k] * (first + second * cosines[k]);
    });
}

template void statistics(const float*, size_t, const Strings<float>&, double*, double*, int);
template void statistics(const double*, size_t, const Strings<double>&, double*, double*, int);
template void phase_slopes(float*, size_t, const Strings<float>&, const double*, const double*, int);
template void phase_slopes(double*, size_t, const Strings<double>&, const double*, const double*, int);

}  // namespace qloom
