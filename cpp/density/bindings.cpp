#include <nanobind/nanobind.h>

#include <stdexcept>

#include "density/program.hpp"
#include "machine/kept.hpp"
#include "machine/signals.hpp"
#include "machine/view.hpp"

namespace nb = nanobind;
using namespace qloom;

namespace {

void check(bool fits, const char* what) {
    if (!fits) throw std::invalid_argument(what);
}

using Numbers = View<const int64_t>;
using Flags = View<const uint8_t>;
using Places = View<const uint16_t>;

density::Program make_program(unsigned n_digits, Numbers sweep_starts, Flags digits, Numbers digit_starts, Places rows,
                              Places columns, Flags varying, Numbers entry_starts, Numbers cells) {
    const size_t n_maps = digit_starts.size - 1;
    const auto covers = [](const Numbers& starts, size_t all) {
        bool fits = starts.size && starts.data[0] == 0 && size_t(starts.data[starts.size - 1]) == all;
        for (size_t k = 1; fits && k < starts.size; ++k) fits = starts.data[k] >= starts.data[k - 1];
        return fits;
    };
    check(n_digits <= 16 && digit_starts.size && entry_starts.size == n_maps + 1, "maps are not as many everywhere");
    check(covers(sweep_starts, n_maps) && covers(digit_starts, digits.size) && covers(entry_starts, rows.size),
          "starts do not fit what they are of");
    check(columns.size == rows.size && varying.size == rows.size, "entries are not as many everywhere");
    return density::Program(
        n_digits, {n_maps, sweep_starts.size - 1, cells.size, sweep_starts.data, digit_starts.data, entry_starts.data,
                   digits.data, rows.data, columns.data, varying.data, cells.data});
}

template <class T>
density::Call<T> make_call(const density::Program& p, size_t batch, const View<const T>& shared,
                           const View<const T>& own, const Numbers& columns, const Flags& is_own,
                           const View<const T>& initial, int threads) {
    const size_t n_own = batch ? own.size / batch : 0, n = p.maps.size();
    check(columns.size == n && is_own.size == n && own.size == n_own * batch, "values do not fit the maps");
    for (size_t m = 0; m < n; ++m) {
        const size_t room = is_own.data[m] ? n_own : shared.size;
        check(columns.data[m] >= 0 && size_t(columns.data[m]) + p.maps[m].n_values <= room, "values end too soon");
    }
    check(!initial.data || initial.size == p.size() || initial.size == batch * p.size(), "the start does not fit");
    const size_t stride = initial.ndim == 2 ? p.size() : 0;
    return {batch, shared.data, own.data, n_own, columns.data, is_own.data, initial.data, stride, threads};
}

template <class T>
T* states_of(const density::Program& p, size_t batch, const Kept* kept) {
    if (!kept) return nullptr;
    check(kept->bytes == density::kept_size<T>(p, batch) * sizeof(T), "states that were kept are of another batch");
    return static_cast<T*>(kept->data());
}

template <class T>
void bind(nb::module_& m) {
    const auto array = nb::arg().noconvert();
    const auto array_or_none = nb::arg().noconvert().none();
    m.def(
        "density_forward",
        [](const density::Program& p, View<const T> shared, View<const T> own, Numbers columns, Flags is_own,
           View<const T> initial, View<T> values, const Kept* kept, int threads) {
            const size_t batch = values.rows;
            check(values.size == batch * p.cells.size(), "values are not (B, cells)");
            if (!batch) return;
            const auto call = make_call<T>(p, batch, shared, own, columns, is_own, initial, threads);
            T* states = states_of<T>(p, batch, kept);
            run_unlocked([&] { density::forward<T>(p, call, values.data, states); });
        },
        nb::arg(), array, array, array, array, array_or_none, array, nb::arg().none(), nb::arg(),
        "Values (B, cells) of the cells.");
    m.def(
        "density_backward",
        [](const density::Program& p, View<const T> shared, View<const T> own, Numbers columns, Flags is_own,
           View<const T> initial, View<const T> cotangents, Flags wanted, View<double> by_shared, View<double> by_own,
           View<T> by_initial, const Kept* kept, int threads) {
            const size_t batch = cotangents.rows;
            check(cotangents.size == batch * p.cells.size(), "cotangents are not (B, cells)");
            check(wanted.size == p.maps.size() && by_shared.size == shared.size && by_own.size == own.size,
                  "slopes are not as many as values");
            check(!by_initial.data || by_initial.size == batch * p.size(), "slopes by the start do not fit");
            if (!batch) return;
            const auto call = make_call<T>(p, batch, shared, own, columns, is_own, initial, threads);
            const density::Slopes<T> slopes{cotangents.data, wanted.data, by_shared.data, by_own.data, by_initial.data};
            const T* states = states_of<T>(p, batch, kept);
            run_unlocked([&] { density::backward<T>(p, call, slopes, states); });
        },
        nb::arg(), array, array, array, array, array_or_none, array, array, array, array, array_or_none,
        nb::arg().none(), nb::arg(), "Slopes by the values of maps that are wanted, from those by cells.");
}

}  // namespace

void bind_density(nb::module_& m) {
    nb::class_<density::Program>(m, "DensityProgram", "Linear maps of vectors over Pauli words.")
        .def("__init__",
             [](density::Program* self, unsigned n_digits, Numbers sweep_starts, Flags digits, Numbers digit_starts,
                Places rows, Places columns, Flags varying, Numbers entry_starts, Numbers cells) {
                 new (self) density::Program(make_program(n_digits, sweep_starts, digits, digit_starts, rows, columns,
                                                          varying, entry_starts, cells));
             })
        .def_prop_ro("n_sweeps", [](const density::Program& p) { return p.sweeps.size(); })
        .def("kept_bytes",
             [](const density::Program& p, size_t batch, bool twice) {
                 return twice ? density::kept_size<double>(p, batch) * sizeof(double)
                              : density::kept_size<float>(p, batch) * sizeof(float);
             })
        .def("bytes_needed", [](const density::Program& p, size_t batch, int threads, bool back, bool twice) {
            return twice ? density::bytes_needed<double>(p, batch, threads, back)
                         : density::bytes_needed<float>(p, batch, threads, back);
        });
    bind<float>(m);
    bind<double>(m);
}
