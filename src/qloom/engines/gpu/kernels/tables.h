// Diagonal rotations that all samples share, done by a table of phases; sums over signs by Walsh-Hadamard transforms.
#pragma once
#include "angles.h"
#include "block.h"

namespace qloom_gpu {

// The place of amplitude r of those that a thread holds, as seen from its base; r is a constant.
__device__ __forceinline__ u32 member(const Sweep& sweep, u32 r) {
    u32 out = 0;
#pragma unroll
    for (u32 k = 0; k < REGISTER_BITS; ++k)
        if (r >> k & 1) out ^= sweep.columns[k];
    return out;
}

// The table of phases of the diagonal rotations of a sweep: cosine and sine at every amplitude.
struct alignas(2 * sizeof(T)) Phase {
    T cosine, sine;
};

// exp(-i a), or back.
__device__ __forceinline__ Amplitude turned_by(const Phase& a, const Amplitude& x, bool back) {
    const T s = back ? -a.sine : a.sine;
    return amplitude(fma(a.cosine, re(x), s * im(x)), fma(a.cosine, im(x), -s * re(x)));
}

// w[i] becomes the sum over j of (-1)^|i&j| w[j], of one number an amplitude. A thread has some bits of i at once.
__device__ inline void walsh(const InBanks<T>& waves, u32 bits, const Place& place) {
    for (u32 first = 0; first < bits; first += REGISTER_BITS) {
        const u32 low = first + REGISTER_BITS <= bits ? first : bits - REGISTER_BITS;
        Place::sync();
        for (u32 g = place.t; g < waves.size >> REGISTER_BITS; g += place.count) {
            const u32 base = (g >> low) << (low + REGISTER_BITS) | (g & ((1u << low) - 1));
            T w[HELD];
#pragma unroll
            for (u32 r = 0; r < HELD; ++r) w[r] = waves[base | r << low];
#pragma unroll
            for (u32 k = 0; k < REGISTER_BITS; ++k)
                if (low + k >= first) {
#pragma unroll
                    for (u32 r = 0; r < HELD; ++r)
                        if (!(r >> k & 1)) {
                            const T a = w[r], b = w[r | 1u << k];
                            w[r] = a + b, w[r | 1u << k] = a - b;
                        }
                }
#pragma unroll
            for (u32 r = 0; r < HELD; ++r) waves[base | r << low] = w[r];
        }
    }
    Place::sync();
}

// Im (conj(b) a).
__device__ __forceinline__ T wave(const Amplitude& a, const Amplitude& b) { return re(b) * im(a) - im(b) * re(a); }

// Slopes of a table's rotations from the waves of all amplitudes: that of a word Z is the sum of them with its signs.
__device__ inline void table_slopes(const InBanks<T>& waves, u32 bits, const Sweep& sweep, const Rotation* rotations,
                                    T* slopes, const Place& place) {
    walsh(waves, bits, place);
    for (u32 j = place.t; j < sweep.count; j += place.count)
        slopes[j * place.warps()] = waves[rotations[sweep.first + j].z];
    Place::sync();
}

// A sweep by its table, where no other takes it along.
__device__ inline void table_forward(const Shared& psi, const Phase* table, const Place& place) {
    for (u32 i = place.t; i < psi.size; i += place.count) psi[i] = turned_by(table[i], psi[i], false);
    Place::sync();
}

__device__ inline void table_back(const Shared& psi, const Shared& lambda, const InBanks<T>& waves, const Phase* table,
                                  const Place& place) {
    for (u32 i = place.t; i < psi.size; i += place.count) {
        const Amplitude a = psi[i], b = lambda[i];
        waves[i] = wave(a, b);
        psi[i] = turned_by(table[i], a, true), lambda[i] = turned_by(table[i], b, true);
    }
    Place::sync();
}

// What a thread holds, turned by a table: `base` is its first amplitude.
__device__ __forceinline__ void turn_held(Held& held, const Phase* table, u32 base, const Sweep& sweep, bool back) {
#pragma unroll
    for (u32 r = 0; r < HELD; ++r) {
        const Amplitude a = turned_by(table[base ^ member(sweep, r)], amplitude_of(held, r), back);
        set_amplitude(held, r, a);
    }
}

// Tables of a program whose state is one tile: a block has a part of one, and all angles of its rotations.
KERNEL(fill_tables) {
    SHARED_MEMORY(memory);
    double* halves = (double*)memory;
    const Parts parts(call, 0);
    const u32 size = 1u << parts.head->bits, blocks = size > blockDim.x ? size / blockDim.x : 1;
    const u32 number = blockIdx.x / blocks;
    const Sweep& sweep = parts.sweeps()[parts.tables()[number]];
    const Sample any(call, 0);
    for (u32 j = threadIdx.x; j < sweep.count; j += blockDim.x)
        halves[j] = any.half(parts.rotations()[sweep.first + j]);
    Place::sync();
    const u32 i = blockIdx.x % blocks * blockDim.x + threadIdx.x;
    if (i >= size) return;
    double angle = 0;
    for (u32 j = 0; j < sweep.count; ++j)
        angle += with_sign(halves[j], parity(i & parts.rotations()[sweep.first + j].z));
    Phase& phase = ((Phase*)call.tables)[u64(number) * size + i];
    cos_sin(T(whole_turns_off(angle)), phase.cosine, phase.sine);
}

}  // namespace qloom_gpu
