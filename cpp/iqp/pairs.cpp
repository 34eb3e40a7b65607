// With signs s, symmetric couplings C and a word on the qubits I, its phase is
// 2 sum_{i in I} s_i (linear_i + (C s)_i - sum_{j in I} C_ij s_j): one product C s serves all words.
#include <algorithm>
#include <vector>

#include "iqp/words.hpp"
#include "kernels/kernels.hpp"
#include "machine/arena.hpp"
#include "machine/interrupt.hpp"
#include "machine/threads.hpp"

namespace qloom {
namespace {

// The word's own numbers out of `linear` and twice `couplings`.
template <class T>
void gather_word(const int32_t* qubits, size_t count, const T* linear, const T* couplings, size_t n, T* own_linear,
                 T* own_couplings) {
    for (size_t a = 0; a < count; ++a) {
        const T* row = couplings + size_t(qubits[a]) * n;
        own_linear[a] = linear[qubits[a]];
        for (size_t b = 0; b < a; ++b) own_couplings[a * count + b] = 2 * row[qubits[b]];
    }
}

// Words that each qubit is in, one list after the other.
struct WordsOfQubits {
    std::vector<size_t> starts, words;

    WordsOfQubits(const Supports& supports, size_t n_qubits) : starts(n_qubits + 1) {
        const size_t all = size_t(supports.starts[supports.count]);
        for (size_t k = 0; k < all; ++k) ++starts[size_t(supports.qubits[k]) + 1];
        for (size_t i = 0; i < n_qubits; ++i) starts[i + 1] += starts[i];
        words.resize(all);
        std::vector<size_t> next(starts.begin(), starts.end() - 1);
        for (size_t a = 0; a < supports.count; ++a)
            for (size_t k = 0; k < supports.size(a); ++k) words[next[size_t(supports.of(a)[k])]++] = a;
    }
};

}  // namespace

template <class T>
void couplings_of(const Supports& gates, size_t n_qubits, const T* angles, T* linear, T* couplings) {
    std::fill_n(linear, n_qubits, T(0));
    std::fill_n(couplings, n_qubits * n_qubits, T(0));
    for (size_t g = 0; g < gates.count; ++g) {
        const size_t p = size_t(gates.of(g)[0]), q = size_t(gates.of(g)[gates.size(g) - 1]);
        if (p == q)
            linear[p] += angles[g];
        else
            couplings[p * n_qubits + q] += angles[g], couplings[q * n_qubits + p] += angles[g];
    }
}

template <class T>
void slopes_of_angles(const Supports& gates, size_t n_qubits, const T* by_linear, const T* by_couplings, T* by_angles) {
    for (size_t g = 0; g < gates.count; ++g) {
        const size_t p = size_t(gates.of(g)[0]), q = size_t(gates.of(g)[gates.size(g) - 1]);
        by_angles[g] = p == q ? by_linear[p] : by_couplings[p * n_qubits + q] + by_couplings[q * n_qubits + p];
    }
}

template <class T>
void pair_phases(const Supports& words, const Strings<T>& strings, const T* linear, const T* couplings, const T* fields,
                 T* phases, int threads) {
    parallel_for(words.count, threads, [&](size_t a) {
        const size_t count = words.size(a);
        Watch::check(count * (count + 1) * strings.stride / 2);
        Scratch scratch;
        T *own_linear = scratch.take<T>(count), *own_couplings = scratch.take<T>(count * count);
        gather_word(words.of(a), count, linear, couplings, strings.n_qubits, own_linear, own_couplings);
        kernels<T>().word_phase({strings.signs, fields, strings.stride, words.of(a), count, own_linear, own_couplings},
                                phases + a * strings.stride);
    });
}

template <class T>
void pair_slopes(const Supports& words, const Strings<T>& strings, const T* slopes, const PairSlopes<T>& out,
                 int threads) {
    const size_t stride = strings.stride, n = strings.n_qubits;
    std::vector<size_t> places(words.count + 1);
    for (size_t a = 0; a < words.count; ++a) places[a + 1] = places[a] + words.size(a) * (words.size(a) - 1) / 2;
    std::vector<T> within(places.back());
    parallel_for(words.count, threads, [&](size_t a) {
        Watch::check(words.size(a) * words.size(a) * stride / 2);
        Scratch scratch;
        kernels<T>().pair_sums(slopes + a * stride, strings.signs, words.of(a), words.size(a), stride,
                               scratch.take<T>(stride), within.data() + places[a]);
    });
    std::fill_n(out.couplings, n * n, T(0));
    const T* sum = within.data();
    for (size_t a = 0; a < words.count; ++a)
        for (size_t i = 0; i < words.size(a); ++i)
            for (size_t j = 0; j < i; ++j, ++sum) {
                const size_t p = size_t(words.of(a)[i]), q = size_t(words.of(a)[j]);
                out.couplings[p * n + q] -= 2 * *sum, out.couplings[q * n + p] -= 2 * *sum;
            }
    const WordsOfQubits of(words, n);
    parallel_for(n, threads, [&](size_t i) {
        Watch::check((of.starts[i + 1] - of.starts[i] + 1) * stride);
        T* row = out.fields + i * stride;
        std::fill_n(row, stride, T(0));
        for (size_t k = of.starts[i]; k < of.starts[i + 1]; ++k)
            kernels<T>().add(slopes + of.words[k] * stride, row, stride);
        const T* signs = strings.signs + i * stride;
        for (size_t k = 0; k < stride; ++k) row[k] *= 2 * signs[k];
    });
}

template void couplings_of(const Supports&, size_t, const float*, float*, float*);
template void couplings_of(const Supports&, size_t, const double*, double*, double*);
template void slopes_of_angles(const Supports&, size_t, const float*, const float*, float*);
template void slopes_of_angles(const Supports&, size_t, const double*, const double*, double*);
template void pair_phases(const Supports&, const Strings<float>&, const float*, const float*, const float*, float*,
                          int);
template void pair_phases(const Supports&, const Strings<double>&, const double*, const double*, const double*, double*,
                          int);
template void pair_slopes(const Supports&, const Strings<float>&, const float*, const PairSlopes<float>&, int);
template void pair_slopes(const Supports&, const Strings<double>&, const double*, const PairSlopes<double>&, int);

}  // namespace qloom
