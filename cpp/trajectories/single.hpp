// One trajectory of every sample: drawn, run and signed in one call, walked back in another.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "statevector/program.hpp"
#include "trajectories/signs.hpp"

namespace qloom::trajectories {

// What the walk back needs of the walk forward. Samples without flips come first, `order` (B,) tells which those are.
template <class T>
struct Single {
    Rows rows;
    bool any_flips;
    std::vector<int64_t> order, places;
    std::vector<uint64_t> flips, signs;
    std::vector<T> inputs, weights;  // in that order; weights are empty where samples share them

    // As the program runs them.
    Batch<T> batch(const Batch<T>& given) const;
};

// Fills outputs (B, O) and, where not null, the final states. `given` has no flips.
template <class T>
Single<T> run_single(const Program&, const Errors&, const Measured&, const Rates&, Place, const Batch<T>& given,
                     T* states, T* outputs);

// Derivatives as `backward` fills them, of cotangents (B, O).
template <class T>
void walk_single_back(const Program&, const Measured&, const Single<T>&, const Batch<T>& given,
                      const Gradient<T>& gradient);

}  // namespace qloom::trajectories
