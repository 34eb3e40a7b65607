// Circuits of gates on any sets of qubits, each gate that a word meets in an odd number of qubits for itself.
#include <algorithm>
#include <vector>

#include "iqp/words.hpp"
#include "kernels/kernels.hpp"
#include "machine/arena.hpp"
#include "machine/interrupt.hpp"
#include "machine/threads.hpp"

namespace qloom {
namespace {

// Lists one after the other: list k is items[starts[k]] .. items[starts[k + 1] - 1].
struct Lists {
    std::vector<size_t> starts;
    std::vector<uint32_t> items;
};

// Of `count` items that turn up in the lists: the numbers of the lists each is in.
Lists turned_round(const Lists& lists, size_t count) {
    Lists out{std::vector<size_t>(count + 1), std::vector<uint32_t>(lists.items.size())};
    for (uint32_t item : lists.items) ++out.starts[item + 1];
    for (size_t k = 0; k < count; ++k) out.starts[k + 1] += out.starts[k];
    std::vector<size_t> next(out.starts.begin(), out.starts.end() - 1);
    for (size_t k = 0; k + 1 < lists.starts.size(); ++k)
        for (size_t i = lists.starts[k]; i < lists.starts[k + 1]; ++i) out.items[next[lists.items[i]]++] = uint32_t(k);
    return out;
}

Lists gates_of_qubits(const Supports& gates, size_t n_qubits) {
    Lists qubits{std::vector<size_t>(gates.starts, gates.starts + gates.count + 1),
                 std::vector<uint32_t>(gates.qubits, gates.qubits + gates.starts[gates.count])};
    return turned_round(qubits, n_qubits);
}

// The gates that each word meets in an odd number of qubits.
Lists gates_of_words(const Supports& words, const Supports& gates, size_t n_qubits) {
    const Lists of_qubits = gates_of_qubits(gates, n_qubits);
    Lists out{{0}, {}};
    std::vector<uint8_t> odd(gates.count);
    std::vector<uint32_t> met;
    for (size_t a = 0; a < words.count; ++a) {
        met.clear();
        for (size_t k = 0; k < words.size(a); ++k) {
            const size_t qubit = size_t(words.of(a)[k]);
            for (size_t i = of_qubits.starts[qubit]; i < of_qubits.starts[qubit + 1]; ++i) {
                const uint32_t gate = of_qubits.items[i];
                if (!(odd[gate] & 2)) met.push_back(gate);
                odd[gate] = uint8_t((odd[gate] ^ 1) | 2);
            }
        }
        for (uint32_t gate : met) {
            if (odd[gate] & 1) out.items.push_back(gate);
            odd[gate] = 0;
        }
        out.starts.push_back(out.items.size());
    }
    return out;
}

}  // namespace

template <class T>
void gate_phases(const Supports& words, const Supports& gates, const T* angles, const Strings<T>& strings, T* phases,
                 int threads) {
    const Lists met = gates_of_words(words, gates, strings.n_qubits);
    parallel_for(words.count, threads, [&](size_t a) {
        T* row = phases + a * strings.stride;
        std::fill_n(row, strings.stride, T(0));
        for (size_t k = met.starts[a]; k < met.starts[a + 1]; ++k) {
            const size_t gate = met.items[k];
            Watch::check((gates.size(gate) + 1) * strings.stride);
            kernels<T>().add_product(2 * angles[gate], strings.signs, gates.of(gate), gates.size(gate), strings.stride,
                                     row);
        }
    });
}

template <class T>
void gate_slopes(const Supports& words, const Supports& gates, const T* slopes, const Strings<T>& strings,
                 double* by_angles, int threads) {
    const Lists of_gates = turned_round(gates_of_words(words, gates, strings.n_qubits), gates.count);
    parallel_for(gates.count, threads, [&](size_t gate) {
        const size_t begin = of_gates.starts[gate], end = of_gates.starts[gate + 1];
        Watch::check((end - begin + 1) * strings.stride);
        Scratch scratch;
        T* sum = scratch.take<T>(strings.stride);
        std::fill_n(sum, strings.stride, T(0));
        for (size_t k = begin; k < end; ++k)
            kernels<T>().add(slopes + of_gates.items[k] * strings.stride, sum, strings.stride);
        by_angles[gate] =
            2 * double(kernels<T>().sum_product(sum, strings.signs, gates.of(gate), gates.size(gate), strings.stride));
    });
}

template void gate_phases(const Supports&, const Supports&, const float*, const Strings<float>&, float*, int);
template void gate_phases(const Supports&, const Supports&, const double*, const Strings<double>&, double*, int);
template void gate_slopes(const Supports&, const Supports&, const float*, const Strings<float>&, double*, int);
template void gate_slopes(const Supports&, const Supports&, const double*, const Strings<double>&, double*, int);

}  // namespace qloom
