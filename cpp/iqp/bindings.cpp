#include <nanobind/nanobind.h>

#include <bit>
#include <stdexcept>

#include "iqp/words.hpp"
#include "kernels/kernels.hpp"
#include "machine/signals.hpp"
#include "machine/view.hpp"

namespace nb = nanobind;
using namespace qloom;

namespace {

void check(bool fits, const char* what) {
    if (!fits) throw std::invalid_argument(what);
}

// Supports come as two arrays, where each begins and its qubits.
Supports supports_of(const View<const int64_t>& starts, const View<const int32_t>& qubits, size_t n_qubits) {
    check(starts.size && starts.data[0] == 0, "starts do not begin with 0");
    for (size_t k = 1; k < starts.size; ++k) check(starts.data[k] >= starts.data[k - 1], "starts fall");
    check(size_t(starts.data[starts.size - 1]) == qubits.size, "starts do not end with the number of qubits");
    for (size_t k = 0; k < qubits.size; ++k) check(size_t(qubits.data[k]) < n_qubits, "a qubit is outside");
    return {starts.data, qubits.data, starts.size - 1};
}

// Of gates on one qubit or two.
Supports pairs_of(const View<const int64_t>& starts, const View<const int32_t>& qubits, size_t n_qubits) {
    const Supports gates = supports_of(starts, qubits, n_qubits);
    for (size_t g = 0; g < gates.count; ++g)
        check(gates.size(g) == 1 || gates.size(g) == 2, "a gate acts on other than one or two qubits");
    return gates;
}

template <class T>
Strings<T> strings_of(const View<const T>& signs, size_t count) {
    const size_t stride = signs.rows ? signs.size / signs.rows : 0;
    check(signs.ndim == 2 && count && count <= stride && stride % kernels<T>().lanes == 0,
          "signs are not (n, stride) with whole vectors of strings");
    check(reinterpret_cast<uintptr_t>(signs.data) % vector_bytes() == 0, "signs are not aligned to vectors");
    return {signs.data, signs.rows, stride, count};
}

template <class T>
void check_rows(const View<T>& rows, size_t count, size_t stride, const char* what) {
    check(rows.size == count * stride, what);
    check(reinterpret_cast<uintptr_t>(rows.data) % vector_bytes() == 0, "rows are not aligned to vectors");
}

using Starts = View<const int64_t>;
using Qubits = View<const int32_t>;

// Words and strings with their rows (words, stride) of phases, or of slopes by these.
template <class T>
struct Rows {
    const Strings<T> strings;
    const Supports words;

    template <class U>
    Rows(const Starts& starts, const Qubits& qubits, const View<const T>& signs, size_t count, const View<U>& rows)
        : strings(strings_of(signs, count)), words(supports_of(starts, qubits, strings.n_qubits)) {
        check_rows(rows, words.count, strings.stride, "phases or slopes are not (words, stride)");
    }
};

template <class T>
void bind(nb::module_& m) {
    const auto array = nb::arg().noconvert();
    m.def(
        "iqp_couplings",
        [](Starts starts, Qubits qubits, View<const T> angles, View<T> linear, View<T> couplings) {
            const Supports gates = pairs_of(starts, qubits, linear.size);
            check(angles.size == gates.count && couplings.size == linear.size * linear.size,
                  "angles are not one a gate, or couplings not (n, n)");
            couplings_of(gates, linear.size, angles.data, linear.data, couplings.data);
        },
        array, array, array, array, array, "Sums of angles: linear (n,) and symmetric couplings (n, n).");
    m.def(
        "iqp_angle_slopes",
        [](Starts starts, Qubits qubits, View<const T> by_linear, View<const T> by_couplings, View<T> by_angles) {
            const Supports gates = pairs_of(starts, qubits, by_linear.size);
            check(by_angles.size == gates.count && by_couplings.size == by_linear.size * by_linear.size,
                  "slopes are not one a gate, or those by couplings not (n, n)");
            slopes_of_angles(gates, by_linear.size, by_linear.data, by_couplings.data, by_angles.data);
        },
        array, array, array, array, array, "Slopes by angles (gates,) from those by what `iqp_couplings` gives.");
    m.def(
        "iqp_pair_phases",
        [](Starts starts, Qubits qubits, View<const T> signs, size_t count, View<const T> linear,
           View<const T> couplings, View<const T> fields, View<T> phases, int threads) {
            const Rows<T> given(starts, qubits, signs, count, phases);
            check(linear.size == given.strings.n_qubits && couplings.size == linear.size * linear.size,
                  "couplings are not (n, n), or linear not (n,)");
            check_rows(fields, given.strings.n_qubits, given.strings.stride, "fields are not (n, stride)");
            run_unlocked([&] {
                pair_phases(given.words, given.strings, linear.data, couplings.data, fields.data, phases.data, threads);
            });
        },
        array, array, array, nb::arg(), array, array, array, array, nb::arg(),
        "Phases (words, stride) of words and strings, from fields (n, stride), couplings times signs.");
    m.def(
        "iqp_pair_slopes",
        [](Starts starts, Qubits qubits, View<const T> signs, size_t count, View<const T> slopes, View<T> fields,
           View<T> couplings, int threads) {
            const Rows<T> given(starts, qubits, signs, count, slopes);
            check(couplings.size == given.strings.n_qubits * given.strings.n_qubits, "couplings are not (n, n)");
            check_rows(fields, given.strings.n_qubits, given.strings.stride, "fields are not (n, stride)");
            run_unlocked([&] {
                pair_slopes<T>(given.words, given.strings, slopes.data, {fields.data, couplings.data}, threads);
            });
        },
        array, array, array, nb::arg(), array, array, array, nb::arg(),
        "Slopes by fields (n, stride), and what pairs within words take off couplings (n, n).");
    m.def(
        "iqp_gate_phases",
        [](Starts starts, Qubits qubits, Starts gate_starts, Qubits gate_qubits, View<const T> angles,
           View<const T> signs, size_t count, View<T> phases, int threads) {
            const Rows<T> given(starts, qubits, signs, count, phases);
            const Supports gates = supports_of(gate_starts, gate_qubits, given.strings.n_qubits);
            check(angles.size == gates.count, "angles are not one a gate");
            run_unlocked([&] { gate_phases(given.words, gates, angles.data, given.strings, phases.data, threads); });
        },
        array, array, array, array, array, array, nb::arg(), array, nb::arg(),
        "Phases (words, stride) of words and strings in a circuit of any gates.");
    m.def(
        "iqp_gate_slopes",
        [](Starts starts, Qubits qubits, Starts gate_starts, Qubits gate_qubits, View<const T> slopes,
           View<const T> signs, size_t count, View<double> by_angles, int threads) {
            const Rows<T> given(starts, qubits, signs, count, slopes);
            const Supports gates = supports_of(gate_starts, gate_qubits, given.strings.n_qubits);
            check(by_angles.size == gates.count, "slopes by angles are not one a gate");
            run_unlocked([&] { gate_slopes(given.words, gates, slopes.data, given.strings, by_angles.data, threads); });
        },
        array, array, array, array, array, array, nb::arg(), array, nb::arg(), "Slopes by angles (gates,).");
    m.def(
        "iqp_statistics",
        [](View<const T> phases, View<const T> signs, size_t count, View<double> means, View<double> squares,
           int threads) {
            const Strings<T> strings = strings_of(signs, count);
            check(squares.size == means.size, "squares are not as many as means");
            check_rows(phases, means.size, strings.stride, "phases are not (words, stride)");
            run_unlocked([&] { statistics(phases.data, means.size, strings, means.data, squares.data, threads); });
        },
        array, array, nb::arg(), array, array, nb::arg(), "Means over strings of the cosines and of their squares.");
    m.def(
        "iqp_phase_slopes",
        [](View<T> phases, View<const T> signs, size_t count, View<const double> by_means,
           View<const double> by_squares, int threads) {
            const Strings<T> strings = strings_of(signs, count);
            check(by_squares.size == by_means.size, "slopes by squares are not as many as those by means");
            check_rows(phases, by_means.size, strings.stride, "phases are not (words, stride)");
            run_unlocked(
                [&] { phase_slopes(phases.data, by_means.size, strings, by_means.data, by_squares.data, threads); });
        },
        array, array, nb::arg(), array, array, nb::arg(), "Slopes by phases, in the place of the phases.");
    m.def(
        "walsh",
        [](View<T> values, int threads) {
            const size_t size = values.rows ? values.size / values.rows : 0;
            check(values.ndim == 2 && (!size || std::has_single_bit(size)), "values are not (rows, power of two)");
            run_unlocked([&] { walsh(values.data, values.rows, size, threads); });
        },
        array, nb::arg(), "sum_x (-1)^|a & x| values[x] for every a, in place, of arrays (rows, 2^n).");
}

}  // namespace

void bind_iqp(nb::module_& m) {
    const auto array = nb::arg().noconvert();
    m.def(
        "odd_rows",
        [](View<const int64_t> starts, View<const int32_t> qubits, View<const uint64_t> columns, View<int64_t> odd,
           int threads) {
            const Supports words = supports_of(starts, qubits, columns.rows);
            check(columns.ndim == 2 && odd.size == words.count, "columns are not (n, width), or odd not one a word");
            const size_t width = columns.rows ? columns.size / columns.rows : 0;
            run_unlocked([&] { odd_rows(words, columns.data, width, odd.data, threads); });
        },
        array, array, array, array, nb::arg(), "Rows with an odd number of ones on each word's qubits.");
    bind<float>(m);
    bind<double>(m);
}
