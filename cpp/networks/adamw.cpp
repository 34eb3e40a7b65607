#include "networks/adamw.hpp"

#include <cmath>

namespace qloom {

constexpr double BETAS[2] = {0.9, 0.999}, EPSILON = 1e-8;

// Compiled without math's errno: the loop then runs in vectors.
void adamw(const AdamW& settings, float* __restrict values, const float* __restrict slopes, float* __restrict means,
           float* __restrict squares, size_t count) {
    const double unbias[2] = {1 - std::pow(BETAS[0], settings.step), 1 - std::pow(BETAS[1], settings.step)};
    const float left = float(1 - settings.rate * settings.weight_decay), size = float(settings.rate / unbias[0]);
    const float root = float(1 / std::sqrt(unbias[1])), epsilon = float(EPSILON);
    const float keep[2] = {float(BETAS[0]), float(BETAS[1])}, take[2] = {float(1 - BETAS[0]), float(1 - BETAS[1])};
    for (size_t i = 0; i < count; ++i) {
        means[i] = keep[0] * means[i] + take[0] * slopes[i];
        squares[i] = keep[1] * squares[i] + take[1] * slopes[i] * slopes[i];
        values[i] = left * values[i] - size * means[i] / (std::sqrt(squares[i]) * root + epsilon);
    }
}

}  // namespace qloom
