// Searches over spins, for Python.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <stdexcept>

#include "annealing.hpp"
#include "bindings_signals.hpp"

namespace nb = nanobind;
using namespace qloom;

template <class T>
using Array = nb::ndarray<T, nb::c_contig, nb::device::cpu>;

// Shapes and indices were checked in Python, where a quadratic form is made.
static Couplings couplings_of(Array<const int64_t> starts, Array<const int32_t> neighbours, Array<const double> values,
                              Array<const double> fields) {
    if (starts.size() != fields.size() + 1 || neighbours.size() != values.size())
        throw std::invalid_argument("couplings and fields are of different sizes; give those of one quadratic form");
    return {fields.size(), starts.data(), neighbours.data(), values.data(), fields.data()};
}

void bind_search(nb::module_& m) {
    m.def(
        "anneal",
        [](Array<const int64_t> starts, Array<const int32_t> neighbours, Array<const double> values,
           Array<const double> fields, Array<const double> betas, bool descend, Array<const uint64_t> seeds,
           Array<int8_t> spins, Array<double> energies, int threads) {
            const Couplings c = couplings_of(starts, neighbours, values, fields);
            if (spins.size() != seeds.size() * c.n || energies.size() != seeds.size())
                throw std::invalid_argument(
                    "spins and energies are of different sizes; give a row and a number a seed");
            run_unlocked([&] {
                anneal(c, betas.data(), betas.size(), descend, seeds.data(), seeds.size(), spins.data(),
                       energies.data(), threads);
            });
        },
        "Simulated annealing of each row of spins, which are written over.");
}
