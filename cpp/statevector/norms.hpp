// By how much states in tangent form outgrow their norms, and where they are taken back.
#pragma once
#include "machine/arena.hpp"
#include "statevector/schedule.hpp"

namespace qloom {

// How far a state may outgrow its norm.
template <class T>
constexpr T MOST_GROWTH = sizeof(T) == 4 ? T(0x1p40) : T(0x1p300);

// Steps are known by their numbers; the number of steps stands for what comes after all of them, or, on the walk back,
// for the first product state. All numbers are by lane.
template <class T>
class Norms {
public:
    // Factors that take a state back to its norm; null where that is not outgrown.
    struct Back {
        const T *psi = nullptr, *lambda = nullptr;
    };

    Norms(Scratch&, const Schedule&, bool with_lambda);
    // From the turns of all rotations.
    void find(const T* const* turns);

    const T* before(size_t step) const { return forward[step]; }
    const Back& before_undoing(size_t step) const { return back[step]; }
    // Sums times these are derivatives.
    const T* of_slopes(size_t step) const { return slopes + step * lanes; }
    // At the end of the walk forward, and back: psi = growth * true state.
    const T* psi() const { return psi_growth; }
    const T* lambda() const { return lambda_growth; }

private:
    const T* rescale(T* growth, const Step&, const T* const* turns);

    const Schedule& schedule;
    const size_t lanes = kernels<T>().lanes;
    const T** forward;
    Back* back = nullptr;
    T *psi_growth, *lambda_growth, *slopes = nullptr, *room;
    size_t n_factors = 0;
};

}  // namespace qloom
