// Kernels that use, rightly and wrongly, what the host makes of CUDA. Compiled with STANDALONE, a program that runs
// one: its name, blocks, threads, bytes of shared memory, elements of the arrays.
#include "call.h"
#include "portable.h"

namespace qloom_gpu {

constexpr u32 MOST_THREADS = 512, LEAST_BLOCKS = 1;

__device__ inline u32 everyone() { return blockIdx.x * blockDim.x + threadIdx.x; }

// The mirror image of each block's inputs.
KERNEL(mirror) {
    SHARED_MEMORY(memory);
    T* const shared = reinterpret_cast<T*>(memory);
    shared[threadIdx.x] = call.inputs[everyone()];
    __syncthreads();
    call.values[everyone()] = shared[blockDim.x - 1 - threadIdx.x];
}

KERNEL(mirror_without_a_barrier) {
    SHARED_MEMORY(memory);
    T* const shared = reinterpret_cast<T*>(memory);
    shared[threadIdx.x] = call.inputs[everyone()];
    call.values[everyone()] = shared[blockDim.x - 1 - threadIdx.x];
}

// The same within each warp.
KERNEL(mirror_in_warps) {
    SHARED_MEMORY(memory);
    T* const shared = reinterpret_cast<T*>(memory);
    shared[threadIdx.x] = call.inputs[everyone()];
    __syncwarp();
    call.values[everyone()] = shared[threadIdx.x ^ 31];
}

// Across warps, for which the barrier of a warp is not enough.
KERNEL(mirror_across_warps) {
    SHARED_MEMORY(memory);
    T* const shared = reinterpret_cast<T*>(memory);
    shared[threadIdx.x] = call.inputs[everyone()];
    __syncwarp();
    call.values[everyone()] = shared[threadIdx.x ^ 32];
}

// Rotates again and again, with no more than one barrier missing: the one between a read and the next write.
KERNEL(rotate) {
    SHARED_MEMORY(memory);
    T* const shared = reinterpret_cast<T*>(memory);
    T held = call.inputs[everyone()];
    for (u32 k = 0; k < call.n_inputs; ++k) {
        shared[threadIdx.x] = held;
        __syncthreads();
        held = shared[(threadIdx.x + 1) % blockDim.x];
        __syncthreads();
    }
    call.values[everyone()] = held;
}

KERNEL(rotate_with_half_the_barriers) {
    SHARED_MEMORY(memory);
    T* const shared = reinterpret_cast<T*>(memory);
    T held = call.inputs[everyone()];
    for (u32 k = 0; k < call.n_inputs; ++k) {
        shared[threadIdx.x] = held;
        __syncthreads();
        held = shared[(threadIdx.x + 1) % blockDim.x];
    }
    call.values[everyone()] = held;
}

// Sums of warps in all their threads, of threads that are at most a lane apart, and what lane 3 of each 8 has.
KERNEL(shuffle) {
    T sum = call.inputs[everyone()];
    for (int distance = 16; distance; distance /= 2) sum += __shfl_xor_sync(0xFFFFFFFF, sum, distance);
    const double pair = __shfl_xor_sync(0xFFFFFFFF, static_cast<double>(everyone()), 1, 2);
    const int third = __shfl_sync(0xFFFFFFFF, static_cast<int>(threadIdx.x), 3, 8);
    call.values[3 * everyone()] = sum;
    call.values[3 * everyone() + 1] = static_cast<T>(pair);
    call.values[3 * everyone() + 2] = static_cast<T>(third);
}

// The upper half of each warp has ended.
KERNEL(shuffle_of_the_lower_half) {
    if (threadIdx.x % 32 >= 16) return;
    __syncwarp();
    call.values[threadIdx.x] = __shfl_xor_sync(0xFFFFFFFF, call.inputs[threadIdx.x], 8);
}

KERNEL(shuffle_with_who_has_ended) {
    if (threadIdx.x % 32 >= 16) return;
    call.values[threadIdx.x] = __shfl_xor_sync(0xFFFFFFFF, call.inputs[threadIdx.x], 16);
}

KERNEL(shuffle_outside_the_mask) { call.values[threadIdx.x] = __shfl_sync(0xFFFF, call.inputs[threadIdx.x], 0); }

KERNEL(end_before_a_barrier) {
    if (threadIdx.x == 5) return;
    __syncthreads();
}

KERNEL(part_at_barriers) {
    if (threadIdx.x < 16)
        __syncthreads();
    else
        __syncwarp();
}

KERNEL(part_at_equal_barriers) {
    if (threadIdx.x < 16)
        __syncthreads();
    else
        __syncthreads();
}

KERNEL(part_in_block_two) {
    if (blockIdx.x == 2 && threadIdx.x == 0) return;
    __syncthreads();
    if (threadIdx.x == 1) call.values[blockIdx.x] = 1;
}

// What shared memory holds that nobody wrote.
KERNEL(read_unwritten) {
    SHARED_MEMORY(memory);
    call.values[everyone()] = reinterpret_cast<T*>(memory)[threadIdx.x];
    __syncthreads();
    reinterpret_cast<T*>(memory)[threadIdx.x] = 1;
}

KERNEL(read_beyond_shared) {
    SHARED_MEMORY(memory);
    const T* const shared = reinterpret_cast<T*>(memory);
    call.values[threadIdx.x] = shared[threadIdx.x + 1];
}

KERNEL(read_beyond_inputs) { call.values[threadIdx.x] = call.inputs[threadIdx.x + call.n_inputs]; }

// Of its own registers: an array on the stack, after the thread has waited.
KERNEL(write_beyond_registers) {
    T held[4] = {1, 2, 3, 4};
    __syncthreads();
    T* const end = held + call.n_inputs;
    *end = 5;
    __syncthreads();
    call.values[threadIdx.x] = held[threadIdx.x % 4];
}

KERNEL(write_one_word) {
    if (threadIdx.x == 0) call.values[0] = static_cast<T>(blockIdx.x);
}

// Each block writes its own words, and uses its stack.
KERNEL(write_own_words) {
    T held[8];
    T* const place = held + threadIdx.x % 8;
    for (u32 k = 0; k < 8; ++k) held[k] = 0;
    *place = call.inputs[everyone()];
    __syncthreads();
    call.values[everyone()] = *place;
}

KERNEL(count_bits) {
    u64* const out = reinterpret_cast<u64*>(call.values);
    out[0] = __popc(0xF0F0u);
    out[1] = __popcll(~0ull);
    out[2] = __ffs(8);
    out[3] = __ffsll(0);
    out[4] = __clz(1);
    out[5] = __clzll(1ll);
    out[6] = __brev(1u);
    out[7] = __umul64hi(1ull << 63, 6);
    out[8] = __float_as_uint(1.0f);
    out[9] = static_cast<u64>(__double_as_longlong(1.0));
    out[10] = __uint_as_float(0x40000000u) == 2 && __longlong_as_double(0x4000000000000000ll) == 2;
    out[11] = __ffsll(1ll << 40);
    out[12] = __clz(0);
    out[13] = __brevll(2ull);
    float s, c;
    double sine, cosine;
    sincos(0.0f, &s, &c);
    sincos(0.0, &sine, &cosine);
    out[14] = s == 0 && c == 1 && sine == 0 && cosine == 1 && fma(2.0f, 3.0f, 1.0f) == 7.0f && max(1, 2) == 2;
}

}  // namespace qloom_gpu

#ifdef STANDALONE
#include <cstdio>

using qloom_gpu::T;

int main(int, char** arguments) {
    const unsigned blocks = std::atoi(arguments[2]), threads = std::atoi(arguments[3]);
    const std::size_t shared = std::atoll(arguments[4]), elements = std::atoll(arguments[5]);
    T* const inputs = static_cast<T*>(std::calloc(elements, sizeof(T)));
    T* const values = static_cast<T*>(std::calloc(elements, sizeof(T)));
    qloom_gpu::Call call{};
    call.inputs = inputs;
    call.values = values;
    call.n_inputs = elements;
    const char* error = nullptr;
    for (int again = 0; again < 2 && !error; ++again)
        error = qloom_launch(arguments[1], blocks, threads, shared, &call);
    std::puts(error ? error : "done");
    std::free(inputs);
    std::free(values);
}
#endif
