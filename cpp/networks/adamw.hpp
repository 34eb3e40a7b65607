// Steps of AdamW. Source: Loshchilov and Hutter 2019, International Conference on Learning Representations.
#pragma once
#include <cstddef>

namespace qloom {

// `step` counts from 1; the rest as torch.optim.AdamW takes it.
struct AdamW {
    double rate, weight_decay, step;
};

// Weights, their slopes, and the means of those and of their squares.
void adamw(const AdamW& settings, float* values, const float* slopes, float* means, float* squares, size_t count);

}  // namespace qloom
