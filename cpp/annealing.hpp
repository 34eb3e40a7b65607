// Simulated annealing of spins: many restarts, each one spin at a time.
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

// From each row of `spins` (restarts, n): a sweep over all spins at each inverse temperature, Metropolis' rule, and
// if asked for descent until no single flip lowers the energy. Spins are written over; `energies` are those at the end,
// summed in double precision. A restart depends on its seed alone, not on the threads.
void anneal(const Couplings&, const double* betas, size_t sweeps, bool descend, const uint64_t* seeds, size_t restarts,
            int8_t* spins, double* energies, int threads);

}  // namespace qloom
