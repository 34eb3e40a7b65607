// qloom._searches: searches over spins and round trips, for Python.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <stdexcept>
#include <string>

#include "machine/signals.hpp"
#include "machine/threads.hpp"
#include "searches/assignment.hpp"
#include "searches/rows.hpp"
#include "searches/searches.hpp"
#include "searches/tours.hpp"

namespace nb = nanobind;

using namespace qloom;

template <class T>
using Array = nb::ndarray<T, nb::c_contig, nb::device::cpu>;

// An array that is written over: what would be written to a copy would be lost, so that none is made.
template <class T>
struct Written : Array<T> {};

template <class T>
struct nanobind::detail::type_caster<Written<T>> {
    NB_TYPE_CASTER(Written<T>, const_name("array"))

    bool from_python(handle src, uint8_t flags, cleanup_list* cleanup) {
        make_caster<Array<T>> caster;
        if (!caster.from_python(src, flags & ~uint8_t(cast_flags::convert), cleanup)) return false;
        value = {caster.value};
        return true;
    }
};

using Starts = Array<const int64_t>;
using Neighbours = Array<const int32_t>;
using Numbers = Array<const double>;
using Seeds = Array<const uint64_t>;
using Spins = Written<int8_t>;
using Energies = Written<double>;

static void check(bool sizes_fit, const char* names) {
    if (!sizes_fit)
        throw std::invalid_argument(std::string(names) + " are of different sizes; give a row and a number a seed");
}

// Shapes and indices were checked in Python, where a quadratic form is made.
static Couplings couplings_of(const Starts& starts, const Neighbours& neighbours, const Numbers& values,
                              const Numbers& fields) {
    if (starts.size() != fields.size() + 1 || neighbours.size() != values.size())
        throw std::invalid_argument("couplings and fields are of different sizes; give those of one quadratic form");
    return {fields.size(), starts.data(), neighbours.data(), values.data(), fields.data()};
}

// Of `rows` rows of spins a seed.
static Restarts restarts_of(const Couplings& c, const Seeds& seeds, const Spins& spins, const Energies& energies,
                            size_t rows = 1) {
    check(spins.size() == seeds.size() * rows * c.n && energies.size() == seeds.size() * rows, "spins and energies");
    return {seeds.size(), seeds.data(), spins.data(), energies.data()};
}

// Shapes and indices were checked in Python, where a model is made.
static LinearRows rows_of(const Starts& starts, const Neighbours& variables, const Numbers& factors,
                          const Starts& column_starts, const Neighbours& column_rows, const Numbers& column_factors,
                          const Numbers& limits, const Numbers& bounds, const Array<const uint8_t>& kinds) {
    const size_t m = starts.size() - 1, n = kinds.size();
    check(starts.size() > 1 && column_starts.size() == n + 1 && limits.size() == 4 * m && bounds.size() == 2 * n &&
              variables.size() == factors.size() && column_rows.size() == column_factors.size() &&
              variables.size() == column_rows.size(),
          "rows, columns, limits and bounds");
    const double *low = limits.data(), *lower = bounds.data();
    return {m,
            n,
            starts.data(),
            variables.data(),
            factors.data(),
            column_starts.data(),
            column_rows.data(),
            column_factors.data(),
            low,
            low + m,
            low + 2 * m,
            low + 3 * m,
            lower,
            lower + n,
            kinds.data()};
}

NB_MODULE(_searches, m) {
    m.doc() = "Native searches over spins, round trips, assignments and rows of numbers.";
    watch_signals();
    m.def("available_threads", &available_threads);
    m.def(
        "anneal",
        [](Starts starts, Neighbours neighbours, Numbers values, Numbers fields, Numbers betas, bool descend,
           Seeds seeds, Spins spins, Energies energies, int threads, double seconds) {
            const Couplings c = couplings_of(starts, neighbours, values, fields);
            const Restarts restarts = restarts_of(c, seeds, spins, energies);
            run_unlocked([&] { anneal(c, betas.data(), betas.size(), descend, restarts, threads); }, seconds);
        },
        "Simulated annealing of each row of spins, which are written over.");
    m.def(
        "descend",
        [](Starts starts, Neighbours neighbours, Numbers values, Numbers fields, bool pairs, Spins spins,
           Energies energies, int threads, double seconds) {
            const Couplings c = couplings_of(starts, neighbours, values, fields);
            check(spins.size() == energies.size() * c.n, "spins and energies");
            const Restarts restarts{energies.size(), nullptr, spins.data(), energies.data()};
            run_unlocked([&] { descend(c, pairs, restarts, threads); }, seconds);
        },
        "Descent of each row of spins by single flips, or by pairs too; they are written over.");
    m.def(
        "tabu",
        [](Starts starts, Neighbours neighbours, Numbers values, Numbers fields, size_t tenure, size_t spread,
           size_t patience, Seeds seeds, Spins spins, Energies energies, int threads, double seconds) {
            const Couplings c = couplings_of(starts, neighbours, values, fields);
            const Restarts restarts = restarts_of(c, seeds, spins, energies);
            run_unlocked([&] { tabu(c, tenure, spread, patience, restarts, threads); }, seconds);
        },
        "Tabu search from each row of spins, which are written over by the best.");
    m.def(
        "temper",
        [](Starts starts, Neighbours neighbours, Numbers values, Numbers fields, Numbers betas, size_t sweeps,
           size_t exchanges, Seeds seeds, Spins spins, Energies energies, Spins best, Energies best_energies,
           Written<int64_t> accepted, int threads, double seconds) {
            const Couplings c = couplings_of(starts, neighbours, values, fields);
            const Restarts ladders = restarts_of(c, seeds, spins, energies, betas.size());
            check(best.size() == seeds.size() * c.n && best_energies.size() == seeds.size(), "best and best_energies");
            check(accepted.size() + 1 == betas.size(), "accepted and betas");
            const Ladder ladder{betas.data(), betas.size(), sweeps, exchanges};
            run_unlocked(
                [&] { temper(c, ladder, ladders, best.data(), best_energies.data(), accepted.data(), threads); },
                seconds);
        },
        "Parallel tempering of ladders of replicas, which are written over.");
    m.def(
        "anneal_path",
        [](Starts starts, Neighbours neighbours, Numbers values, Numbers fields, double beta, Numbers bonds,
           size_t slices, bool descend, Seeds seeds, Spins spins, Energies energies, int threads, double seconds) {
            const Couplings c = couplings_of(starts, neighbours, values, fields);
            const Restarts restarts = restarts_of(c, seeds, spins, energies, slices);
            const Path path{beta, bonds.data(), bonds.size(), slices, descend};
            run_unlocked([&] { anneal_path(c, path, restarts, threads); }, seconds);
        },
        "Path-integral Monte Carlo of slices of spins, which are written over.");
    m.def(
        "bifurcate",
        [](Starts starts, Neighbours neighbours, Numbers values, Numbers fields, size_t steps, float step, float scale,
           float start, Numbers controls, bool discrete, Seeds seeds, Spins spins, int threads, double seconds) {
            const Couplings c = couplings_of(starts, neighbours, values, fields);
            check(spins.size() == seeds.size() * c.n && controls.size() == seeds.size(), "spins and controls");
            const Restarts restarts{seeds.size(), seeds.data(), spins.data(), nullptr};
            run_unlocked(
                [&] { bifurcate(c, {steps, step, scale, start, controls.data(), discrete}, restarts, threads); },
                seconds);
        },
        "Simulated bifurcation of the couplings; fields are left out.");
    m.def(
        "improve_tour",
        [](Numbers distances, Neighbours near, size_t kicks, double seconds, double least, uint64_t seed,
           Written<int32_t> tour) {
            const size_t n = tour.size();
            check(distances.size() == n * n && (n == 0 || near.size() % n == 0), "distances, near and tour");
            const Cities cities{n, distances.data(), near.data(), n == 0 ? 0 : near.size() / n};
            double gained = 0;
            run_unlocked([&] { gained = improve_tour(cities, kicks, least, seed, tour.data()); }, seconds);
            return gained;
        },
        "Local search and kicks of a round trip, which is written over; what was gained.");
    m.def(
        "spanning_tree",
        [](Numbers distances, Numbers weights, size_t first, Written<int32_t> order, Written<int32_t> parents) {
            const size_t n = weights.size();
            check(distances.size() == n * n && parents.size() == n && first < n && order.size() + first == n,
                  "distances, weights, order and parents");
            double length = 0;
            run_unlocked([&] {
                length = spanning_tree(n, distances.data(), weights.data(), first, order.data(), parents.data());
            });
            return length;
        },
        "The least spanning tree of nodes from the first on; its length.");
    m.def(
        "exchange_locations",
        [](Numbers flows, Numbers distances, size_t moves, double seconds, double tolerance, uint64_t seed,
           Written<int32_t> best) {
            const size_t n = best.size();
            check(flows.size() == n * n && distances.size() == n * n, "flows, distances and best");
            run_unlocked(
                [&] { exchange_locations(n, flows.data(), distances.data(), moves, tolerance, seed, best.data()); },
                seconds);
        },
        "Tabu search of a quadratic assignment, which is written over by what is better.");
    m.def(
        "walk_rows",
        [](Starts starts, Neighbours variables, Numbers factors, Starts column_starts, Neighbours column_rows,
           Numbers column_factors, Numbers limits, Numbers bounds, Array<const uint8_t> kinds, size_t moves,
           double step, double lowest, bool with_objective, uint64_t seed, Written<double> best, double seconds) {
            const LinearRows rows =
                rows_of(starts, variables, factors, column_starts, column_rows, column_factors, limits, bounds, kinds);
            check(best.size() == rows.n, "best and kinds");
            run_unlocked([&] { lowest = walk_rows(rows, {moves, step, lowest, with_objective, seed}, best.data()); },
                         seconds);
            return lowest;
        },
        "A walk that mends broken rows; better solutions that meet all of them are written over the best.");
}
