// What differs between a GPU and the host, where tests run the same kernels. Kernels say how many threads a block of
// theirs has at most, MOST_THREADS: they are compiled for so few registers that a GPU has room for LEAST_BLOCKS of
// these.
#pragma once

#if defined(__CUDACC__) || defined(__CUDACC_RTC__)

#define KERNEL(name) extern "C" __global__ void __launch_bounds__(MOST_THREADS, LEAST_BLOCKS) name(const Call call)
#define SHARED_MEMORY(name) extern __shared__ __align__(16) unsigned char name[]

#else

#include "host.hpp"

#define KERNEL(name)                                                          \
    static void name(const Call call);                                        \
    static const qloom_host::Kernel name##_kernel(#name, name, MOST_THREADS); \
    static void name(const Call call)
#define SHARED_MEMORY(name) unsigned char* const name = qloom_host::shared_memory()

#endif
