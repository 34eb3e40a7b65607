// What is measured of a state, wherever it is, and the lambda that cotangents make of it.
#pragma once
#include "angles.h"
#include "block.h"

namespace qloom_gpu {

// Sums over amplitudes i = from, from + step, ... of a group's words, without their coefficients.
template <class S>
__device__ inline void add_group(const S& psi, const Group& group, const Term* terms, u64 from, u64 step,
                                 T (&sums)[MOST_IN_GROUP]) {
    typedef typename S::Index Index;
    for (Index i = Index(from); i < psi.size; i += Index(step)) {
        const Index p = i ^ Index(group.x);
        const Amplitude a = psi[i], b = psi[p];
        const T product = group.odd ? re(a) * im(b) - im(a) * re(b) : re(a) * re(b) + im(a) * im(b);
        for (u32 k = 0; k < MOST_IN_GROUP; ++k)
            if (k < group.count) sums[k] += with_sign(product, parity(i & Index(terms[group.first + k].z)));
    }
}

// Numbers (-1)^|i&z| w of a group's terms, summed: the words' factor at amplitude i.
template <class Index>
__device__ inline T factor_at(Index i, const Group& group, const Term* terms, const T* cotangents) {
    T factor = 0;
    for (u32 k = group.first; k < group.first + group.count; ++k)
        factor += with_sign(T(terms[k].coefficient) * cotangents[terms[k].output], parity(i & Index(terms[k].z)));
    return factor;
}

// lambda = scale sum_o g_o O_o psi at amplitude i; of groups before `first` lambda has its part already.
template <class S>
__device__ inline void weigh_terms(const Parts& parts, const S& psi, const S& lambda, typename S::Index i,
                                   const T* cotangents, T scale, u32 first) {
    T real = 0, imaginary = 0;
    for (u32 g = first; g < parts.head->n_groups; ++g) {
        const Group& group = parts.groups()[g];
        const typename S::Index p = i ^ (typename S::Index)(group.x);
        const T factor = factor_at(i, group, parts.terms(), cotangents);
        const Amplitude b = psi[p];
        real = fma(factor, group.odd ? im(b) : re(b), real);
        imaginary = fma(factor, group.odd ? -re(b) : im(b), imaginary);
    }
    lambda[i] = first ? amplitude(fma(scale, real, re(lambda[i])), fma(scale, imaginary, im(lambda[i])))
                      : scale * amplitude(real, imaginary);
}

// Where an outcome stands among the outputs, and its probability: a sum over a part of the amplitudes that have it.
template <class S>
__device__ inline T outcome_part(const Outcomes& map, const S& psi, u64 outcome, u64 first, u64 count) {
    typedef typename S::Index Index;
    u64 i = sum_of(map.lift, outcome) ^ sum_of(map.null, first ^ first >> 1);
    T sum = 0;
    for (u64 k = first;;) {  // in the order of a Gray code: one vector more or less each time
        sum += square(psi[Index(i)]);
        if (++k == first + count) return sum;
        i ^= map.null[__ffsll((long long)k) - 1];
    }
}
__device__ inline u64 outcome_place(const Outcomes& map, u64 outcome) { return map.flips ^ sum_of(map.place, outcome); }

template <class S>
__device__ inline void weigh_outcomes(const Parts& parts, const S& psi, const S& lambda, typename S::Index i,
                                      const T* cotangents, T scale) {
    const Outcomes& map = parts.outcomes();
    lambda[i] = scale * cotangents[map.flips ^ sum_of(map.output, u64(i))] * psi[i];
}

// Where amplitude i stands in the final state, and the phase that it has there.
struct Image {
    u64 re, im;
    T phase[2];

    __device__ Image(const Amplitudes& map, u64 i) {
        u64 target = map.start;
        u32 quarter = 0, b = 0;
        for (u64 left = i; left; ++b, left >>= 1)
            if (left & 1) target ^= map.target[b], quarter += map.quarter[b] + 2 * parity(i & map.cross[b]);
        re = map.split ? target : 2 * target;
        im = map.split ? target + (u64(1) << map.n_qubits) : re + 1;
        const T x = T(map.phase[0]), y = T(map.phase[1]);
        phase[0] = quarter & 1 ? (quarter & 2 ? y : -y) : (quarter & 2 ? -x : x);
        phase[1] = quarter & 1 ? (quarter & 2 ? -x : x) : (quarter & 2 ? -y : y);
    }
};

template <class S>
__device__ inline void give_amplitude(const Parts& parts, const S& psi, typename S::Index i, T factor, T* values) {
    const Image image(parts.amplitudes(), i);
    const Amplitude a = factor * psi[i];
    values[image.re] = image.phase[0] * re(a) - image.phase[1] * im(a);
    values[image.im] = image.phase[0] * im(a) + image.phase[1] * re(a);
}

// The real part of <g| state> is linear in the state: lambda is half of g, since derivatives are those of <psi|O|psi>.
template <class S>
__device__ inline void weigh_amplitude(const Parts& parts, const S& lambda, typename S::Index i, const T* cotangents,
                                       T scale) {
    const bool used = u64(i) < u64(1) << parts.head->used_bits;
    const Image image(parts.amplitudes(), used ? i : 0);
    const T half = used ? scale / 2 : T(0), x = cotangents[image.re], y = cotangents[image.im];
    lambda[i] = half * amplitude(image.phase[0] * x + image.phase[1] * y, image.phase[0] * y - image.phase[1] * x);
}

// lambda at amplitude i. `scale` is what psi has to be multiplied by.
template <class S>
__device__ inline void weigh(const Parts& parts, const S& psi, const S& lambda, typename S::Index i,
                             const T* cotangents, T scale, u32 first_group = 0) {
    if (parts.head->kind == TERMS)
        weigh_terms(parts, psi, lambda, i, cotangents, scale, first_group);
    else if (parts.head->kind == OUTCOMES)
        weigh_outcomes(parts, psi, lambda, i, cotangents, scale);
    else
        weigh_amplitude(parts, lambda, i, cotangents, scale);
}

// An amplitude that the state starts with.
template <class S>
__device__ inline void start_at(const Parts& parts, const Sample& sample, const S& psi, typename S::Index i) {
    const Program& head = *parts.head;
    T real = i == 0 ? 1 : 0, imaginary = 0;
    const bool used = u64(i) < u64(1) << head.used_bits;
    if (head.start == FIXED) {
        real = used ? T(parts.initial()[i]) : T(0);
        imaginary = used ? T(parts.initial()[(u64(1) << head.used_bits) + i]) : T(0);
    } else if (head.start == FROM_INPUTS) {
        real = used ? sample.inputs[head.real_column + i] : T(0);
        imaginary = used && head.imaginary_column != NONE ? sample.inputs[head.imaginary_column + i] : T(0);
    }
    psi[i] = amplitude(real, imaginary);
}

// Whether amplitudes that came as inputs are of no norm that was agreed on: all that they give is NaN. Nobody waits for
// the device to tell.
__device__ inline bool is_refused(const Call& call, const Program& head, double started) {
    return head.start == FROM_INPUTS && call.norm_tolerance > 0 && !(fabs(started - 1) <= call.norm_tolerance);
}

// Slopes of the amplitudes that a state started from.
template <class S>
__device__ inline void give_start_slope(const Parts& parts, const S& lambda, typename S::Index i, T* d_inputs) {
    const Program& head = *parts.head;
    if (u64(i) >> head.used_bits) return;
    d_inputs[head.real_column + i] += 2 * re(lambda[i]);
    if (head.imaginary_column != NONE) d_inputs[head.imaginary_column + i] += 2 * im(lambda[i]);
}

}  // namespace qloom_gpu
