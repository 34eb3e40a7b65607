// Observables run backwards through a circuit as sums of Pauli words. A word of n letters is 2 N numbers of 64 bits, x
// masks first, bit q for qubit q; letters are x + 2 z: I, X, Z, Y.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "lowering/angle.hpp"

namespace qloom::propagation {

enum class Kind : uint8_t {
    rotation,  // exp(-i a P / 2)
    clifford,  // the same by quarter turns
    diagonal,  // words times numbers that their letters on some qubits choose
    damping,   // the same on one qubit; then Z adds to I too
};

// x and z bits of a word, in numbers of 64.
constexpr size_t MOST_NUMBERS = 16;
struct Mask {
    std::vector<uint64_t> x, z;
};

struct Letter {
    uint16_t qubit;
    uint8_t letter;  // of P; I for a channel that multiplies, Z for damping
};

struct Step {
    Kind kind;
    size_t first_letter, n_letters;
    Angle angle;        // of a rotation
    unsigned quarters;  // of a Clifford gate
    size_t factors;     // first of 4^k, and one more for damping: what Z adds to I
    size_t word;        // of rotations and Clifford gates: steps with the same letters have the same
    size_t broken =
        NONE;  // the symmetry of the state that ends here; words that anticommute with it have value 0 before

    static constexpr size_t NONE = ~size_t(0);
};

struct Term {
    Mask word;
    double coefficient;
};

struct Program {
    unsigned n_qubits;
    std::vector<Letter> letters;
    std::vector<Step> steps;  // first to last; those of one qubit that come before all it shares with others lead
    size_t n_leading = 0;     // qubit by qubit
    std::vector<size_t> first_leading;  // of each qubit, and one past the last
    std::vector<std::vector<Term>> observables;
    std::vector<Mask> broken, unbroken;  // symmetries of the state, at some step and at the end
    size_t n_factors = 0, n_words = 0;
};

// Samples of a walk: they share one set of words.
constexpr size_t MOST_LANES_OF_WALK = 64;

// What a word must be to stay. A rotation close to a quarter turn always brings its word; the weight is then asked
// for when the next words are thrown out.
struct Cuts {
    double min_coefficient;
    unsigned max_weight;
    size_t max_words, max_frequency;
    size_t max_bytes;  // of a walk
};

// Arrays of a call. Rows of weights and factors are strides apart, 0 where all samples share them.
struct Call {
    size_t size;
    const double *inputs, *weights, *factors;
    size_t n_inputs, n_weights, n_factors;
    size_t weight_stride, factor_stride;
    Cuts cuts;
    int threads;
};

// Steps that lead come first, qubit by qubit; they commute with what they pass.
void bring_leading_forward(Program&);

// (B, O) each: values, sums of absolute values and of squares of what was dropped; the most words of each that a step
// left (O,).
struct Values {
    double *values, *bounds, *squares;
    int64_t* words;
};

// Like the arrays of the call; null is not wanted.
struct Slopes {
    const double* cotangents;  // (B, O)
    double *inputs, *weights, *factors;
};

// Thrown where words would take more than `max_bytes`.
struct Exploded {
    size_t step, words;
    double bound;
};

// Walks of a call, kept for the way back.
class Walks;
struct Recording;
using Recordings = std::vector<Recording>;

// Kept walks are appended to `kept` unless it is null, up to `most_kept` bytes.
// With recordings words are those that were written down.
void forward(const Program&, const Call&, const Values&, Walks* kept, const Recordings*);
void backward(const Program&, const Call&, const Slopes&, Walks* kept, const Recordings*);
// One of each observable; a word stays if any sample needs it.
Recordings record(const Program&, const Call&);

}  // namespace qloom::propagation
