// A walk's words where the circuit begins.
#include <bit>

#include "propagation/walk_of.hpp"

namespace qloom::propagation {

template <int N>
bool Walk<N>::is_measured(const Word<N>& word) const {
    uint64_t none = 0;
    for (int k = 0; k < N; ++k) {
        const uint64_t x = word.bits[k], z = word.bits[N + k];
        none |= (x & ~z & start.absent(1)[size_t(k)]) | (~x & z & start.absent(2)[size_t(k)]) |
                (x & z & start.absent(3)[size_t(k)]);
    }
    return none == 0;
}

template <int N>
const std::vector<Letter>& Walk<N>::letters_at(size_t i) {
    letters_here.clear();
    for (int k = 0; k < N; ++k)
        for (uint64_t left = words[i].bits[k] | words[i].bits[N + k]; left; left &= left - 1) {
            const unsigned q = unsigned(64 * k + std::countr_zero(left));
            letters_here.push_back({uint16_t(q), uint8_t(words[i].letter(q))});
        }
    return letters_here;
}

template <int N>
void Walk<N>::read() {
    start.prepare(false);
    for (size_t i = 0; i < words.size(); ++i) {
        if (i % CHUNK == 0) Watch::check(CHUNK);
        if (is_measured(words[i])) start.measure(letters_at(i), &c[i * lanes], values);
    }
}

template <int N>
void Walk<N>::read_back(const double* cotangents, double* d_inputs, double* d_weights, double* d_factors) {
    start.prepare(true);
    lambda.assign(words.size() * lanes, 0);
    for (size_t i = 0; i < words.size(); ++i) {
        if (i % CHUNK == 0) Watch::check(CHUNK);
        if (is_measured(words[i])) start.measure_back(letters_at(i), &c[i * lanes], cotangents, &lambda[i * lanes]);
    }
    start.go_back(d_inputs, d_weights, d_factors);
}

template class Walk<1>;
template class Walk<2>;
template class Walk<4>;
template class Walk<16>;

}  // namespace qloom::propagation
