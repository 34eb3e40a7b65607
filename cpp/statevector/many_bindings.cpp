// Many circuits at the native boundary: all their gates come down once, in flat arrays; then arrays of numbers a call.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/vector.h>

#include "machine/signals.hpp"
#include "machine/threads.hpp"
#include "statevector/arrays.hpp"
#include "statevector/lowered.hpp"
#include "statevector/many.hpp"

namespace nb = nanobind;
using namespace qloom;

namespace {

template <class T>
using List = nb::ndarray<const T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

// Lists of different lengths in one array; list k is from starts[k] to starts[k + 1].
template <class T>
struct Ragged {
    List<T> all;
    List<uint32_t> starts;

    Ragged(List<T> values, List<uint32_t> where) : all(values), starts(where) {
        bool rises = starts.size() && starts(0) == 0 && starts(starts.size() - 1) == all.size();
        for (size_t k = 0; k + 1 < starts.size(); ++k) rises = rises && starts(k) <= starts(k + 1);
        if (!rises) throw std::invalid_argument("lists do not end where their array does");
    }
    size_t size() const { return starts.size() - 1; }
    size_t length(size_t k) const { return starts(k + 1) - starts(k); }
    const T* begin(size_t k) const { return all.data() + starts(k); }
    std::vector<T> list(size_t k) const { return {begin(k), begin(k) + length(k)}; }
};

// What is measured, one list of words a member of `Programs`, or one for all.
std::vector<Observed> read_observed(const Ragged<double>& coefficients, List<uint64_t> x, List<uint64_t> z,
                                    List<uint32_t> output, size_t n_outputs) {
    check_size(x.size(), coefficients.all.size(), "x");
    check_size(z.size(), coefficients.all.size(), "z");
    check_size(output.size(), coefficients.all.size(), "output");
    std::vector<Observed> out(coefficients.size());
    for (size_t k = 0; k < out.size(); ++k)
        for (size_t t = coefficients.starts(k); t < coefficients.starts(k + 1); ++t) {
            if (output(t) >= n_outputs) throw std::invalid_argument("an output is none of the batch");
            out[k].push_back({coefficients.all(t), x(t), z(t), output(t)});
        }
    return out;
}

// A member's circuits, slots and numbers for each program that is to be lowered.
void add_lowered(Programs& to, const std::vector<const lowering::Expansion*>& forms, List<uint32_t> n_qubits,
                 List<uint32_t> form, List<uint32_t> form_starts, List<uint32_t> qubits, List<uint32_t> qubit_starts,
                 List<int8_t> source, List<int32_t> index, List<double> scale, List<double> offset,
                 List<uint32_t> angle_starts, List<uint32_t> observed, List<double> coefficient,
                 List<uint32_t> coefficient_starts, List<uint64_t> x, List<uint64_t> z, List<uint32_t> output,
                 List<uint32_t> circuits, List<uint32_t> circuit_starts, List<uint32_t> inputs,
                 List<uint32_t> input_starts, List<uint32_t> weights, List<uint32_t> weight_starts,
                 List<double> numbers, List<uint32_t> number_starts, int threads) {
    const Ragged<uint32_t> gates(form, form_starts), places(qubits, qubit_starts), rows(circuits, circuit_starts),
        input_slots(inputs, input_starts), weight_slots(weights, weight_starts);
    const Ragged<double> scales(scale, angle_starts), known(numbers, number_starts);
    const std::vector<Observed> words = read_observed({coefficient, coefficient_starts}, x, z, output, to.n_outputs);
    const size_t count = n_qubits.size();
    for (size_t size : {gates.size(), places.size(), rows.size(), input_slots.size(), weight_slots.size(),
                        scales.size(), known.size(), observed.size()})
        check_size(size, count, "a list of the batch");
    for (const auto& [size, what] :
         {std::pair{source.size(), "source"}, {index.size(), "index"}, {offset.size(), "offset"}})
        check_size(size, scale.size(), what);
    std::vector<Angle> angles;
    for (size_t a = 0; a < scale.size(); ++a) angles.push_back({Source(source(a)), index(a), scale(a), offset(a)});
    std::vector<Member> made(count);
    for (size_t k = 0; k < count; ++k) {
        const Gates mine{n_qubits(k),    gates.length(k), forms.data(),
                         gates.begin(k), places.begin(k), angles.data() + angle_starts(k)};
        for (size_t g = 0; g < mine.count; ++g)
            if (mine.form[g] >= forms.size()) throw std::invalid_argument("a gate has no form");
        const Extent extent = extent_of(mine);
        check_size(places.length(k), extent.qubits, "qubits");
        check_size(scales.length(k), extent.angles, "angles");
        for (size_t j = 0; j < extent.qubits; ++j)
            if (mine.qubits[j] >= mine.n_qubits) throw std::invalid_argument("a gate's qubit is none of its circuit");
        if (observed(k) >= words.size() || !rows.length(k)) throw std::invalid_argument("a program measures nothing");
    }
    run_unlocked([&] {
        parallel_for(count, threads, [&](size_t k) {
            const Gates mine{n_qubits(k),    gates.length(k), forms.data(),
                             gates.begin(k), places.begin(k), angles.data() + angle_starts(k)};
            const size_t n_inputs = input_slots.length(k) + known.length(k) / rows.length(k);
            made[k] = {lower_values(mine, words[observed(k)], n_inputs, weight_slots.length(k), to.n_outputs),
                       rows.list(k), input_slots.list(k), weight_slots.list(k), known.list(k)};
        });
    });
    for (Member& member : made) to.add(std::move(member));
}

template <class T>
ManyCall<T> call_of(const Programs& p, const View<const T>& inputs, const View<const T>& weights, int threads) {
    const bool own = weights.ndim == 2;
    check_size(inputs.size, p.n_circuits * p.n_inputs, "inputs");
    check_size(weights.size, own ? p.n_circuits * p.n_weights : p.n_weights, "weights");
    return {inputs.data, weights.data, own, threads};
}

template <class T>
void bind_walks(nb::class_<Programs>& programs) {
    const auto array = nb::arg().noconvert();
    const auto array_or_none = nb::arg().noconvert().none();
    programs.def(
        "forward",
        [](const Programs& p, View<const T> inputs, View<const T> weights, View<T> values, const Kept* kept,
           int threads) {
            const ManyCall<T> call = call_of<T>(p, inputs, weights, threads);
            check_size(values.size, p.n_circuits * p.n_outputs, "values");
            if (kept) check_size(kept->bytes / sizeof(T), p.kept_size<T>(), "kept");
            T* states = kept ? static_cast<T*>(kept->data()) : nullptr;
            run_unlocked([&] { p.forward<T>(call, values.data, states); });
        },
        array, array, array, nb::arg().none(), nb::arg());
    programs.def(
        "backward",
        [](const Programs& p, View<const T> inputs, View<const T> weights, View<const T> cotangents, View<T> values,
           View<T> d_inputs, View<T> d_weights, Kept* kept, int threads) {
            const ManyCall<T> call = call_of<T>(p, inputs, weights, threads);
            check_size(cotangents.size, p.n_circuits * p.n_outputs, "cotangents");
            if (values.data) check_size(values.size, p.n_circuits * p.n_outputs, "values");
            if (d_inputs.data) check_size(d_inputs.size, inputs.size, "d_inputs");
            if (d_weights.data) check_size(d_weights.size, weights.size, "d_weights");
            if (kept) check_size(kept->bytes / sizeof(T), p.kept_size<T>(), "kept");
            T* states = kept && !values.data && kept->take() ? static_cast<T*>(kept->data()) : nullptr;
            const ManySlopes<T> slopes{cotangents.data, d_inputs.data, d_weights.data};
            run_unlocked([&] { p.backward<T>(call, slopes, values.data, states); });
        },
        array, array, array, array_or_none, array_or_none, array_or_none, nb::arg().none(), nb::arg());
}

}  // namespace

void bind_many(nb::module_& m) {
    nb::class_<Programs> programs(m, "Programs", "Programs of many circuits that run in one call.");
    programs.def(nb::init<size_t, size_t, size_t, size_t>())
        .def("__len__", &Programs::size)
        .def("add",
             [](Programs& to, const Program& program, std::vector<uint32_t> circuits, std::vector<uint32_t> inputs,
                std::vector<uint32_t> weights) {
                 to.add({program, std::move(circuits), std::move(inputs), std::move(weights), {}});
             })
        .def("add_lowered", &add_lowered)
        .def("kept_size",
             [](const Programs& p, bool twice) { return twice ? p.kept_size<double>() : p.kept_size<float>(); });
    bind_walks<float>(programs);
    bind_walks<double>(programs);
}
