// Round trips through cities: local search, and spanning trees, whose lengths bound them from below.
#pragma once
#include <cstddef>
#include <cstdint>

namespace qloom {

// Symmetric distances (n, n) and of each city its n_near nearest others, nearest first.
struct Cities {
    size_t n;
    const double* distances;
    const int32_t* near;
    size_t n_near;
};

// 2-opt and Or-opt moves that gain more than `least` until there are none; then `kicks` times a small random change
// nearby and moves again, taken back where the tour ends longer. `tour` (n) is written over and never longer; what was
// gained is returned.
double improve_tour(const Cities&, size_t kicks, double least, uint64_t seed, int32_t* tour);

// The least spanning tree of the nodes from `first` on under distances d_ij + weights_i + weights_j: in the order that
// nodes join it, and each node's parent (itself at the first). Its length is returned.
double spanning_tree(size_t n, const double* distances, const double* weights, size_t first, int32_t* order,
                     int32_t* parents);

}  // namespace qloom
