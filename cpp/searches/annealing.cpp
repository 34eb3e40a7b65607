// Simulated annealing, and descent alone.
#include "machine/interrupt.hpp"
#include "machine/threads.hpp"
#include "searches/spin_walk.hpp"

namespace qloom {

void anneal(const Couplings& c, const double* betas, size_t sweeps, bool descend, const Restarts& restarts,
            int threads) {
    with_rows(c, [&]<class F>(const Rows<F>& rows) {
        parallel_for(restarts.count, threads, [&](size_t r) {
            SpinWalk<F> walk(rows, restarts.spins + r * c.n);
            Random random(restarts.seeds[r]);
            for (size_t k = 0; k < sweeps && !Watch::late(); ++k) {
                Watch::check(8 * c.n);
                walk.sweep(float(betas[k]), random);
            }
            if (descend) walk.descend();
            walk.leave(restarts.spins + r * c.n);
            restarts.energies[r] = walk.energy();
        });
    });
}

void descend(const Couplings& c, bool pairs, const Restarts& restarts, int threads) {
    with_rows(c, [&]<class F>(const Rows<F>& rows) {
        parallel_for(restarts.count, threads, [&](size_t r) {
            Watch::check(8 * c.n);
            SpinWalk<F> walk(rows, restarts.spins + r * c.n);
            if (pairs)
                walk.descend_pairs();
            else
                walk.descend();
            walk.leave(restarts.spins + r * c.n);
            restarts.energies[r] = walk.energy();
        });
    });
}

}  // namespace qloom
