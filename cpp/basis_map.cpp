#include "basis_map.hpp"

#include <algorithm>

#include "arena.hpp"
#include "interrupt.hpp"
#include "threads.hpp"

namespace qloom::lowering {

BasisMap::BasisMap(uint64_t start, const std::vector<Word>& forward)
    : low_bits(forward.size() / 2), low{{start, 0}}, high{{0, 0, 0}} {
    for (size_t bit = 0; bit < low_bits; ++bit)
        for (size_t i = 0, end = low.size(); i < end; ++i) {
            const Word& w = forward[bit];
            const Image from = low[i];
            low.push_back({from.target ^ w.x, from.quarter + w.k + 2 * __builtin_parityll(from.target & w.z)});
        }
    for (size_t bit = low_bits; bit < forward.size(); ++bit)
        for (size_t i = 0, end = high.size(); i < end; ++i) {
            const Word &w = forward[bit], from = high[i];
            high.push_back({from.x ^ w.x, from.z ^ w.z, from.k + w.k + 2 * __builtin_parityll(from.x & w.z)});
        }
}

template <class T>
void BasisMap::apply(std::complex<T>* states, size_t n_states, const std::complex<double>* factors, int threads) const {
    // Threads share a large state, and the samples of a batch of small ones.
    if (size() >= LEAST_SHARED) {
        for (size_t k = 0; k < n_states; ++k) apply(states + k * size(), factors[k], high.size(), threads);
        return;
    }
    const size_t parts = n_states < MOST_PARTS ? n_states : MOST_PARTS;
    const bool work = n_states * size() >= LEAST_SHARED;
    parallel_for(parts, work ? threads : 1, [&](size_t part) {
        for (size_t k = n_states * part / parts; k < n_states * (part + 1) / parts; ++k)
            apply(states + k * size(), factors[k], 1, 1);
    });
}

template <class T>
void BasisMap::apply(std::complex<T>* state, std::complex<double> factor, size_t parts, int threads) const {
    Scratch inner;
    auto* before = inner.take<std::complex<T>>(size());
    const auto range = [&](size_t part) { return high.size() * part / parts; };
    parallel_for(parts, threads, [&](size_t p) {
        std::copy(state + (range(p) << low_bits), state + (range(p + 1) << low_bits), before + (range(p) << low_bits));
    });
    parallel_for(parts, threads, [&](size_t p) { scatter(before, factor, state, range(p), range(p + 1)); });
}

template <class T>
void BasisMap::scatter(const std::complex<T>* before, std::complex<double> factor, std::complex<T>* after, size_t begin,
                       size_t end) const {
    const T re = T(factor.real()), im = T(factor.imag());
    const T factors[4][2] = {{re, im}, {-im, re}, {-re, -im}, {im, -re}};
    Watch::check((end - begin) << (low_bits + 1));
    for (uint64_t index = begin << low_bits; index < end << low_bits; ++index) {
        const auto [target, quarter] = (*this)(index);
        const auto [c, s] = factors[quarter];
        const T a = before[index].real(), b = before[index].imag();
        after[target] = {c * a - s * b, c * b + s * a};
    }
}

template void BasisMap::apply(std::complex<float>*, size_t, const std::complex<double>*, int) const;
template void BasisMap::apply(std::complex<double>*, size_t, const std::complex<double>*, int) const;

}  // namespace qloom::lowering
