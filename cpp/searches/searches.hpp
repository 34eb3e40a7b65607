// Searches for states of spins of low energy: many restarts, each from its row of `spins` (restarts, n), which is
// written over. `energies` are of what is left there, summed in double precision. A restart depends on its seed alone,
// not on the threads, unless a deadline ends its walk: then what it has by then is left.
#pragma once
#include <cstddef>
#include <cstdint>

namespace qloom {

// An energy sum_{i<j} J_ij s_i s_j + sum_i h_i s_i of spins +-1: row i of J, without its diagonal, has the columns
// neighbours[starts[i]] .. neighbours[starts[i + 1]], each pair in both rows.
struct Couplings {
    size_t n;
    const int64_t* starts;
    const int32_t* neighbours;
    const double* values;
    const double* fields;
};

// Rows of spins with a seed each.
struct Restarts {
    size_t count;
    const uint64_t* seeds;
    int8_t* spins;
    double* energies;
};

// A sweep over all spins at each inverse temperature, Metropolis' rule, and if asked for descent until no single flip
// lowers the energy.
void anneal(const Couplings&, const double* betas, size_t sweeps, bool descend, const Restarts&, int threads);

// Until no single flip, or pair of flips if asked for, lowers the energy. Seeds are not used.
void descend(const Couplings&, bool pairs, const Restarts&, int threads);

// Always the best flip that is not forbidden; one that was made is forbidden for `tenure` flips and up to `spread`
// more, unless it leads to the lowest energy so far. Ends after `patience` flips without a lower one; the best is left.
void tabu(const Couplings&, size_t tenure, size_t spread, size_t patience, const Restarts&, int threads);

// Replicas at inverse temperatures, `sweeps` of each between two exchanges of neighbours, those of even and of odd
// places in turn. Rows of `spins` are (ladders, temperatures); `best` are the lowest after any sweep, one a ladder,
// after a descent, and `accepted` are exchanges of each two neighbours, summed over ladders.
struct Ladder {
    const double* betas;
    size_t temperatures, sweeps, exchanges;
};
void temper(const Couplings&, const Ladder&, const Restarts& ladders, int8_t* best, double* best_energies,
            int64_t* accepted, int threads);

// The path integral of the energy with a transverse field, in slices: at each of `steps` a sweep over the spins of
// every slice and one over whole worldlines. A slice has the inverse temperature `beta`, and neighbours in imaginary
// time the bond bonds[step], that is -log(tanh(beta * field)) / 2. Rows of `spins` are (restarts, slices).
struct Path {
    double beta;
    const double* bonds;
    size_t steps, slices;
    bool descend;
};
void anneal_path(const Couplings&, const Path&, const Restarts& slices, int threads);

// Oscillators that bifurcate, `steps` of length `step`, from positions and speeds within `start`; forces of couplings
// times `scale`. A variable's parameter
// falls from 1, to 0 at the end where its restart's control is 0. If `discrete`, forces are those of signs. Spins are
// only written.
struct Bifurcation {
    size_t steps;
    float step, scale, start;
    const double* controls;
    bool discrete;
};
void bifurcate(const Couplings&, const Bifurcation&, const Restarts&, int threads);

}  // namespace qloom
