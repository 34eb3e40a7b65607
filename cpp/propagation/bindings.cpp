#include <nanobind/nanobind.h>
#include <nanobind/stl/tuple.h>

#include <algorithm>
#include <map>
#include <optional>
#include <stdexcept>
#include <tuple>

#include "machine/signals.hpp"
#include "machine/view.hpp"
#include "propagation/recording.hpp"
#include "propagation/symmetries.hpp"
#include "propagation/walks.hpp"

namespace nb = nanobind;
using namespace qloom;

namespace {

using propagation::Kind;
using Numbers = View<const int64_t>;
using Masks = View<const uint64_t>;
using Reals = View<const double>;

void check(bool fits, const char* what) {
    if (!fits) throw std::invalid_argument(what);
}

// What a call that had no room says: step, words, bound. Nothing where it had.
using Report = std::tuple<bool, size_t, size_t, double>;

size_t factors_of(const propagation::Step& step) {
    const size_t letters = size_t(1) << 2 * step.n_letters;
    return step.kind == Kind::diagonal ? letters : step.kind == Kind::damping ? letters + 1 : 0;
}

propagation::Program make_program(unsigned n_qubits, View<const uint8_t> kinds, Numbers starts, Numbers qubits,
                                  View<const uint8_t> letters, View<const int8_t> source, View<const int32_t> index,
                                  Reals scale, Reals offset, View<const uint8_t> quarters) {
    propagation::Program p;
    p.n_qubits = n_qubits;
    const size_t n = kinds.size;
    check(n_qubits <= 1024, "more qubits than masks have bits");
    check(starts.size == n + 1 && starts.data[0] == 0 && size_t(starts.data[n]) == qubits.size &&
              letters.size == qubits.size && source.size == n && index.size == n && scale.size == n &&
              offset.size == n && quarters.size == n,
          "steps are not as many everywhere");
    for (size_t k = 0; k < qubits.size; ++k) {
        check(qubits.data[k] >= 0 && qubits.data[k] < int64_t(n_qubits) && letters.data[k] < 4, "a letter is none");
        p.letters.push_back({uint16_t(qubits.data[k]), letters.data[k]});
    }
    std::map<std::vector<uint32_t>, size_t> known;
    for (size_t s = 0; s < n; ++s) {
        check(starts.data[s] < starts.data[s + 1] && kinds.data[s] <= uint8_t(Kind::damping), "a step is none");
        propagation::Step step{Kind(kinds.data[s]),
                               size_t(starts.data[s]),
                               size_t(starts.data[s + 1] - starts.data[s]),
                               {Source(source.data[s]), index.data[s], scale.data[s], offset.data[s]},
                               quarters.data[s],
                               p.n_factors,
                               0,
                               propagation::Step::NONE};
        check(step.kind != Kind::damping || step.n_letters == 1, "damping is of one qubit");
        check(step.n_letters <= 8 || step.kind < Kind::diagonal, "a channel is on too many qubits");
        p.n_factors += factors_of(step);
        std::vector<uint32_t> name;
        for (size_t k = step.first_letter; k < step.first_letter + step.n_letters; ++k)
            name.push_back(uint32_t(p.letters[k].qubit) << 2 | p.letters[k].letter);
        step.word = known.emplace(name, known.size()).first->second;
        p.steps.push_back(step);
    }
    p.n_words = known.size();
    propagation::bring_leading_forward(p);
    propagation::find_symmetries(p);
    return p;
}

void measure(propagation::Program& p, size_t n_outputs, Masks x, Masks z, Reals coefficients, Numbers outputs) {
    p.observables.assign(n_outputs, {});
    const size_t n = coefficients.size, numbers = n ? x.size / n : 0;
    check(x.size == z.size && x.size == n * numbers && outputs.size == n && numbers * 64 >= (n ? p.n_qubits : 0),
          "terms are not as many everywhere");
    for (size_t t = 0; t < n; ++t) {
        check(outputs.data[t] >= 0 && size_t(outputs.data[t]) < n_outputs, "a term is of no output");
        propagation::Term term{
            {std::vector<uint64_t>(propagation::MOST_NUMBERS), std::vector<uint64_t>(propagation::MOST_NUMBERS)},
            coefficients.data[t]};
        std::copy_n(x.data + t * numbers, numbers, term.word.x.begin());
        std::copy_n(z.data + t * numbers, numbers, term.word.z.begin());
        p.observables[size_t(outputs.data[t])].push_back(std::move(term));
    }
}

propagation::Call make_call(const propagation::Program& p, const Reals& inputs, const Reals& weights,
                            const Reals& factors, const propagation::Cuts& cuts, int threads) {
    const size_t batch = inputs.rows;
    const size_t n_inputs = batch ? inputs.size / batch : 0;
    const bool own_weights = weights.ndim == 2, own_factors = factors.ndim == 2;
    const size_t n_weights = own_weights ? (batch ? weights.size / batch : 0) : weights.size;
    check(factors.size == p.n_factors * (own_factors ? batch : 1), "factors do not fit the program");
    for (const propagation::Step& step : p.steps) {
        if (step.kind != Kind::rotation || step.angle.source == Source::number) continue;
        const size_t room = step.angle.source == Source::input ? n_inputs : n_weights;
        check(step.angle.index >= 0 && size_t(step.angle.index) < room, "an angle's slot is outside");
    }
    return {batch,
            inputs.data,
            weights.data,
            factors.data,
            n_inputs,
            n_weights,
            p.n_factors,
            own_weights ? n_weights : 0,
            own_factors ? p.n_factors : 0,
            cuts,
            threads};
}

template <class T>
nb::ndarray<nb::numpy, T, nb::c_contig> copied(const T* from, size_t count) {
    T* out = new T[count + 1];
    std::copy_n(from, count, out);
    return {out, {count}, nb::capsule(out, [](void* at) noexcept { delete[] static_cast<T*>(at); })};
}

// Slots, operands, moments and coefficients of an observable, as plain numbers.
nb::tuple arrays_of(const propagation::Recordings& all, size_t output) {
    const propagation::Recording& r = all.at(output);
    std::vector<uint32_t> letters;
    for (const propagation::Letter& l : r.letters) letters.push_back(uint32_t(l.qubit) << 2 | l.letter);
    const size_t numbers = r.moments.size() * propagation::Moment::SIZE;
    return nb::make_tuple(r.n_slots, copied(r.given.data(), r.given.size()),
                          copied(r.coefficients.data(), r.coefficients.size()),
                          copied(reinterpret_cast<const uint32_t*>(r.moments.data()), numbers),
                          copied(r.operands.data(), r.operands.size()), copied(r.read.data(), r.read.size()),
                          copied(r.ends.data(), r.ends.size()), copied(letters.data(), letters.size()));
}

using Counts = View<const uint32_t>;

void append_recording(propagation::Recordings& all, const propagation::Program& program, uint32_t n_slots, Counts given,
                      Reals coefficients, Counts moments, Counts operands, Counts read, Counts ends, Counts letters) {
    using propagation::Moment;
    const auto numbers = [](const auto& view) { return std::vector(view.data, view.data + view.size); };
    propagation::Recording r{n_slots,           numbers(given), numbers(coefficients), {},
                             numbers(operands), numbers(read),  numbers(ends),         {}};
    check(moments.size % Moment::SIZE == 0, "moments are none");
    r.moments.resize(moments.size / Moment::SIZE);
    std::copy_n(moments.data, moments.size, reinterpret_cast<uint32_t*>(r.moments.data()));
    for (size_t k = 0; k < letters.size; ++k)
        r.letters.push_back({uint16_t(letters.data[k] >> 2), uint8_t(letters.data[k] & 3)});
    if (const char* mistake = propagation::mistake_in(r, program)) throw std::invalid_argument(mistake);
    all.push_back(std::move(r));
}

template <class F>
Report reported(F work) {
    std::optional<propagation::Exploded> full;
    run_unlocked([&] {
        try {
            work();
        } catch (const propagation::Exploded& found) {
            full = found;
        }
    });
    if (!full) return {false, 0, 0, 0.0};
    return {true, full->step, full->words, full->bound};
}

}  // namespace

void bind_propagation(nb::module_& m) {
    const auto array = nb::arg().noconvert();
    const auto array_or_none = nb::arg().noconvert().none();
    m.attr("propagation_lanes") = propagation::MOST_LANES_OF_WALK;
    nb::class_<propagation::Walks>(m, "PropagationWalks", "Walks of a call that stay for the way back.")
        .def(nb::init<size_t>());
    nb::class_<propagation::Cuts>(m, "PropagationCuts", "What a word must be to stay.")
        .def(
            "__init__",
            [](propagation::Cuts* self, double min_coefficient, unsigned max_weight, size_t max_words,
               size_t max_frequency, size_t max_bytes) {
                new (self) propagation::Cuts{min_coefficient, max_weight, max_words, max_frequency, max_bytes};
            },
            nb::arg("min_coefficient"), nb::arg("max_weight"), nb::arg("max_words"), nb::arg("max_frequency"),
            nb::arg("max_bytes"));
    nb::class_<propagation::Program>(m, "PropagationProgram", "A circuit and observables to run back through it.")
        .def("__init__",
             [](propagation::Program* self, unsigned n_qubits, View<const uint8_t> kinds, Numbers starts,
                Numbers qubits, View<const uint8_t> letters, View<const int8_t> source, View<const int32_t> index,
                Reals scale, Reals offset, View<const uint8_t> quarters) {
                 new (self) propagation::Program(
                     make_program(n_qubits, kinds, starts, qubits, letters, source, index, scale, offset, quarters));
             })
        .def("measure", &measure)
        .def_prop_ro("n_factors", [](const propagation::Program& p) { return p.n_factors; });
    m.def(
        "propagation_forward",
        [](const propagation::Program& p, Reals inputs, Reals weights, Reals factors, const propagation::Cuts& cuts,
           View<double> values, View<double> bounds, View<double> squares, View<int64_t> words,
           propagation::Walks* kept, const propagation::Recordings* recordings, int threads) {
            const auto call = make_call(p, inputs, weights, factors, cuts, threads);
            const size_t size = call.size * p.observables.size();
            check(values.size == size && bounds.size == size && squares.size == size &&
                      words.size == p.observables.size(),
                  "values are not (B, O)");
            return reported([&] {
                propagation::forward(p, call, {values.data, bounds.data, squares.data, words.data}, kept, recordings);
            });
        },
        nb::arg(), array, array, array, nb::arg(), array, array, array, array, nb::arg().none(), nb::arg().none(),
        nb::arg());
    m.def(
        "propagation_backward",
        [](const propagation::Program& p, Reals inputs, Reals weights, Reals factors, const propagation::Cuts& cuts,
           Reals cotangents, View<double> by_inputs, View<double> by_weights, View<double> by_factors,
           propagation::Walks* kept, const propagation::Recordings* recordings, int threads) {
            const auto call = make_call(p, inputs, weights, factors, cuts, threads);
            check(cotangents.size == call.size * p.observables.size(), "cotangents are not (B, O)");
            check((!by_inputs.data || by_inputs.size == inputs.size) &&
                      (!by_weights.data || by_weights.size == weights.size) &&
                      (!by_factors.data || by_factors.size == factors.size),
                  "slopes are not as many as what they are by");
            return reported([&] {
                propagation::backward(p, call, {cotangents.data, by_inputs.data, by_weights.data, by_factors.data},
                                      kept, recordings);
            });
        },
        nb::arg(), array, array, array, nb::arg(), array, array_or_none, array_or_none, array_or_none, nb::arg().none(),
        nb::arg().none(), nb::arg());
    nb::class_<propagation::Recordings>(m, "PropagationRecordings", "Walks written down, one of each observable.")
        .def(nb::init<>())
        .def("__len__", [](const propagation::Recordings& r) { return r.size(); })
        .def("arrays", &arrays_of)
        .def("append", &append_recording)
        .def_prop_ro("slots", [](const propagation::Recordings& all) {
            size_t out = 0;
            for (const propagation::Recording& r : all) out += r.n_slots;
            return out;
        });
    m.def(
        "propagation_record",
        [](const propagation::Program& p, Reals inputs, Reals weights, Reals factors, const propagation::Cuts& cuts,
           propagation::Recordings& out, int threads) {
            const auto call = make_call(p, inputs, weights, factors, cuts, threads);
            check(call.size > 0, "no samples");
            return reported([&] { out = propagation::record(p, call); });
        },
        nb::arg(), array, array, array, nb::arg(), nb::arg(), nb::arg());
}
