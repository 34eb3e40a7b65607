// Outcomes drawn from tables of probabilities, a thread a shot.
#pragma once
#include "block.h"

namespace qloom_gpu {

// Random words by their place. Source: Salmon et al. 2011, Philox4x64-10; those of cpp/measuring/philox.hpp.
__device__ inline void philox(u64 (&words)[4], u64 key_low, u64 key_high) {
    constexpr u64 FIRST = 0xD2E7470EE14C6C93u, SECOND = 0xCA5A826395121157u;
    constexpr u64 WEYL_LOW = 0x9E3779B97F4A7C15u, WEYL_HIGH = 0xBB67AE8584CAA73Bu;
    for (u32 round = 0; round < 10; ++round) {
        const u64 a = words[0], b = words[1], c = words[2], d = words[3];
        words[0] = __umul64hi(SECOND, c) ^ b ^ key_low, words[1] = SECOND * c;
        words[2] = __umul64hi(FIRST, a) ^ d ^ key_high, words[3] = FIRST * a;
        key_low += WEYL_LOW, key_high += WEYL_HIGH;
    }
}

// The first outcome whose probability, added to all before it, exceeds a place in their sum.
KERNEL(draw) {
    const u64 lanes = call.n_local * call.shots, n = call.n_columns;
    for (u64 lane = u64(blockIdx.x) * blockDim.x + threadIdx.x; lane < lanes; lane += u64(gridDim.x) * blockDim.x) {
        const u64 local = lane / call.shots, shot = lane % call.shots;
        u64 words[4] = {shot / 4, call.first_sample + local, call.call_number, 0};
        philox(words, call.key_low, call.key_high);
        const double* ends = call.table + local * n;
        const double place = double(words[shot % 4] >> 11) * 0x1p-53;
        const double wanted = fmin(place * ends[n - 1], nextafter(ends[n - 1], 0.0));
        u64 low = 0, high = n - 1;
        while (low < high) {
            const u64 middle = (low + high) / 2;
            if (ends[middle] > wanted)
                high = middle;
            else
                low = middle + 1;
        }
        call.outcomes[lane] = i64(low);
    }
}

}  // namespace qloom_gpu
