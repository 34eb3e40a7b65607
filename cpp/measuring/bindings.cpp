#include <nanobind/nanobind.h>

#include <algorithm>
#include <bit>
#include <stdexcept>

#include "machine/signals.hpp"
#include "machine/view.hpp"
#include "measuring/draw.hpp"

namespace nb = nanobind;
using namespace qloom;

// The place of a call is three numbers: a key of two, and the call's.
template <class T>
static Tables<T> tables_of(const View<const T>& probabilities, const View<const uint64_t>& place) {
    const size_t n = probabilities.rows ? probabilities.size / probabilities.rows : 1;
    if (!std::has_single_bit(n)) throw std::invalid_argument("a table has no power of two of outcomes");
    if (place.size != 3) throw std::invalid_argument("a place is a key of two numbers and a call's");
    return {probabilities.data, probabilities.rows, n};
}

static Place place_of(const View<const uint64_t>& place) { return {{place.data[0], place.data[1]}, place.data[2]}; }

template <class T>
static void bind_tables(nb::module_& m) {
    const auto array = nb::arg().noconvert();
    m.def(
        "draw",
        [](View<const T> probabilities, View<const uint64_t> place, size_t shots, View<int64_t> outcomes, int threads) {
            const Tables<T> tables = tables_of(probabilities, place);
            if (outcomes.size != tables.rows * shots) throw std::invalid_argument("outcomes are not (rows, shots)");
            run_unlocked([&] { draw(tables, place_of(place), shots, outcomes.data, threads); });
        },
        array, array, nb::arg(), array, nb::arg(), "Outcomes (rows, shots) of tables (rows, n).");
    m.def(
        "draw_each",
        [](View<const T> probabilities, View<const uint64_t> place, View<const int64_t> which,
           View<const int64_t> numbers, View<int64_t> outcomes, int threads) {
            const Tables<T> tables = tables_of(probabilities, place);
            if (numbers.size != which.size || outcomes.size != which.size)
                throw std::invalid_argument("outcomes, numbers and tables are not of the same rows");
            if (!std::is_sorted(which.data, which.data + which.size))
                throw std::invalid_argument("rows are not sorted");
            if (which.size && (which.data[0] < 0 || size_t(which.data[which.size - 1]) >= tables.rows))
                throw std::invalid_argument("a row's table is none");
            const Shared shared{which.data, numbers.data, which.size};
            run_unlocked([&] { draw_each(tables, place_of(place), shared, outcomes.data, threads); });
        },
        array, array, array, array, array, nb::arg(), "An outcome of each row, of tables (D, n) that rows share.");
    m.def(
        "count",
        [](View<const T> probabilities, View<const uint64_t> place, size_t shots, View<double> counts, int threads) {
            const Tables<T> tables = tables_of(probabilities, place);
            if (counts.size != probabilities.size || tables.n > MOST_ALIASED)
                throw std::invalid_argument("counts are not (rows, n), or there are too many of them");
            run_unlocked([&] { count(tables, place_of(place), shots, counts.data, threads); });
        },
        array, array, nb::arg(), array, nb::arg(), "How often each outcome is among those that `draw` gives.");
}

void bind_measuring(nb::module_& m) {
    m.attr("most_counted") = MOST_ALIASED;
    bind_tables<float>(m);
    bind_tables<double>(m);
}
