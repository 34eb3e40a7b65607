// What trains networks beside their circuits, for Python. Perceptrons: R of one shape, numbers (R, B, .) and weights
// (R, P).
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <stdexcept>
#include <string>

#include "machine/view.hpp"
#include "networks/adamw.hpp"
#include "networks/perceptron.hpp"
#include "networks/shared_sums.hpp"

namespace nb = nanobind;
using namespace qloom;

namespace {

class Perceptrons {
public:
    Perceptrons(size_t count, size_t n_inputs, size_t width, size_t n_outputs, bool angles, double left_out)
        : shape{n_inputs, width, n_outputs, angles, left_out} {
        if (!count || !n_inputs || !width || !n_outputs || !(left_out >= 0 && left_out <= 1))
            throw std::invalid_argument("sizes must be above 0 and left_out between 0 and 1");
        for (size_t r = 0; r < count; ++r) each.emplace_back(shape);
    }
    Perceptrons(const Perceptrons&) = delete;
    Perceptrons& operator=(const Perceptrons&) = delete;

    void forward(View<const float> weights, View<const float> inputs, const std::vector<uint64_t>& seeds,
                 View<float> outputs, const std::vector<size_t>& before) {
        rows = inputs.size / (each.size() * shape.n_inputs);
        check(inputs.size, rows * shape.n_inputs, "inputs");
        check(outputs.size, rows * shape.n_outputs, "outputs");
        check(weights.size, shape.n_weights(), "weights");
        check(seeds.size(), 1, "seeds");
        if (!before.empty()) check(before.size(), 1, "before");
        nb::gil_scoped_release unlocked;
        for (size_t r = 0; r < each.size(); ++r)
            each[r].forward(weights.data + r * shape.n_weights(), inputs.data + r * rows * shape.n_inputs, rows,
                            seeds[r], before.empty() ? 0 : before[r], outputs.data + r * rows * shape.n_outputs);
    }

    void backward(View<const float> weights, View<const float> slopes, View<float> d_weights, View<float> d_inputs) {
        check(weights.size, shape.n_weights(), "weights");
        check(slopes.size, rows * shape.n_outputs, "slopes");
        if (d_weights.data) check(d_weights.size, shape.n_weights(), "d_weights");
        if (d_inputs.data) check(d_inputs.size, rows * shape.n_inputs, "d_inputs");
        nb::gil_scoped_release unlocked;
        for (size_t r = 0; r < each.size(); ++r)
            each[r].backward(weights.data + r * shape.n_weights(), slopes.data + r * rows * shape.n_outputs,
                             d_weights.data ? d_weights.data + r * shape.n_weights() : nullptr,
                             d_inputs.data ? d_inputs.data + r * rows * shape.n_inputs : nullptr);
    }

private:
    void check(size_t given, size_t of_one, const char* what) const {
        if (given != each.size() * of_one)
            throw std::invalid_argument(std::string(what) + " has " + std::to_string(given) + " numbers, expected " +
                                        std::to_string(each.size()) + " times " + std::to_string(of_one));
    }

    const PerceptronShape shape;
    std::deque<Perceptron> each;
    size_t rows = 0;
};

// Leaves for Python's signals now and then: another process may never come.
void add(SharedSums& sums, View<float> numbers) {
    for (size_t first = 0; first < numbers.size; first += SharedSums::PIECE) {
        const size_t n = std::min(SharedSums::PIECE, numbers.size - first);
        bool all = false;
        {
            nb::gil_scoped_release unlocked;
            sums.bring(numbers.data + first, n);
            all = sums.wait(std::chrono::milliseconds(50));
        }
        while (!all) {
            if (PyErr_CheckSignals()) throw nb::python_error();
            sums.check_all_live();
            nb::gil_scoped_release unlocked;
            all = sums.wait(std::chrono::milliseconds(50));
        }
        sums.take(numbers.data + first, n);
    }
}

}  // namespace

void bind_networks(nb::module_& m) {
    const auto array = nb::arg().noconvert();
    const auto array_or_none = nb::arg().noconvert().none();
    nb::class_<Perceptrons>(m, "Perceptrons",
                            "R perceptrons of one shape; what a walk forward found is kept for the one back.")
        .def(nb::init<size_t, size_t, size_t, size_t, bool, double>())
        .def("forward", &Perceptrons::forward, array, array, nb::arg(), array,
             nb::arg("before") = std::vector<size_t>{})
        .def("backward", &Perceptrons::backward, array, array, array_or_none, array_or_none);
    nb::class_<SharedSums>(m, "SharedSums", "Sums over processes of one machine, through a file that all have mapped.")
        .def(nb::init<const std::string&, size_t, size_t>(), nb::arg("path"), nb::arg("rank"), nb::arg("count"))
        .def_static("bytes", &SharedSums::bytes, nb::arg("count"), "Of the file, zeros at first.")
        .def("add", &add, array,
             "Wait for all processes, and put the sum of what they bring into each one's array. RuntimeError if one "
             "ends.");
    m.def(
        "adamw",
        [](View<float> values, View<const float> slopes, View<float> means, View<float> squares, double rate,
           double weight_decay, double step) {
            if (slopes.size != values.size || means.size != values.size || squares.size != values.size)
                throw std::invalid_argument("slopes, means and squares must be as many as values");
            adamw({rate, weight_decay, step}, values.data, slopes.data, means.data, squares.data, values.size);
        },
        array, array, array, array, nb::arg("rate"), nb::arg("weight_decay"), nb::arg("step"),
        "A step of AdamW, in place.");
}
