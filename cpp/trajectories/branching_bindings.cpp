// Branching at the native boundary: steps one by one when a circuit is prepared, arrays of numbers a call.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/vector.h>

#include <stdexcept>

#include "machine/signals.hpp"
#include "machine/view.hpp"
#include "trajectories/branching.hpp"

namespace nb = nanobind;
using namespace qloom;
using namespace qloom::trajectories;

namespace {

using Entries = nb::ndarray<const Amplitude, nb::c_contig, nb::device::cpu>;

void expect(bool fits, const char* what) {
    if (!fits) throw std::invalid_argument(what);
}

// Rows of `count` numbers: one for all samples, or one each.
template <class N, class Array>
PerSample<N> per_sample(const Array& array, size_t count, size_t samples) {
    expect(array.ndim() == 2 && array.shape(1) == count && (array.shape(0) == 1 || array.shape(0) == samples),
           "numbers of a call do not fit the circuit or the samples");
    return {array.data(), array.shape(0) == 1 ? 0 : count};
}

using Doubles = nb::ndarray<const double, nb::c_contig, nb::device::cpu>;

struct Call {
    Numbers numbers;
    Place place;
    Rows rows;
};

Call call_of(const Branching& b, const Doubles& angles, const Doubles& probabilities, const Entries& operators,
             const Entries& start, const View<const uint64_t>& place, const std::vector<size_t>& counts) {
    expect(counts.size() == 5 && place.size == 3, "rows are five counts, a place three numbers");
    const Rows rows{counts[0], counts[1], counts[2], counts[3], counts[4]};
    expect(rows.count && rows.first + rows.count <= rows.all, "rows go beyond their end");
    return {{per_sample<double>(angles, b.n_angles, rows.samples),
             per_sample<double>(probabilities, b.n_outcomes, rows.samples),
             per_sample<Amplitude>(operators, b.n_entries, rows.samples),
             per_sample<Amplitude>(start, b.size(), rows.samples)},
            {{place.data[0], place.data[1]}, place.data[2]},
            rows};
}

void check_bits(const Branching& b, const std::vector<unsigned>& bits) {
    for (unsigned bit : bits) expect(bit < b.n_bits, "a step's bit is none of the index");
}

template <class T>
T* wanted(const View<T>& array, size_t size) {
    expect(!array.data || array.size == size, "derivatives do not fit the circuit");
    return array.data;
}

}  // namespace

void bind_branching(nb::module_& m) {
    const auto none = nb::arg().noconvert().none();
    nb::class_<Branching>(m, "Branching", "A circuit with channels, for trajectories of states.")
        .def("__init__", [](Branching* self, unsigned n_bits,
                            size_t n_outputs) { new (self) Branching{n_bits, n_outputs, 0, 0, {}, {}, {}, 0, {}, {}}; })
        .def("rotation",
             [](Branching& b, uint64_t x, uint64_t z) {
                 expect(((x | z) >> b.n_bits) == 0, "a rotation's word is none of the register");
                 b.add({Step::rotation, x, z, {}, b.n_angles++});
             })
        .def("matrix",
             [](Branching& b, std::vector<unsigned> bits, Entries entries) {
                 check_bits(b, bits);
                 expect(entries.size() == size_t(1) << (2 * bits.size()), "a matrix does not fit its qubits");
                 b.add({Step::matrix, 0, 0, std::move(bits), 0,
                        std::vector<Amplitude>(entries.data(), entries.data() + entries.size())});
             })
        .def("pauli",
             [](Branching& b, std::vector<unsigned> bits) {
                 check_bits(b, bits);
                 b.channels.push_back({unsigned(bits.size()), 0, b.n_outcomes});
                 b.n_outcomes += b.channels.back().n_outcomes();
                 b.add({Step::pauli, 0, 0, std::move(bits), b.channels.size() - 1});
             })
        .def("kraus",
             [](Branching& b, std::vector<unsigned> bits, size_t count) {
                 check_bits(b, bits);
                 const size_t size = size_t(1) << bits.size();
                 b.operators.push_back({b.n_entries, count, size});
                 b.n_entries += count * size * size;
                 b.add({Step::kraus, 0, 0, std::move(bits), b.operators.size() - 1});
             })
        .def("measure_term",
             [](Branching& b, double coefficient, uint64_t x, uint64_t z, size_t output) {
                 expect(((x | z) >> b.n_bits) == 0 && output < b.n_outputs, "a term does not fit the circuit");
                 b.terms.push_back({coefficient, x, z, output});
             })
        .def("measure_outcomes",
             [](Branching& b, std::vector<unsigned> bits) {
                 check_bits(b, bits);
                 expect(size_t(1) << bits.size() == b.n_outputs, "outcomes do not fit the outputs");
                 b.measured = std::move(bits);
             })
        .def("forward",
             [](const Branching& b, Doubles angles, Doubles probabilities, Entries operators, Entries start,
                View<const uint64_t> place, std::vector<size_t> counts, View<double> values, int threads) {
                 const Call call = call_of(b, angles, probabilities, operators, start, place, counts);
                 expect(values.size == call.rows.size() * b.n_outputs, "values do not fit the rows");
                 run_unlocked([&] { branch(b, call.numbers, call.place, call.rows, values.data, threads); });
             })
        .def("measure",
             [](const Branching& b, Doubles angles, Doubles probabilities, Entries operators, Entries start,
                View<const uint64_t> place, std::vector<size_t> counts, View<int64_t> indices, int threads) {
                 const Call call = call_of(b, angles, probabilities, operators, start, place, counts);
                 expect(indices.size == call.rows.size(), "indices do not fit the rows");
                 run_unlocked([&] { measure_branches(b, call.numbers, call.place, call.rows, indices.data, threads); });
             })
        .def(
            "backward",
            [](const Branching& b, Doubles angles, Doubles probabilities, Entries operators, Entries start,
               View<const uint64_t> place, std::vector<size_t> counts, View<const double> cotangents,
               View<const double> means, std::vector<std::pair<size_t, size_t>> rates, Entries slopes,
               View<double> d_angles, View<double> scores, View<double> d_rates, View<Amplitude> d_start, int threads) {
                const Call call = call_of(b, angles, probabilities, operators, start, place, counts);
                const size_t samples = call.rows.samples;
                expect(cotangents.size == samples * b.n_outputs && means.size == cotangents.size,
                       "cotangents do not fit the rows");
                BranchGradient gradient{cotangents.data,
                                        means.data,
                                        {},
                                        {slopes.data(), 0},
                                        wanted(d_angles, samples * b.n_angles),
                                        wanted(scores, samples * b.n_outcomes),
                                        wanted(d_rates, samples * rates.size()),
                                        wanted(d_start, samples * b.size())};
                for (const auto& [channel, first] : rates) {
                    expect(channel < b.operators.size(), "a rate's channel is none");
                    const Operators& of = b.operators[channel];
                    expect(slopes.ndim() == 2 && first + of.count * of.size * of.size <= slopes.shape(1),
                           "slopes do not fit the channels");
                    gradient.rates.push_back({channel, first});
                }
                gradient.slopes.stride = slopes.shape(0) == 1 ? 0 : slopes.shape(1);
                expect(slopes.shape(0) == 1 || slopes.shape(0) == samples, "slopes do not fit the samples");
                run_unlocked([&] { branch_back(b, call.numbers, call.place, call.rows, gradient, threads); });
            },
            nb::arg(), nb::arg(), nb::arg(), nb::arg(), nb::arg(), nb::arg(), nb::arg(), nb::arg(), nb::arg(),
            nb::arg(), none, none, none, none, nb::arg());
}
