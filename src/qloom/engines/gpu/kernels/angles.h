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
        return r.turn == 0 ? out : whole_turns_off(out + r.turn / 2);
    }
    __device__ u32 is_flipped(const Rotation& r) const {
        return flips ? u32(flips[r.number / 64] >> (r.number % 64)) & 1 : 0;
    }
};

__device__ __forceinline__ void cos_sin(float half, float& c, float& s) { sincosf(half, &s, &c); }
__device__ __forceinline__ void cos_sin(double half, double& c, double& s) { sincos(half, &s, &c); }

// A rotation as the walk over registers reads it: exp(-i a P / 2) = cosine (1 + tangent K). The walk does 1 + tangent
// K, and a sweep multiplies what it has in registers by the product of all cosines at its end. Where the tangent is
// large the cosine is multiplied in at once, so that nothing outgrows its number.
struct alignas(16) Turn {
    T tangent, cosine;
    T weight;  // of the slope: the sign of the tangent, and the squared norm of the state in registers then
    u16 z;
    u8 masks;  // m, and z_register above it
    u8 flags;
    enum : u8 { REAL = 1, WANTED = 2, AT_ONCE = 4 };

    __device__ u32 m() const { return masks & 15; }
    __device__ u32 z_register() const { return masks >> 4; }
    __device__ bool real() const { return flags & REAL; }
    __device__ bool wanted() const { return flags & WANTED; }
    __device__ bool at_once() const { return flags & AT_ONCE; }
};
// MOST_IN_SWEEP of these bring a factor of 2^48, and slopes its square. Sweeps that have a table may be longer: where
// it cannot be used, theirs come at once.
constexpr T MOST_TANGENT = 8;

__device__ inline Turn turn_of(const Rotation& r, const Sample& sample, u64 base, bool wanted) {
    T cosine, sine;
    cos_sin(T(sample.half(r)), cosine, sine);
    const u32 negative = parity(base & r.z_base) ^ sample.is_flipped(r);
    const T tangent = sine / cosine;
    Turn turn;
    turn.tangent = with_sign(tangent, negative), turn.cosine = cosine, turn.weight = with_sign(T(1), negative);
    turn.z = u16(r.z), turn.masks = u8(r.m | r.z_register << 4);
    turn.flags = u8((r.real ? Turn::REAL : 0) | (wanted ? Turn::WANTED : 0) |
                    (fabs(tangent) <= MOST_TANGENT && !r.in_table ? 0 : Turn::AT_ONCE));
    return turn;
}

}  // namespace qloom_gpu
