// Trajectories of circuits with any channels: a state each, and at every channel one Kraus operator, drawn with the
// probability |K psi|^2 and divided by its root.
//
// A path of operators has the probability <psi|psi> of its state without these divisions. What is derived is the mean
// of <psi|O|psi> over paths, divided by the probability of the one drawn: its slopes hold those of the probability too.
#pragma once
#include <complex>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "trajectories/errors.hpp"

namespace qloom::trajectories {

using Amplitude = std::complex<double>;

// exp(-i a P / 2), P = i^|x&z| X^x Z^z on indices; a matrix; a Pauli channel; a channel of Kraus operators.
struct Step {
    enum Kind { rotation, matrix, pauli, kraus } kind;
    uint64_t x = 0, z = 0;
    std::vector<unsigned> bits = {};  // of an index, one a qubit of the gate, the most significant of its own first
    size_t number = 0;                // which angle, or which channel of its kind
    std::vector<Amplitude> entries = {};
    std::vector<uint64_t> offsets = {};  // of the indices of a group, which differ in its bits
};

// Of all channels with Kraus operators: where those of one start, and how many there are.
struct Operators {
    size_t first, count, size;  // matrices (size, size)
};

struct Branching {
    unsigned n_bits;
    size_t n_outputs;
    size_t n_angles = 0, n_entries = 0;
    std::vector<Step> steps;
    std::vector<Operators> operators;
    std::vector<Channel> channels;  // Pauli channels
    size_t n_outcomes = 0;
    struct Term {
        double coefficient;
        uint64_t x, z;
        size_t output;
    };
    std::vector<Term> terms;
    std::vector<unsigned> measured;  // bits of an index whose outcomes are the outputs, the first the most significant

    size_t size() const { return size_t(1) << n_bits; }
    void add(Step);
};

// Numbers of one call, of each a row that all samples share or one a sample.
template <class N>
struct PerSample {
    const N* data;
    size_t stride;  // 0: shared
    const N* of(size_t sample) const { return data + sample * stride; }
};
struct Numbers {
    PerSample<double> angles;         // (A,)
    PerSample<double> probabilities;  // of Pauli channels, (S,)
    PerSample<Amplitude> operators;   // (E,)
    PerSample<Amplitude> start;       // (2^n,)
};

// Values (rows, O).
void branch(const Branching&, const Numbers&, Place, const Rows&, double* values, int threads);

// An index (rows,) of each, as its state is measured.
void measure_branches(const Branching&, const Numbers&, Place, const Rows&, int64_t* indices, int threads);

// A rate of a Kraus channel, and the slopes of its operators: (count, size, size) from `first` on in `slopes`.
struct RateSlope {
    size_t channel, first;
};
struct BranchGradient {
    const double* cotangents;  // (samples, O)
    const double* means;       // (samples, O), of all trajectories of each
    std::vector<RateSlope> rates;
    PerSample<Amplitude> slopes;
    // All are added to: (samples, A), (samples, S), (samples, rates), (samples, 2^n) or null.
    double *angles, *scores, *of_rates;
    Amplitude* start;
};
void branch_back(const Branching&, const Numbers&, Place, const Rows&, const BranchGradient&, int threads);

}  // namespace qloom::trajectories
