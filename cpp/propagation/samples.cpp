#include "propagation/samples.hpp"

#include <algorithm>

namespace qloom::propagation {
namespace {

size_t whole_vectors(size_t count) {
    const size_t lanes = size_t(kernels<double>().lanes);
    return (count + lanes - 1) / lanes * lanes;
}

constexpr double COSINES[4] = {1, 0, -1, 0}, SINES[4] = {0, 1, 0, -1};

}  // namespace

Samples::Samples(const Call& c, size_t first_sample, size_t count)
    : call(&c),
      first(first_sample),
      lanes(count),
      cosines(whole_vectors(count)),
      sines(cosines.size()),
      opposite(cosines.size()),
      angles(cosines.size()) {}

void Samples::turn_by(const Step& step) {
    if (step.kind == Kind::rotation) return set_angle(step.angle);
    std::fill(cosines.begin(), cosines.end(), COSINES[step.quarters]);
    std::fill(sines.begin(), sines.end(), SINES[step.quarters]);
}

void Samples::set_angle(const Angle& angle) {
    const double* row = angle.source == Source::input ? call->inputs + first * call->n_inputs
                                                      : call->weights + first * call->weight_stride;
    const size_t stride = angle.source == Source::input ? call->n_inputs : call->weight_stride;
    const bool shared = angle.source == Source::number || !stride;
    for (size_t l = 0; l < (shared ? 1 : lanes); ++l)
        angles[l] = 2 * half_of(angle, angle.source == Source::number ? 0.0 : row[l * stride + size_t(angle.index)]);
    const Kernels<double>& kernel = kernels<double>();
    kernel.cos_sin(angles.data(), shared ? 1 : angles.size() / size_t(kernel.lanes), cosines.data(), sines.data());
    if (shared) std::fill(cosines.begin() + 1, cosines.end(), cosines[0]);
    if (shared) std::fill(sines.begin() + 1, sines.end(), sines[0]);
    can_vary = angle.source != Source::number;
    double least = 1;
    for (size_t l = 0; l < (shared ? 1 : lanes); ++l) least = std::min(least, std::abs(cosines[l]));
    least_cosine = least;
    for (size_t l = 0; l < lanes; ++l) opposite[l] = -sines[l];
}

void Samples::add_slopes(const Angle& angle, const double* slopes, double* d_inputs, double* d_weights) const {
    const bool input = angle.source == Source::input;
    double* to = input ? d_inputs : d_weights;
    if (angle.source == Source::number || !to) return;
    to += angle.index;
    const size_t stride = input ? call->n_inputs : call->weight_stride;
    double sum = 0;
    for (size_t l = 0; l < lanes; ++l) stride ? to[l * stride] += angle.scale * slopes[l] : sum += slopes[l];
    if (!stride) *to += angle.scale * sum;
}

}  // namespace qloom::propagation
