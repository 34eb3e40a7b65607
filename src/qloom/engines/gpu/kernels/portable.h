// What differs between a GPU and the host, where tests run the same kernels.
#pragma once

#if defined(__CUDACC__) || defined(__CUDACC_RTC__)

#define KERNEL(name) extern "C" __global__ void name(const Call call)
#define SHARED_MEMORY(name) extern __shared__ __align__(16) unsigned char name[]

#else

#include "host.hpp"

#define KERNEL(name)                                            \
    static void name(const Call call);                          \
    static const qloom_host::Kernel name##_kernel(#name, name); \
    static void name(const Call call)
#define SHARED_MEMORY(name) unsigned char* const name = qloom_host::shared_memory()

#endif
