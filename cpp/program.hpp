// The program: what is left of a circuit after lowering. Rotations about Pauli words, and what is measured at the end.
#pragma once
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include "kernels.hpp"

namespace qloom {

enum class Source : int8_t { number = 0, input = 1, weight = 2 };

// exp(-i a P / 2), P = i^|x&z| X^x Z^z, a = scale * slot + offset; x belongs to the pass.
struct Rotation {
    uint64_t z;
    Source source;
    int32_t index;
    double scale, offset;
};

// Commuting rotations with one x mask. `shared`: no angle is an input.
struct Pass {
    uint64_t x;
    uint32_t first, count;
    bool shared;
};

// coefficient <psi| P |psi>, added to an output.
struct Term {
    double coefficient;
    uint64_t x, z;
    uint32_t output;
};

// Basis index -> output index, linear over bits: bit r of the output is the parity of (index & rows[r]), then flipped.
class BitMap {
public:
    BitMap() = default;
    BitMap(const std::vector<uint64_t>& rows, uint64_t flips, unsigned bits);
    uint64_t operator()(uint64_t index) const { return low[index & MASK] ^ high[index >> HALF]; }

private:
    static constexpr unsigned HALF = 14;
    static constexpr uint64_t MASK = (uint64_t(1) << HALF) - 1;
    std::vector<uint64_t> low, high;
};

struct Program {
    unsigned n_qubits = 0;
    size_t n_inputs = 0, n_weights = 0, n_outputs = 0;
    std::vector<Pass> passes;
    std::vector<Rotation> rotations;
    std::vector<Term> diagonal, others;  // terms with x == 0, and the rest
    // In the batched layout two neighbouring passes of one rotation each run as one walk over fours.
    std::vector<uint32_t> fours;     // lists of all such couples, one after the other
    std::vector<size_t> fours_at;    // pass -> start of its couple's list, where it is the first of a couple
    std::vector<uint8_t> in_couple;  // pass -> 0 alone, 1 first of a couple, 2 second
    bool probabilities = false;      // outputs are |psi|^2 summed over the basis states that `outcome` maps together
    BitMap outcome;
    int64_t real_column = -1, imaginary_column = -1;  // inputs that hold the initial amplitudes
    std::vector<double> initial;                      // fixed initial amplitudes: real parts, then imaginary parts

    size_t size() const { return size_t(1) << n_qubits; }

    // Fills the three lists above, for vectors of so many bytes; for registers too large to run in tiles it does
    // nothing.
    void plan_couples(size_t vector_bytes);
};

// A tile of samples must stay in cache: wider registers run one sample at a time.
constexpr unsigned MOST_QUBITS_BATCHED = 13;

// Pairs a pass runs over, of `vectors` vectors.
inline size_t n_pairs(const Word& w, size_t vectors) { return w.x ? vectors / 2 : vectors; }

// A word on vectors of 2^lane_bits lanes that are amplitudes (0: lanes are samples).
inline Word word_on_vectors(uint64_t x, uint64_t z, unsigned lane_bits) {
    const uint32_t lanes = (1u << lane_bits) - 1;
    return {x >> lane_bits, z >> lane_bits, uint32_t(x) & lanes, uint32_t(z) & lanes,
            (__builtin_popcountll(x & z) & 1) != 0};
}

// The constant sign a kernel leaves out: of -i sin P in a rotation, and of P where it is measured.
inline double rotation_sign(uint64_t x, uint64_t z) {
    const unsigned m = __builtin_popcountll(x & z) & 3;
    return m == 0 || m == 3 ? 1 : -1;
}
inline double measured_sign(uint64_t x, uint64_t z) { return __builtin_popcountll(x & z) & 2 ? -1 : 1; }

// The arrays of one call. weight_stride is 0 when all samples share the weights, else n_weights.
template <class T>
struct Batch {
    size_t size;
    const T* inputs;
    const T* weights;
    size_t weight_stride;
    int threads;

    double angle(const Program& program, const Rotation& r, size_t sample) const {
        switch (r.source) {
            case Source::input:
                return r.scale * double(inputs[sample * program.n_inputs + r.index]) + r.offset;
            case Source::weight:
                return r.scale * double(weights[sample * weight_stride + r.index]) + r.offset;
            default:
                return r.offset;
        }
    }
};

// What the backward walk fills; a null pointer is not wanted. d_weights is (W,), or (B, W) if the samples have their
// own.
template <class T>
struct Gradient {
    const T* cotangents;
    const T* kept;
    T* d_inputs;
    T* d_weights;
};

// The two regimes behind one face. `kept` takes the final states for the backward walk (kept_size numbers), or is null.
template <class T>
size_t kept_size(const Program&, size_t batch);
template <class T>
void forward(const Program&, const Batch<T>&, T* values, T* kept);
template <class T>
void backward(const Program&, const Batch<T>&, const Gradient<T>&);
// Final states as (B, 2^n) complex numbers, before any part of the circuit's frame is applied.
template <class T>
void states(const Program&, const Batch<T>&, T* out);

}  // namespace qloom
