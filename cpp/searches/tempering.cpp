// Parallel tempering.
#include <algorithm>
#include <atomic>

#include "machine/interrupt.hpp"
#include "machine/threads.hpp"
#include "searches/spin_walk.hpp"

namespace qloom {
namespace {

// One ladder. A place is a temperature; exchanges move walks between places.
template <class F>
class Replicas {
public:
    Replicas(const Rows<F>& rows, const Ladder& ladder, const int8_t* spins, uint64_t seed)
        : ladder(ladder), random(seed) {
        for (size_t k = 0; k < ladder.temperatures; ++k)
            walks.emplace_back(rows, spins + k * rows.given.n), at.push_back(k);
    }
    // `visit` is told every walk and its energy after its sweeps.
    template <class Visit>
    void sweep(const Visit& visit) {
        energies.resize(walks.size());
        for (size_t k = 0; k < walks.size(); ++k) {
            SpinWalk<F>& walk = walks[at[k]];
            for (size_t s = 0; s < ladder.sweeps; ++s) walk.sweep(float(ladder.betas[k]), random);
            visit(walk, energies[k] = walk.running_energy());
        }
    }
    void exchange(size_t first, std::atomic<int64_t>* accepted) {
        for (size_t k = first; k + 1 < walks.size(); k += 2) {
            const double rise = (ladder.betas[k] - ladder.betas[k + 1]) * (energies[k + 1] - energies[k]);
            if (!SpinWalk<F>::accepts(float(rise), random)) continue;
            std::swap(at[k], at[k + 1]), std::swap(energies[k], energies[k + 1]);
            accepted[k].fetch_add(1, std::memory_order_relaxed);
        }
    }
    const SpinWalk<F>& at_place(size_t k) const { return walks[at[k]]; }

private:
    const Ladder& ladder;
    Random random;
    std::vector<SpinWalk<F>> walks;
    std::vector<size_t> at;
    std::vector<double> energies;
};

template <class F>
void climb(const Rows<F>& rows, const Ladder& ladder, uint64_t seed, int8_t* spins, double* energies, int8_t* best,
           double& best_energy, std::atomic<int64_t>* accepted) {
    const size_t n = rows.given.n;
    Replicas<F> replicas(rows, ladder, spins, seed);
    double lowest = INFINITY;
    std::copy_n(spins, n, best);
    for (size_t e = 0; e < ladder.exchanges && !Watch::late(); ++e) {
        Watch::check(8 * n * ladder.sweeps * ladder.temperatures);
        replicas.sweep([&](const SpinWalk<F>& walk, double energy) {
            if (energy < lowest) lowest = energy, walk.leave(best);
        });
        replicas.exchange(e % 2, accepted);
    }
    for (size_t k = 0; k < ladder.temperatures; ++k) {
        replicas.at_place(k).leave(spins + k * n);
        energies[k] = replicas.at_place(k).energy();
    }
    SpinWalk<F> found(rows, best);
    found.descend();
    found.leave(best);
    best_energy = found.energy();
}

}  // namespace

void temper(const Couplings& c, const Ladder& ladder, const Restarts& ladders, int8_t* best, double* best_energies,
            int64_t* accepted, int threads) {
    std::vector<std::atomic<int64_t>> sums(ladder.temperatures);
    with_rows(c, [&]<class F>(const Rows<F>& rows) {
        parallel_for(ladders.count, threads, [&](size_t r) {
            const size_t row = r * ladder.temperatures;
            climb(rows, ladder, ladders.seeds[r], ladders.spins + row * c.n, ladders.energies + row, best + r * c.n,
                  best_energies[r], sums.data());
        });
    });
    for (size_t k = 0; k + 1 < ladder.temperatures; ++k) accepted[k] = sums[k];
}

}  // namespace qloom
