// Programs packed for devices, up to Python as bytes.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include "gpu/many.hpp"
#include "machine/owned.hpp"

namespace nb = nanobind;
using namespace qloom;

namespace {

std::vector<std::tuple<uint32_t, uint32_t, uint32_t>> tiles_of(const PackedProgram& packed) {
    std::vector<std::tuple<uint32_t, uint32_t, uint32_t>> out;
    const auto* tiles = packed.at<qloom_gpu::Tile>(packed.head().tiles);
    for (uint32_t k = 0; k < packed.head().n_tiles; ++k) out.push_back({tiles[k].dims, tiles[k].first, tiles[k].count});
    return out;
}

uint32_t outcome_bits(const PackedProgram& packed) {
    const auto& head = packed.head();
    return head.kind == qloom_gpu::OUTCOMES ? packed.at<qloom_gpu::Outcomes>(head.outcomes)->d : 0;
}

void bind_many_packed(nb::module_& m) {
    nb::class_<PackedPrograms>(m, "PackedPrograms", "Programs of different circuits as kernels read them.")
        .def_prop_ro("table", [](const PackedPrograms& p) { return to_array(std::vector(p.table)); })
        .def_prop_ro("work", [](const PackedPrograms& p) { return to_array(std::vector(p.work), 2); })
        .def_prop_ro("numbers", [](const PackedPrograms& p) { return to_array(std::vector(p.numbers)); })
        .def_ro("least_bits", &PackedPrograms::least_bits)
        .def_ro("most_bits", &PackedPrograms::most_bits)
        .def_ro("n_rotations_most", &PackedPrograms::most_rotations)
        .def_ro("any_real", &PackedPrograms::any_real)
        .def_ro("all_real", &PackedPrograms::all_real);
    m.def("pack_programs", &pack_programs, nb::arg("programs"), nb::arg("register_bits"),
          nb::call_guard<nb::gil_scoped_release>());
}

}  // namespace

void bind_gpu(nb::module_& m) {
    nb::class_<PackedProgram>(m, "PackedProgram", "A program as kernels read it.")
        .def_prop_ro("table", [](const PackedProgram& p) { return to_array(std::vector(p.table)); })
        .def_prop_ro("bits", [](const PackedProgram& p) { return p.head().bits; })
        .def_prop_ro("used_bits", [](const PackedProgram& p) { return p.head().used_bits; })
        .def_prop_ro("is_real", [](const PackedProgram& p) { return p.head().is_real != 0; })
        .def_prop_ro("n_rotations", [](const PackedProgram& p) { return p.head().n_rotations; })
        .def_prop_ro("kind", [](const PackedProgram& p) { return p.head().kind; })
        .def_prop_ro("n_tables", [](const PackedProgram& p) { return p.head().n_tables; })
        .def_prop_ro("n_terms", [](const PackedProgram& p) { return p.head().n_terms; })
        .def_prop_ro("n_groups", [](const PackedProgram& p) { return p.head().n_groups; })
        .def_prop_ro("n_outcome_bits", &outcome_bits)
        .def_prop_ro("tiles", &tiles_of);
    m.def(
        "pack_program",
        [](const Program& program, unsigned register_bits, unsigned tile_bits, unsigned whole_bits) {
            return pack(program, {0, register_bits, tile_bits, whole_bits}, own_places(program),
                        program.coordinates().is_real, true);
        },
        nb::arg("program"), nb::arg("register_bits"), nb::arg("tile_bits"), nb::arg("whole_bits"),
        nb::call_guard<nb::gil_scoped_release>());
    bind_many_packed(m);
}
