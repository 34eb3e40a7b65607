// Pauli errors of trajectories: drawn channel by channel, told by what they flip.
//
// An error is a Pauli word. Pulled back through the Clifford frame and moved behind all rotations it leaves the state
// alone and flips signs: of the rotations after it that anticommute with it, and of what is measured. So an error is
// two rows of bits, and the errors of a trajectory are the sum of theirs modulo 2, in whatever order.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "measuring/draw.hpp"

namespace qloom::trajectories {

// A Pauli channel on k qubits. Outcome j of 4^k is a letter a qubit, I X Y Z in base 4, the first qubit's the most
// significant.
struct Channel {
    unsigned n_qubits;
    size_t first_generator;  // of X and Z on each of its qubits, in turn
    size_t first_outcome;    // among those of all channels
    size_t n_outcomes() const { return size_t(1) << (2 * n_qubits); }
};

struct Errors {
    size_t n_rotations, n_signs;
    std::vector<Channel> channels;
    std::vector<uint64_t> generators;  // rows: bits of the rotations that each flips, then of the signs
    size_t n_outcomes = 0;             // of all channels

    static size_t numbers(size_t bits) { return (bits + 63) / 64; }
    size_t n_flips() const { return numbers(n_rotations); }
    size_t width() const { return n_flips() + numbers(n_signs); }
};

// Probabilities of the outcomes of all channels: one row, or one a sample.
struct Rates {
    const double* probabilities;
    const double* hazards;  // of each channel -ln(probability of no error)
    bool own;
};

// Trajectories first .. first + count of `samples` samples that have `all` each. Rows are numbered sample by sample.
struct Rows {
    size_t first_sample, samples, all, first, count;
    size_t size() const { return samples * count; }
    uint64_t number(size_t row) const { return (first_sample + row / count) * all + first + row % count; }
};

// hazards (rows, C) of probabilities (rows, S). One that is infinite is larger than any that is drawn.
void find_hazards(const Errors&, const double* probabilities, size_t rows, double* hazards);

// Bits (rows, n_flips) of the rotations and (rows, the rest) of the signs that are flipped. A row's errors depend on
// its number alone.
void draw_errors(const Errors&, const Rates&, Place, const Rows&, uint64_t* flips, uint64_t* signs, int threads);

// Adds each row's weight to the outcomes that it drew, (1 or samples, S).
void score_errors(const Errors&, const Rates&, Place, const Rows&, const double* weights, double* scores);

// Keeps of equal rows of flips among those of one sample the first, rows without flips before the others.
// `samples` (rows,) tells of those that are left which sample they are of, counted from the first of these rows;
// `places` (rows,) where each row's own is.
struct Distinct {
    size_t count, plain;  // rows that are left, and how many of them flip nothing
};
Distinct keep_distinct(const Errors&, const Rows&, uint64_t* flips, int64_t* samples, int64_t* places);

}  // namespace qloom::trajectories
