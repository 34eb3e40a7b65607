// Simulated quantum annealing: path-integral Monte Carlo in slices of imaginary time.
#include "machine/interrupt.hpp"
#include "machine/threads.hpp"
#include "searches/spin_walk.hpp"

namespace qloom {
namespace {

// Single spins of every slice, bound to those before and after it in imaginary time, which closes.
template <class F>
void sweep_slices(std::vector<SpinWalk<F>>& slices, float beta, float bond, Random& random) {
    const size_t count = slices.size(), n = slices[0].size();
    for (size_t k = 0; k < count; ++k) {
        SpinWalk<F>& walk = slices[k];
        const auto &before = slices[(k + count - 1) % count].spins(), &after = slices[(k + 1) % count].spins();
        for (size_t i = 0; i < n; ++i) {
            const float kink = 2 * bond * float(walk.spins()[i] * (before[i] + after[i]));
            if (walk.accepts(beta * walk.rise(i) + kink, random)) walk.flip(i);
        }
    }
}

// One spin in all slices: bonds in imaginary time stay as they are.
template <class F>
void sweep_worldlines(std::vector<SpinWalk<F>>& slices, float beta, Random& random) {
    for (size_t i = 0; i < slices[0].size(); ++i) {
        float rise = 0;
        for (const SpinWalk<F>& walk : slices) rise += walk.rise(i);
        if (SpinWalk<F>::accepts(beta * rise, random))
            for (SpinWalk<F>& walk : slices) walk.flip(i);
    }
}

template <class F>
void anneal_one(const Rows<F>& rows, const Path& path, uint64_t seed, int8_t* spins, double* energies) {
    const size_t n = rows.given.n;
    std::vector<SpinWalk<F>> slices;
    for (size_t k = 0; k < path.slices; ++k) slices.emplace_back(rows, spins + k * n);
    Random random(seed);
    for (size_t m = 0; m < path.steps && !Watch::late(); ++m) {
        Watch::check(16 * n * path.slices);
        sweep_slices(slices, float(path.beta), float(path.bonds[m]), random);
        sweep_worldlines(slices, float(path.beta), random);
    }
    for (size_t k = 0; k < path.slices; ++k) {
        if (path.descend) slices[k].descend();
        slices[k].leave(spins + k * n);
        energies[k] = slices[k].energy();
    }
}

}  // namespace

void anneal_path(const Couplings& c, const Path& path, const Restarts& restarts, int threads) {
    with_rows(c, [&]<class F>(const Rows<F>& rows) {
        parallel_for(restarts.count, threads, [&](size_t r) {
            const size_t row = r * path.slices;
            anneal_one(rows, path, restarts.seeds[r], restarts.spins + row * c.n, restarts.energies + row);
        });
    });
}

}  // namespace qloom
