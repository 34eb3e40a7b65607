// Rotations of the 2^REGISTER_BITS amplitudes that a thread holds. Their numbers are compile-time constants throughout:
// registers have no indices at run time.
#pragma once
#include "call.h"
#include "portable.h"

namespace qloom_gpu {

constexpr u32 HELD = 1u << REGISTER_BITS;

// COMPONENTS is 1 for states that stay real, else 2; those of an amplitude lie side by side.
struct alignas(sizeof(T) * COMPONENTS) Amplitude {
    T part[COMPONENTS];
};
__device__ __forceinline__ T re(const Amplitude& a) { return a.part[0]; }
__device__ __forceinline__ T im(const Amplitude& a) { return COMPONENTS == 2 ? a.part[COMPONENTS - 1] : T(0); }
__device__ __forceinline__ T square(const Amplitude& a) { return re(a) * re(a) + im(a) * im(a); }
__device__ __forceinline__ Amplitude amplitude(T re, T im) {
    Amplitude a;
    a.part[0] = re;
    if (COMPONENTS == 2) a.part[COMPONENTS - 1] = im;
    return a;
}
__device__ __forceinline__ Amplitude operator*(T factor, const Amplitude& a) {
    return amplitude(factor * re(a), factor * im(a));
}

struct Held {
    T part[COMPONENTS][HELD];
};

__device__ __forceinline__ Amplitude amplitude_of(const Held& held, u32 r) {
    return amplitude(held.part[0][r], COMPONENTS == 2 ? held.part[COMPONENTS - 1][r] : T(0));
}
__device__ __forceinline__ void set_amplitude(Held& held, u32 r, const Amplitude& a) {
    held.part[0][r] = re(a);
    if (COMPONENTS == 2) held.part[COMPONENTS - 1][r] = im(a);
}

__device__ __forceinline__ u32 parity(u32 bits) { return u32(__popc(bits)) & 1; }
__device__ __forceinline__ u32 parity(u64 bits) { return u32(__popcll(bits)) & 1; }

__device__ __forceinline__ float with_sign(float x, u32 bit) { return __uint_as_float(__float_as_uint(x) ^ bit << 31); }
__device__ __forceinline__ double with_sign(double x, u32 bit) {
    return __longlong_as_double(__double_as_longlong(x) ^ (long long)(u64(bit) << 63));
}

// signed_by[r] = (-1)^(first + |r & z|) x.
__device__ __forceinline__ void spread_signs(T (&signed_by)[HELD], T x, u32 z, u32 first) {
    signed_by[0] = with_sign(x, first);
#pragma unroll
    for (u32 k = 0; k < REGISTER_BITS; ++k)
#pragma unroll
        for (u32 r = 0; r < 1u << k; ++r) signed_by[r | 1u << k] = with_sign(signed_by[r], z >> k & 1);
}

// psi += t K psi, K exchanging r and r ^ M; t has K's signs. K is antisymmetric: partners have the other sign.
template <u32 M>
__device__ __forceinline__ void turn_real(Held& psi, const T (&t)[HELD]) {
#pragma unroll
    for (u32 c = 0; c < COMPONENTS; ++c)
#pragma unroll
        for (u32 r = 0; r < HELD; ++r)
            if ((r ^ M) > r) {
                const T a = psi.part[c][r], b = psi.part[c][r ^ M];
                psi.part[c][r] = fma(t[r], b, a);
                psi.part[c][r ^ M] = fma(-t[r], a, b);
            }
}

// The same where K has the factor -i, and partners one sign.
template <u32 M>
__device__ __forceinline__ void turn_imaginary(Held& psi, const T (&t)[HELD]) {
#if COMPONENTS == 2
    T(&re)[HELD] = psi.part[0], (&im)[HELD] = psi.part[1];
#pragma unroll
    for (u32 r = 0; r < HELD; ++r)
        if ((r ^ M) >= r) {
            const u32 p = r ^ M;
            const T a_re = re[r], a_im = im[r], b_re = re[p], b_im = im[p];
            re[r] = fma(t[r], b_im, a_re), im[r] = fma(-t[r], b_re, a_im);
            if (M) re[p] = fma(t[r], a_im, b_re), im[p] = fma(-t[r], a_re, b_im);
        }
#endif
}

// Re <lambda| K psi>; `sign` has K's signs.
template <u32 M>
__device__ __forceinline__ T slope_real(const Held& lambda, const Held& psi, const T (&sign)[HELD]) {
    T sum = 0;
#pragma unroll
    for (u32 r = 0; r < HELD; ++r)
        if ((r ^ M) > r) {
            T product = 0;
#pragma unroll
            for (u32 c = 0; c < COMPONENTS; ++c) {
                product = fma(lambda.part[c][r], psi.part[c][r ^ M], product);
                product = fma(-lambda.part[c][r ^ M], psi.part[c][r], product);
            }
            sum = fma(sign[r], product, sum);
        }
    return sum;
}

template <u32 M>
__device__ __forceinline__ T slope_imaginary(const Held& lambda, const Held& psi, const T (&sign)[HELD]) {
    T sum = 0;
#if COMPONENTS == 2
#pragma unroll
    for (u32 r = 0; r < HELD; ++r)
        if ((r ^ M) >= r) {
            const u32 p = r ^ M;
            T product = fma(lambda.part[0][r], psi.part[1][p], -lambda.part[1][r] * psi.part[0][p]);
            if (M) {
                product = fma(lambda.part[0][p], psi.part[1][r], product);
                product = fma(-lambda.part[1][p], psi.part[0][r], product);
            }
            sum = fma(sign[r], product, sum);
        }
#endif
    return sum;
}

// A switch over masks, the same for all threads: `Work::run<M>()`.
#define QLOOM_CASE(M) \
    case M:           \
        return work.template run<M>();
template <class Work>
__device__ __forceinline__ void for_mask(u32 m, Work& work) {
    switch (m) {
        QLOOM_CASE(0)
        QLOOM_CASE(1)
        QLOOM_CASE(2)
        QLOOM_CASE(3)
        QLOOM_CASE(4)
        QLOOM_CASE(5)
        QLOOM_CASE(6)
        QLOOM_CASE(7)
#if REGISTER_BITS == 4
        QLOOM_CASE(8)
        QLOOM_CASE(9)
        QLOOM_CASE(10)
        QLOOM_CASE(11)
        QLOOM_CASE(12)
        QLOOM_CASE(13)
        QLOOM_CASE(14)
        QLOOM_CASE(15)
#endif
    }
}
#undef QLOOM_CASE

// Signs are made where the mask is known: of partners, one is enough.
struct TurnWork {
    Held& psi;
    T tangent;
    u32 z, negative;
    bool real;
    template <u32 M>
    __device__ __forceinline__ void run() {
        T t[HELD];
        spread_signs(t, tangent, z, negative);
        if (M && (COMPONENTS == 1 || real))
            turn_real<M>(psi, t);
        else
            turn_imaginary<M>(psi, t);
    }
};

// The slope, and then psi and lambda before the rotation.
struct UndoWork {
    Held &psi, &lambda;
    T tangent;
    u32 z, negative;
    bool real, wanted;
    T slope;
    template <u32 M>
    __device__ __forceinline__ void run() {
        T sign[HELD], t[HELD];
        spread_signs(sign, T(1), z, negative);
        spread_signs(t, -tangent, z, negative);
        if (M && (COMPONENTS == 1 || real)) {
            if (wanted) slope = slope_real<M>(lambda, psi, sign);
            turn_real<M>(psi, t), turn_real<M>(lambda, t);
        } else {
            if (wanted) slope = slope_imaginary<M>(lambda, psi, sign);
            turn_imaginary<M>(psi, t), turn_imaginary<M>(lambda, t);
        }
    }
};

}  // namespace qloom_gpu
