// The kernels: what happens to amplitudes. One source (kernels.cpp) is compiled for several instruction sets.
//
// A state is two arrays (real and imaginary parts) of `count` vectors of `lanes` numbers. In the batched layout a
// vector holds one amplitude of `lanes` samples; in the single layout it holds `lanes` neighbouring amplitudes of one
// sample. Both run through the same kernels: the index of a vector is the high part of the amplitude index, and in the
// single layout the low bits of a word's masks act inside the vector (an XOR permutation and a sign per lane).
#pragma once
#include <cstddef>
#include <cstdint>

namespace qloom {

// A Pauli word on the vectors of a state: i^|x&z| X^x Z^z.
struct Word {
    uint64_t x = 0, z = 0;  // masks on the index of a vector
    uint32_t x_lane = 0;    // mask on the lane: the partner sits in lane ^ x_lane
    uint32_t z_lane = 0;    // lanes where the sign flips (parity with the lane index)
    bool real = false;      // odd |x&z|: the rotation is a real matrix
};

// Fours {i, i ^ x1, i ^ x2, i ^ x1 ^ x2} of two words with different x masks, not 0, are listed by their first vectors:
// the byte offset of vector i, with the parity of i & z1 in bit 0 and that of i & z2 in bit 1.
//
// Functions over pairs [begin, end). With x != 0 pair p is (i, i ^ x), i being p with a 0 put in at the top bit of x;
// with x == 0 "pair" p is vector p itself. Arrays are aligned to a vector. Coefficient arrays hold one vector.
template <class T>
struct Kernels {
    const char* name;
    size_t lanes;

    // Cosines and sines of `vectors` vectors of angles, each at most a few turns, to the rounding of T.
    void (*cos_sin)(const T* angles, size_t vectors, T* cosines, T* sines);
    // psi' = c psi + s (-1)^|k&z| partner (real word), or the same with partner replaced by -i partner.
    void (*rotate)(T* re, T* im, size_t begin, size_t end, const Word&, const T* c, const T* s);
    // Undo a rotation on psi and lambda, adding sum_k (-1)^|k&z| Im <lambda_k| -i partner_k> (or its real twin) to sum.
    void (*unrotate)(T* re, T* im, T* lre, T* lim, size_t begin, size_t end, const Word&, const T* c, const T* s,
                     T* sum);
    // Two rotations, words[0] first, in one walk over `count` fours of vectors (batched layout only). The second
    // function undoes them, adding the terms of both to sums (2 vectors).
    void (*rotate_two)(T* re, T* im, const uint32_t* fours, size_t count, const Word* words, const T* turn1,
                       const T* turn2);
    void (*unrotate_two)(T* re, T* im, T* lre, T* lim, const uint32_t* fours, size_t count, const Word* words,
                         const T* turn1, const T* turn2, T* sums);
    // A multiplexed rotation: its own c and s for each pair, shared by all lanes (batched layout only).
    void (*rotate_table)(T* re, T* im, size_t pairs, const Word&, const T* c, const T* s);
    // Undo a multiplexed rotation, adding each pair's term to sums (pairs vectors).
    void (*unrotate_table)(T* re, T* im, T* lre, T* lim, size_t pairs, const Word&, const T* c, const T* s, T* sums);
    // sums[t] += sum_k (-1)^|k&z_t| |psi_k|^2 for `terms` diagonal words.
    void (*measure_diagonal)(const T* re, const T* im, size_t begin, size_t end, const Word* words, size_t terms,
                             T* sums);
    // lambda = (sum_t g_t (-1)^|k&z_t|) psi.
    void (*weigh_diagonal)(const T* re, const T* im, T* lre, T* lim, size_t begin, size_t end, const Word* words,
                           size_t terms, const T* g);
    // sum += <psi| word |psi> and lambda += g word psi, over vectors [begin, end), without the constant sign of the
    // word.
    void (*measure_word)(const T* re, const T* im, size_t begin, size_t end, const Word&, T* sum);
    void (*weigh_word)(const T* re, const T* im, T* lre, T* lim, size_t begin, size_t end, const Word&, const T* g);
};

// The best set this processor runs, or the one named by QLOOM_KERNELS (read once).
template <class T>
const Kernels<T>& kernels();

// Every set compiled in that this processor runs, best first.
template <class T>
size_t available_kernels(const Kernels<T>** sets, size_t most);

}  // namespace qloom
