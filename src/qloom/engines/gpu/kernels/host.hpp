// CUDA's words in plain C++20, so that a compiler for the host takes the kernels: tests run them there, block by block,
// also under sanitizers. Only what the kernels use is here, and of indices only x.
#pragma once

#include <math.h>  // not cmath: CUDA has the overloads for float in the global namespace

#include <algorithm>
#include <bit>
#include <mutex>
#include <source_location>

#include "fibers.hpp"

namespace qloom_host {

// A kernel, known by its name.
struct Kernel {
    template <typename Parameter>
    Kernel(const char* name, void (*function)(Parameter), unsigned most_threads)
        : name(name),
          size(sizeof(Parameter)),
          most_threads(most_threads),
          function(reinterpret_cast<void (*)()>(function)),
          next(first) {
        run = [](void (*kernel)(), const void* call) {
            reinterpret_cast<void (*)(Parameter)>(kernel)(*static_cast<const Parameter*>(call));
        };
        first = this;
    }

    static const Kernel* find(const std::string& name) {
        const Kernel* kernel = first;
        while (kernel && kernel->name != name) kernel = kernel->next;
        return kernel;
    }

    std::string name;
    std::size_t size;
    unsigned most_threads;
    void (*function)();
    void (*run)(void (*)(), const void*);
    const Kernel* next;
    static inline const Kernel* first = nullptr;
};

struct Index {
    unsigned x;
};
UNSEEN inline Index thread_index() { return {now.thread}; }
UNSEEN inline Index block_index() { return {now.block}; }
UNSEEN inline Index block_size() { return {now.threads}; }
UNSEEN inline Index grid_size() { return {now.blocks}; }
UNSEEN inline unsigned char* shared_memory() { return now.shared; }

inline std::string launch(const char* name, unsigned blocks, unsigned threads, std::size_t shared, const void* call) {
    static std::mutex one_at_a_time;
    const std::lock_guard lock(one_at_a_time);
    const Kernel* kernel = Kernel::find(name);
    if (!kernel) return std::string("there is no kernel ") + name;
    if (threads == 0 || threads > kernel->most_threads)
        return "a block of " + std::to_string(threads) + " threads, expected 1 to " +
               std::to_string(kernel->most_threads);
    now.run = kernel->run;
    now.kernel = kernel->function;
    now.call = call;
    now.name = name;
    now.blocks = blocks;
    now.threads = threads;
    return run_blocks(shared);
}

}  // namespace qloom_host

// All else is to be hidden (-fvisibility=hidden): a process loads several of these, and each has its own kernels.
#define EXPORTED extern "C" __attribute__((visibility("default")))

// Null, or what went wrong: valid until this thread's next launch.
EXPORTED const char* qloom_launch(const char* kernel, unsigned blocks, unsigned threads, std::size_t shared,
                                  const void* call) {
    static thread_local std::string error;
    error = qloom_host::launch(kernel, blocks, threads, shared, call);
    return error.empty() ? nullptr : error.c_str();
}

// Bytes of a kernel's parameter.
EXPORTED std::size_t qloom_call_size() { return qloom_host::Kernel::first ? qloom_host::Kernel::first->size : 0; }

#define __device__
#define __global__
#define __host__
#define __constant__ static
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)

#define threadIdx (qloom_host::thread_index())
#define blockIdx (qloom_host::block_index())
#define blockDim (qloom_host::block_size())
#define gridDim (qloom_host::grid_size())

UNSEEN inline void __syncthreads(std::source_location here = std::source_location::current()) {
    qloom_host::leave(qloom_host::AT_BLOCK_BARRIER, here);
}

UNSEEN inline void __syncwarp(unsigned mask = 0xFFFFFFFF, std::source_location here = std::source_location::current()) {
    qloom_host::wait_for_warp(mask, here);
}

// A lane beyond the end of its own part of the warp, `width` lanes, is not read: the thread gets its own value.
template <typename Value>
UNSEEN inline Value __shfl_xor_sync(unsigned mask, Value value, int lane_mask, int width = 32,
                                    std::source_location here = std::source_location::current()) {
    const unsigned lane = threadIdx.x % qloom_host::WARP, source = lane ^ lane_mask;
    return qloom_host::exchange(mask, value, source > (lane | (width - 1)) ? lane : source, here);
}

template <typename Value>
UNSEEN inline Value __shfl_sync(unsigned mask, Value value, int source, int width = 32,
                                std::source_location here = std::source_location::current()) {
    const unsigned lane = threadIdx.x % qloom_host::WARP;
    return qloom_host::exchange(mask, value, (lane & -width) | (source & (width - 1)), here);
}

inline int __popc(unsigned v) { return std::popcount(v); }
inline int __popcll(unsigned long long v) { return std::popcount(v); }
inline int __ffs(int v) { return __builtin_ffs(v); }
inline int __ffsll(long long v) { return __builtin_ffsll(v); }
inline int __clz(int v) { return std::countl_zero(static_cast<unsigned>(v)); }
inline int __clzll(long long v) { return std::countl_zero(static_cast<unsigned long long>(v)); }

inline unsigned __brev(unsigned v) {
    unsigned reversed = 0;
    for (int bit = 0; bit < 32; ++bit) reversed |= (v >> bit & 1) << (31 - bit);
    return reversed;
}

inline unsigned long long __brevll(unsigned long long v) {
    return static_cast<unsigned long long>(__brev(static_cast<unsigned>(v))) << 32 |
           __brev(static_cast<unsigned>(v >> 32));
}

inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
    return static_cast<unsigned long long>(static_cast<unsigned __int128>(a) * b >> 64);
}

inline unsigned __float_as_uint(float v) { return std::bit_cast<unsigned>(v); }
inline float __uint_as_float(unsigned v) { return std::bit_cast<float>(v); }
inline int __float_as_int(float v) { return std::bit_cast<int>(v); }
inline float __int_as_float(int v) { return std::bit_cast<float>(v); }
inline long long __double_as_longlong(double v) { return std::bit_cast<long long>(v); }
inline double __longlong_as_double(long long v) { return std::bit_cast<double>(v); }

inline void sincos(float angle, float* sine, float* cosine) { sincosf(angle, sine, cosine); }
using std::max;
using std::min;
