#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <string>
#include <vector>

#include "machine/instruction_sets.hpp"

namespace nb = nanobind;
using namespace qloom;

void bind_kernels(nb::module_& m) {
    m.def(
        "kernel_names",
        [] {
            std::vector<std::string> names{name_of(chosen_set())};
            for (InstructionSet set : available_sets()) names.push_back(name_of(set));
            return names;
        },
        "The set of kernels in use, then every set this processor runs, best first.");
}
