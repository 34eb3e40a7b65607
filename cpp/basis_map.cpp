#include "basis_map.hpp"

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
void BasisMap::scatter(const std::complex<T>* before, std::complex<double> factor, std::complex<T>* after,
                       int threads) const {
    const T re = T(factor.real()), im = T(factor.imag());
    const T factors[4][2] = {{re, im}, {-im, re}, {-re, -im}, {im, -re}};
    parallel_for(high.size(), threads, [&](size_t h) {
        Watch::check(2 * low.size());
        for (uint64_t index = h << low_bits, end = index + low.size(); index < end; ++index) {
            const auto [target, quarter] = (*this)(index);
            const auto [c, s] = factors[quarter];
            const T a = before[index].real(), b = before[index].imag();
            after[target] = {c * a - s * b, c * b + s * a};
        }
    });
}

template void BasisMap::scatter(const std::complex<float>*, std::complex<double>, std::complex<float>*, int) const;
template void BasisMap::scatter(const std::complex<double>*, std::complex<double>, std::complex<double>*, int) const;

}  // namespace qloom::lowering
