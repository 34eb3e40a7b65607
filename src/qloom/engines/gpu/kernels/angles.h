// Angles of rotations, as cpp/lowering/angle.hpp has them.
#pragma once
#include "call.h"
#include "registers.h"

namespace qloom_gpu {

// A half angle between -pi and pi. The angle is taken for the exact number it is, at any size.
__device__ inline double whole_turns_off(double half) {
    constexpr double WHOLE = 6.283185307179586476925286766559, EXACT_BELOW = 64;
    if (fabs(half) <= WHOLE / 2) return half;
    if (fabs(half) < EXACT_BELOW) return half - WHOLE * rint(half / WHOLE);
    return atan2(sin(half), cos(half));
}

// What an angle is made of for one sample: its rows of the call's arrays.
struct Sample {
    const T *inputs, *weights;
    const double* numbers;
    const u64* flips;

    __device__ Sample(const Call& call, u64 row) {
        inputs = call.inputs + row * call.n_inputs;
        weights = call.weights + row * call.weight_stride;
        numbers = call.work ? call.numbers + call.work[row].numbers : nullptr;
        flips = call.flips ? call.flips + row * call.n_flips : nullptr;
    }
    __device__ double slot(const Rotation& r) const {
        return r.source == INPUT    ? double(inputs[r.index])
               : r.source == WEIGHT ? double(weights[r.index])
               : r.source == NUMBER ? 0.0
                                    : numbers[r.index];
    }
    __device__ double half(const Rotation& r) const {
        double out = whole_turns_off((r.scale * slot(r) + r.offset) / 2);
        if (r.turn != 0) out = whole_turns_off(out + r.turn / 2);
        return flips && flips[r.number / 64] >> (r.number % 64) & 1 ? -out : out;
    }
};

// A rotation as the walk over registers reads it: psi = cosine (1 + tangent K) psi.
struct alignas(16) Turn {
    T tangent, cosine;
    u32 z;
    u8 m, z_register, real, wanted;
};

__device__ inline Turn turn_of(const Rotation& r, const Sample& sample, u64 base, bool wanted) {
    const double half = sample.half(r);
    Turn turn;
    turn.tangent = with_sign(T(tan(half)), parity(base & r.z_base));
    turn.cosine = T(cos(half));
    turn.z = r.z, turn.m = r.m, turn.z_register = r.z_register, turn.real = r.real, turn.wanted = wanted;
    return turn;
}

}  // namespace qloom_gpu
