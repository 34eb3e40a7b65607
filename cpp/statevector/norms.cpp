#include "statevector/norms.hpp"

#include <cstring>
#include <limits>

namespace qloom {

template <class T>
Norms<T>::Norms(Scratch& scratch, const Schedule& s, bool with_lambda) : schedule(s) {
    const size_t count = schedule.steps.size() + 1;
    forward = scratch.take<const T*>(count);
    psi_growth = scratch.take<T>(lanes);
    lambda_growth = scratch.take<T>(lanes);
    room = scratch.take<T>((with_lambda ? 3 : 1) * count * lanes);
    if (!with_lambda) return;
    back = scratch.take<Back>(count);
    slopes = scratch.take<T>(count * lanes);
}

template <class T>
void Norms<T>::find(const T* const* turns) {
    const size_t n_steps = schedule.steps.size();
    n_factors = 0;
    for (size_t lane = 0; lane < lanes; ++lane) psi_growth[lane] = 1;
    for (size_t s = 0; s < n_steps; ++s) forward[s] = rescale(psi_growth, schedule.steps[s], turns);
    forward[n_steps] = rescale(psi_growth, Step{}, turns);  // psi will be squared
    if (!back) return;
    alignas(64) T psi_now[MOST_LANES];
    std::memcpy(psi_now, psi_growth, lanes * sizeof(T));
    std::memcpy(lambda_growth, psi_growth, lanes * sizeof(T));
    // The sums of a step are taken before it is undone.
    const auto undo = [&](size_t number, const Step& step) {
        alignas(64) T psi_before[MOST_LANES], lambda_before[MOST_LANES];
        std::memcpy(psi_before, psi_now, lanes * sizeof(T));
        std::memcpy(lambda_before, lambda_growth, lanes * sizeof(T));
        back[number] = {rescale(psi_now, step, turns), rescale(lambda_growth, step, turns)};
        for (size_t lane = 0; lane < lanes; ++lane) {
            const T psi = back[number].psi ? 1 : psi_before[lane],
                    lambda = back[number].lambda ? 1 : lambda_before[lane];
            slopes[number * lanes + lane] = 1 / (psi * lambda);
        }
    };
    for (size_t s = n_steps; s-- > 0;) undo(s, schedule.steps[s]);
    undo(n_steps, Step{});
}

// Multiplies a growth by that of a step; where it would be too much, the state is taken back to its norm before, by the
// factor that is returned.
template <class T>
const T* Norms<T>::rescale(T* growth, const Step& step, const T* const* turns) {
    const T* growths[3];
    for (int k = 0; k < step.words; ++k) growths[k] = turns[step.rotations[k]] + 2 * lanes;
    if (!kernels<T>().exceeds(growth, growths, step.words, MOST_GROWTH<T>)) return nullptr;
    T* factor = room + n_factors++ * lanes;
    for (size_t lane = 0; lane < lanes; ++lane) factor[lane] = 1 / growth[lane], growth[lane] = 1;
    kernels<T>().exceeds(growth, growths, step.words, std::numeric_limits<T>::infinity());
    return factor;
}

template class Norms<float>;
template class Norms<double>;

}  // namespace qloom
