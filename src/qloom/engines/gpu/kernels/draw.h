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

// Probabilities added up, each with all before it, in one order whatever runs first: in parts of OF_A_THREAD numbers a
// thread. At first the sums of parts, a block each.
constexpr u32 OF_A_THREAD = 16;

struct Run {
    u64 first, count;  // of a thread's numbers among those of its row

    __device__ Run(const Call& call, u64 part) {
        first = (part * blockDim.x + threadIdx.x) * OF_A_THREAD;
        const u64 left = first < call.n_columns ? call.n_columns - first : 0;
        count = left < OF_A_THREAD ? left : OF_A_THREAD;
    }
    __device__ double sum(const T* row) const {
        double sum = 0;
        for (u64 k = 0; k < count; ++k) sum += double(row[first + k]);
        return sum;
    }
};

KERNEL(add_parts) {
    SHARED_MEMORY(memory);
    double* sums = (double*)memory;
    const u64 local = blockIdx.x / call.n_parts, part = blockIdx.x % call.n_parts;
    sums[threadIdx.x] = Run(call, part).sum(call.values + local * call.n_columns);
    Place::sync();
    if (threadIdx.x) return;
    double sum = 0;
    for (u32 k = 0; k < blockDim.x; ++k) sum += sums[k];
    call.partial[blockIdx.x] = sum;
}

// Sums of parts become sums of all parts before: a thread a row.
KERNEL(add_up_parts) {
    const u64 local = u64(blockIdx.x) * blockDim.x + threadIdx.x;
    double sum = 0;
    for (u64 part = 0; local < call.n_local && part < call.n_parts; ++part) {
        double& one = call.partial[local * call.n_parts + part];
        const double own = one;
        one = sum, sum += own;
    }
}

KERNEL(add_up) {
    SHARED_MEMORY(memory);
    double* sums = (double*)memory;
    const u64 local = blockIdx.x / call.n_parts;
    const Run run(call, blockIdx.x % call.n_parts);
    const T* row = call.values + local * call.n_columns;
    sums[threadIdx.x] = run.sum(row);
    Place::sync();
    double sum = call.partial[blockIdx.x];
    for (u32 k = 0; k < threadIdx.x; ++k) sum += sums[k];
    for (u64 k = 0; k < run.count; ++k)
        call.sums[local * call.n_columns + run.first + k] = sum += double(row[run.first + k]);
}

// The first outcome whose probability, added to all before it, exceeds a place in their sum.
KERNEL(draw) {
    const u64 lanes = call.n_local * call.shots, n = call.n_columns;
    for (u64 lane = u64(blockIdx.x) * blockDim.x + threadIdx.x; lane < lanes; lane += u64(gridDim.x) * blockDim.x) {
        const u64 local = lane / call.shots, shot = lane % call.shots;
        u64 words[4] = {shot / 4, local, call.call_number, 0};
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
