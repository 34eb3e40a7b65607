#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <string>
#include <vector>

#include "kernels/kernels.hpp"

namespace nb = nanobind;
using namespace qloom;

void bind_kernels(nb::module_& m) {
    m.def(
        "kernel_names",
        [] {
            const Kernels<float>* sets[4];
            std::vector<std::string> names{kernels<float>().name};
            const size_t n = available_kernels<float>(sets, 4);
            for (size_t i = 0; i < n; ++i) names.push_back(sets[i]->name);
            return names;
        },
        "The set of kernels in use, then every set this processor runs, best first.");
}
