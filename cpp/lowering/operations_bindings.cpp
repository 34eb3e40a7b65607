// Operations of circuits, as Python has them, read into flat arrays: hundreds of thousands of attributes a call.
#include <nanobind/nanobind.h>

#include <unordered_map>

#include "lowering/angle.hpp"
#include "machine/owned.hpp"

namespace nb = nanobind;
using namespace qloom;

namespace {

nb::object attribute(PyObject* of, const nb::str& name) {
    nb::object found = nb::steal(PyObject_GetAttr(of, name.ptr()));
    if (!found.is_valid()) throw nb::python_error();
    return found;
}

// The items of a tuple or list.
class Items {
public:
    explicit Items(const nb::object& of) : fast(nb::steal(PySequence_Fast(of.ptr(), "expected a tuple"))) {
        if (!fast.is_valid()) throw nb::python_error();
    }
    Py_ssize_t size() const { return PySequence_Fast_GET_SIZE(fast.ptr()); }
    PyObject* operator[](Py_ssize_t k) const { return PySequence_Fast_GET_ITEM(fast.ptr(), k); }

private:
    nb::object fast;
};

long whole(PyObject* number) {
    const long out = PyLong_AsLong(number);
    if (out == -1 && PyErr_Occurred()) throw nb::python_error();
    return out;
}

double real(PyObject* number) {
    const double out = PyFloat_AsDouble(number);
    if (out == -1.0 && PyErr_Occurred()) throw nb::python_error();
    return out;
}

class Reader {
public:
    void read(PyObject* operation) {
        form.push_back(number_of(attribute(operation, names.gate)));
        const Items places(attribute(operation, names.qubits)), angles(attribute(operation, names.angles));
        for (Py_ssize_t k = 0; k < places.size(); ++k) qubits.push_back(uint32_t(whole(places[k])));
        for (Py_ssize_t k = 0; k < angles.size(); ++k) {
            source.push_back(source_of(attribute(angles[k], names.source)));
            index.push_back(int32_t(whole(attribute(angles[k], names.index).ptr())));
            scale.push_back(real(attribute(angles[k], names.scale).ptr()));
            offset.push_back(real(attribute(angles[k], names.offset).ptr()));
        }
    }

    nb::tuple arrays() {
        return nb::make_tuple(gates, to_array(std::move(form)), to_array(std::move(qubits)),
                              to_array(std::move(source)), to_array(std::move(index)), to_array(std::move(scale)),
                              to_array(std::move(offset)));
    }

private:
    static nb::str interned(const char* text) { return nb::steal<nb::str>(PyUnicode_InternFromString(text)); }

    // Gates are told apart by what object they are.
    uint32_t number_of(const nb::object& gate) {
        const auto [found, is_new] = known.try_emplace(gate.ptr(), uint32_t(known.size()));
        if (is_new) gates.append(gate);
        return found->second;
    }

    int8_t source_of(const nb::object& text) const {
        const nb::str* const known_texts[] = {&names.number, &names.input, &names.weight};
        for (int8_t k = 0; k < 3; ++k)
            if (text.is(*known_texts[k])) return k;
        for (int8_t k = 0; k < 3; ++k)
            if (text.equal(*known_texts[k])) return k;
        throw std::invalid_argument("an angle's source is none");
    }

    struct Names {
        nb::str gate = interned("gate"), qubits = interned("qubits"), angles = interned("angles"),
                source = interned("source"), index = interned("index"), scale = interned("scale"),
                offset = interned("offset"), number = interned("number"), input = interned("input"),
                weight = interned("weight");
    } names;
    nb::list gates;
    std::unordered_map<PyObject*, uint32_t> known;
    std::vector<uint32_t> form, qubits;
    std::vector<int8_t> source;
    std::vector<int32_t> index;
    std::vector<double> scale, offset;
};

}  // namespace

static_assert(int(Source::number) == 0 && int(Source::input) == 1 && int(Source::weight) == 2);

void bind_operations(nb::module_& m) {
    m.def("read_operations", [](const nb::list& operations) {
        Reader reader;
        for (nb::handle operation : operations) reader.read(operation.ptr());
        return reader.arrays();
    });
}
