// Trajectories at the native boundary. Rows are given as (first sample, samples, trajectories of each, first, count).
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/vector.h>

#include <array>
#include <stdexcept>

#include "machine/signals.hpp"
#include "machine/view.hpp"
#include "statevector/arrays.hpp"
#include "trajectories/signs.hpp"
#include "trajectories/single.hpp"

namespace nb = nanobind;
using namespace qloom;
using namespace qloom::trajectories;

void bind_branching(nb::module_&);

namespace {

using Counts = std::vector<size_t>;

Rows rows_of(const Counts& counts) {
    if (counts.size() != 5) throw std::invalid_argument("rows are five counts");
    const Rows rows{counts[0], counts[1], counts[2], counts[3], counts[4]};
    if (!rows.count || rows.first + rows.count > rows.all) throw std::invalid_argument("rows go beyond their end");
    return rows;
}

Place place_of(const View<const uint64_t>& place) {
    if (place.size != 3) throw std::invalid_argument("a place is a key of two numbers and a call's");
    return {{place.data[0], place.data[1]}, place.data[2]};
}

void expect(bool fits, const char* what) {
    if (!fits) throw std::invalid_argument(what);
}

Rates rates_of(const Errors& errors, const Rows& rows, const View<const double>& probabilities,
               const View<const double>& hazards) {
    const bool own = probabilities.rows != 1;
    const size_t sets = own ? rows.samples : 1;
    expect(probabilities.size == sets * errors.n_outcomes && hazards.size == sets * errors.channels.size(),
           "probabilities do not fit the channels or the samples");
    return {probabilities.data, hazards.data, own};
}

Errors make_errors(size_t n_rotations, size_t n_signs, const std::vector<unsigned>& qubits,
                   View<const uint64_t> generators) {
    Errors errors{n_rotations, n_signs, {}, {}};
    size_t generator = 0;
    for (unsigned k : qubits) {
        expect(k >= 1 && k <= 12, "a channel has no qubits, or too many");
        errors.channels.push_back({k, generator, errors.n_outcomes});
        generator += 2 * k;
        errors.n_outcomes += errors.channels.back().n_outcomes();
    }
    expect(generators.size == generator * errors.width(), "generators do not fit the channels");
    errors.generators.assign(generators.data, generators.data + generators.size);
    return errors;
}

template <class T>
void bind_signs(nb::module_& m) {
    const auto array = nb::arg().noconvert();
    m.def(
        "add_values",
        [](const Measured& measured, const Counts& counts, View<const T> values, View<const int64_t> places,
           View<const uint64_t> signs, View<double> means, View<double> squares) {
            const Rows rows = rows_of(counts);
            expect(places.size == rows.size() && signs.size == rows.size() * measured.n_signs() &&
                       means.size == rows.samples * measured.n_outputs,
                   "values do not fit the rows");
            run_unlocked(
                [&] { add_values(measured, rows, values.data, places.data, signs.data, means.data, squares.data); });
        },
        nb::arg(), nb::arg(), array, array, array, array, nb::arg().noconvert().none());
    m.def(
        "spread_cotangents",
        [](const Measured& measured, const Counts& counts, View<const T> cotangents, View<const int64_t> places,
           View<const uint64_t> signs, View<T> out) {
            const Rows rows = rows_of(counts);
            expect(places.size == rows.size() && signs.size == rows.size() * measured.n_signs() &&
                       cotangents.size == rows.samples * measured.n_outputs,
                   "cotangents do not fit the rows");
            run_unlocked([&] {
                spread_cotangents(measured, rows, cotangents.data, places.data, signs.data, out.rows, out.data);
            });
        },
        nb::arg(), nb::arg(), array, array, array, array);
    m.def(
        "weigh_values",
        [](const Measured& measured, const Counts& counts, View<const T> cotangents, View<const T> values,
           View<const int64_t> places, View<const uint64_t> signs, View<double> out) {
            const Rows rows = rows_of(counts);
            expect(places.size == rows.size() && signs.size == rows.size() * measured.n_signs() &&
                       out.size == rows.size() && cotangents.size == rows.samples * measured.n_outputs,
                   "values do not fit the rows");
            run_unlocked(
                [&] { weigh_values(measured, rows, cotangents.data, values.data, places.data, signs.data, out.data); });
        },
        nb::arg(), nb::arg(), array, array, array, array, array);
}

// A call of one trajectory a sample: `run` fills values (B, O), `walk_back` derivatives.
template <class T>
void bind_single(nb::module_& m, const char* name) {
    const auto array = nb::arg().noconvert();
    const auto array_or_none = nb::arg().noconvert().none();
    nb::class_<Single<T>>(m, name).def(
        "walk_back",
        [](const Single<T>& single, const Program& p, const Measured& measured, View<const T> inputs,
           View<const T> weights, View<const T> cotangents, Kept* kept, View<T> d_inputs, View<T> d_weights,
           View<const uint8_t> trained, int threads) {
            const Batch<T> batch = batch_of<T>(p, inputs, weights, threads, {});
            expect(single.order.size() == batch.size && cotangents.size == batch.size * measured.n_outputs,
                   "cotangents do not fit the samples");
            const Gradient<T> gradient{cotangents.data, taken_states<T>(p, batch.size, kept),
                                       cleared(d_inputs, inputs.size, "d_inputs"),
                                       cleared(d_weights, weights.size, "d_weights"), trained.data};
            if (trained.data) check_size(trained.size, p.n_weights, "trained");
            if (batch.size) run_unlocked([&] { walk_single_back<T>(p, measured, single, batch, gradient); });
        },
        nb::arg(), nb::arg(), array, array, array, nb::arg().none(), array_or_none, array_or_none, array_or_none,
        nb::arg());
    m.def(
        "run_single",
        [](const Program& p, const Errors& errors, const Measured& measured, View<const double> probabilities,
           View<const double> hazards, View<const uint64_t> place, View<const T> inputs, View<const T> weights,
           View<T> values, const Kept* kept, int threads) {
            const Batch<T> batch = batch_of<T>(p, inputs, weights, threads, {});
            const Rates rates = rates_of(errors, {0, batch.size, 1, 0, 1}, probabilities, hazards);
            const Place at = place_of(place);
            expect(measured.n_values() == p.n_outputs && errors.n_rotations == p.rotations.size(),
                   "errors or what is measured do not fit the program");
            check_size(values.size, batch.size * measured.n_outputs, "values");
            T* states = states_of<T>(p, batch.size, kept);
            Single<T> found;
            run_unlocked([&] { found = run_single<T>(p, errors, measured, rates, at, batch, states, values.data); });
            return found;
        },
        nb::arg(), nb::arg(), nb::arg(), array, array, array, array, array, array, nb::arg().none(), nb::arg());
}

void bind_errors(nb::module_& m) {
    nb::class_<Errors>(m, "PauliErrors", "Pauli channels, by what their errors flip.")
        .def("__init__",
             [](Errors* self, size_t n_rotations, size_t n_signs, std::vector<unsigned> qubits,
                View<const uint64_t> generators) {
                 new (self) Errors(make_errors(n_rotations, n_signs, qubits, generators));
             })
        .def_prop_ro("n_flips", &Errors::n_flips, "Numbers of a row of flips.")
        .def_prop_ro(
            "n_signs", [](const Errors& e) { return e.width() - e.n_flips(); }, "Numbers of a row of signs.")
        .def("hazards",
             [](const Errors& errors, View<const double> probabilities, View<double> hazards) {
                 expect(probabilities.size == probabilities.rows * errors.n_outcomes &&
                            hazards.size == probabilities.rows * errors.channels.size(),
                        "probabilities do not fit the channels");
                 find_hazards(errors, probabilities.data, probabilities.rows, hazards.data);
             })
        .def("draw",
             [](const Errors& errors, View<const double> probabilities, View<const double> hazards,
                View<const uint64_t> place, const Counts& counts, View<uint64_t> flips, View<uint64_t> signs,
                View<int64_t> samples, View<int64_t> places, int threads) {
                 const Rows rows = rows_of(counts);
                 const Rates rates = rates_of(errors, rows, probabilities, hazards);
                 const Place at = place_of(place);
                 expect(flips.size + signs.size == rows.size() * errors.width() && samples.size == rows.size() &&
                            places.size == rows.size(),
                        "flips do not fit the rows");
                 Distinct found{};
                 run_unlocked([&] {
                     draw_errors(errors, rates, at, rows, flips.data, signs.data, threads);
                     found = keep_distinct(errors, rows, flips.data, samples.data, places.data);
                 });
                 return std::make_pair(found.count, found.plain);
             })
        .def("scores",
             [](const Errors& errors, View<const double> probabilities, View<const double> hazards,
                View<const uint64_t> place, const Counts& counts, View<const double> weights, View<double> scores) {
                 const Rows rows = rows_of(counts);
                 const Rates rates = rates_of(errors, rows, probabilities, hazards);
                 const Place at = place_of(place);
                 expect(weights.size == rows.size() && scores.size == probabilities.size, "scores do not fit");
                 run_unlocked([&] { score_errors(errors, rates, at, rows, weights.data, scores.data); });
             });
}

}  // namespace

void bind_trajectories(nb::module_& m) {
    bind_errors(m);
    bind_branching(m);
    nb::class_<Measured>(m, "SignedOutputs", "Words with signs, or outcomes with flipped bits.")
        .def("__init__", [](Measured* self, std::vector<uint32_t> output, size_t n_outputs, size_t n_bits) {
            for (uint32_t o : output) expect(o < n_outputs, "a word's output is none");
            new (self) Measured{std::move(output), n_outputs, n_bits};
        });
    bind_signs<float>(m);
    bind_signs<double>(m);
    bind_single<float>(m, "SingleInFloat");
    bind_single<double>(m, "SingleInDouble");
}
