// The native boundary: plain contiguous arrays down and up, the interpreter lock released in between.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "lowering/frame.hpp"
#include "machine/signals.hpp"
#include "machine/view.hpp"
#include "statevector/arrays.hpp"
#include "statevector/coordinates.hpp"

namespace nb = nanobind;
using namespace qloom;

template <class T>
using Array = nb::ndarray<T, nb::c_contig, nb::device::cpu>;

static Program make_program(unsigned n_qubits, size_t n_inputs, size_t n_weights, size_t n_outputs,
                            Array<const uint64_t> pass_x, Array<const uint32_t> pass_start, Array<const uint64_t> z,
                            Array<const int8_t> source, Array<const int32_t> index, Array<const double> scale,
                            Array<const double> offset, Array<const double> turn) {
    Program p;
    p.n_qubits = n_qubits, p.n_inputs = n_inputs, p.n_weights = n_weights, p.n_outputs = n_outputs;
    for (size_t r = 0; r < z.size(); ++r)
        p.rotations.push_back(
            {z.data()[r],
             {Source(source.data()[r]), index.data()[r], scale.data()[r], offset.data()[r], turn.data()[r]}});
    for (size_t k = 0; k < pass_x.size(); ++k) {
        const uint32_t first = pass_start.data()[k], end = pass_start.data()[k + 1];
        p.passes.push_back({pass_x.data()[k], first, end - first});
    }
    return p;
}

static void measure_terms(Program& p, Array<const double> coefficient, Array<const uint64_t> x, Array<const uint64_t> z,
                          Array<const uint32_t> output) {
    for (size_t t = 0; t < x.size(); ++t) {
        p.terms.push_back({coefficient.data()[t], x.data()[t], z.data()[t], output.data()[t]});
    }
}

static void measure_outcomes(Program& p, const std::vector<uint64_t>& rows, uint64_t flips) {
    p.probabilities = true;
    p.outcome = rows;
    p.outcome_flips = flips;
}

static void measure_state(Program& p, const lowering::Frame<lowering::Narrow>& frame, double phase, bool split) {
    check_size(p.n_outputs, 2 * p.size(), "the state");
    p.final_state.reset(new FinalState{frame.basis_map(), frame.phase() * std::polar(1.0, phase), split});
}

static void start_from(Program& p, Array<const double> parts) {
    p.initial.assign(parts.data(), parts.data() + parts.size());
}

static void start_from_inputs(Program& p, int64_t real_column, int64_t imaginary_column) {
    p.real_column = real_column;
    p.imaginary_column = imaginary_column;
}

template <class T>
static void bind_walks(nb::module_& m) {
    const auto array = nb::arg().noconvert();
    const auto array_or_none = nb::arg().noconvert().none();
    const auto flips = nb::arg("flips").noconvert().none() = nb::none();
    m.def(
        "forward",
        [](const Program& p, View<const T> inputs, View<const T> weights, View<T> values, const Kept* kept, int threads,
           View<const uint64_t> flips) {
            const Batch<T> batch = batch_of<T>(p, inputs, weights, threads, flips);
            check_size(values.size, batch.size * p.n_outputs, "values");
            T* states = states_of<T>(p, batch.size, kept);
            run_unlocked([&] { forward<T>(p, batch, values.data, states); });
        },
        nb::arg(), array, array, array, nb::arg().none(), nb::arg(), flips);
    m.def(
        "backward",
        [](const Program& p, View<const T> inputs, View<const T> weights, View<const T> cotangents, Kept* kept,
           View<T> d_inputs, View<T> d_weights, View<const uint8_t> trained, int threads, View<const uint64_t> flips) {
            const Batch<T> batch = batch_of<T>(p, inputs, weights, threads, flips);
            const Gradient<T> gradient{cotangents.data, taken_states<T>(p, batch.size, kept),
                                       cleared(d_inputs, inputs.size, "d_inputs"),
                                       cleared(d_weights, weights.size, "d_weights"), trained.data};
            if (trained.data) check_size(trained.size, p.n_weights, "trained");
            if (batch.size) run_unlocked([&] { backward<T>(p, batch, gradient); });
        },
        nb::arg(), array, array, array, nb::arg().none(), array_or_none, array_or_none, array_or_none, nb::arg(),
        flips);
}

void bind_many(nb::module_&);

void bind_statevector(nb::module_& m) {
    nb::class_<Program>(m, "Program")
        .def("__init__",
             [](Program* self, unsigned n_qubits, size_t n_inputs, size_t n_weights, size_t n_outputs,
                Array<const uint64_t> pass_x, Array<const uint32_t> pass_start, Array<const uint64_t> z,
                Array<const int8_t> source, Array<const int32_t> index, Array<const double> scale,
                Array<const double> offset, Array<const double> turn) {
                 new (self) Program(make_program(n_qubits, n_inputs, n_weights, n_outputs, pass_x, pass_start, z,
                                                 source, index, scale, offset, turn));
             })
        .def("measure_terms", &measure_terms)
        .def("measure_outcomes", &measure_outcomes)
        .def("measure_state", &measure_state)
        .def("start_from", &start_from)
        .def("start_from_inputs", &start_from_inputs)
        .def_prop_ro("is_real", [](const Program& p) { return p.coordinates().is_real; })
        .def("kept_size", [](const Program& p, size_t batch, bool twice) {
            return twice ? kept_size<double>(p, batch) : kept_size<float>(p, batch);
        });
    bind_walks<float>(m);
    bind_walks<double>(m);
    bind_many(m);
}
