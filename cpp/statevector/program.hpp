// The program: what is left of a circuit after lowering. Rotations about Pauli words, and what is measured at the end.
#pragma once
#include <complex>
#include <memory>

#include "lowering/angle.hpp"
#include "lowering/basis_map.hpp"
#include "statevector/linear.hpp"

namespace qloom {

// exp(-i a P / 2), P = i^|x&z| X^x Z^z; x belongs to the pass.
struct Rotation {
    Mask z;
    Angle angle;
};

// Commuting rotations with one x mask.
struct Pass {
    Mask x;
    uint32_t first, count;
};

// coefficient <psi| P |psi>, added to an output.
struct Term {
    double coefficient;
    Mask x, z;
    uint32_t output;
};

// Outputs are the amplitudes of the state: phase C psi for a C that permutes basis states with phases.
struct FinalState {
    lowering::BasisMap basis;
    std::complex<double> phase;
    bool split;  // all real parts, then all imaginary parts; else the two of each amplitude side by side
};

class Coordinates;
class Schedule;

// How samples lie in vectors, and who works on a state.
struct Layout {
    unsigned lane_bits;  // so many bits of the amplitude's index count lanes; 0: lanes are samples
    bool own_weights;    // every sample has its own
    bool threads_share;  // threads share one state, else each has its own

    bool operator==(const Layout&) const = default;
};

struct Program {
    unsigned n_qubits = 0;
    size_t n_inputs = 0, n_weights = 0, n_outputs = 0;
    std::vector<Pass> passes;
    std::vector<Rotation> rotations;
    std::vector<Term> terms;
    bool probabilities = false;  // outputs are |psi|^2 summed over the basis states with equal outcomes
    std::vector<Mask> outcome;   // bit r of an outcome is the parity of (index & outcome[r])
    Mask outcome_flips = 0;      // then flipped
    std::shared_ptr<const FinalState> final_state;    // if amplitudes are the outputs
    int64_t real_column = -1, imaginary_column = -1;  // inputs that hold the initial amplitudes
    std::vector<double> initial;                      // fixed initial amplitudes: real parts, then imaginary parts

    size_t size() const { return size_t(1) << n_qubits; }
    bool starts_from_zero() const { return real_column < 0 && initial.empty(); }
    bool starts_real() const;

    // Made at first use, when the program is complete; safe to ask for from several threads.
    const Coordinates& coordinates() const;
    const Schedule& schedule(const Layout&) const;

private:
    struct Prepared;
    std::shared_ptr<Prepared> prepared = make_prepared();
    static std::shared_ptr<Prepared> make_prepared();
};

// The arrays of one call. weight_stride is 0 when all samples share the weights, else n_weights.
template <class T>
struct Batch {
    size_t size;
    const T* inputs;
    const T* weights;
    size_t weight_stride;
    size_t n_inputs;
    int threads;
    // Rows of n_flips numbers, one a sample: where bit r is 1 rotation r turns the other way. Null: nowhere.
    const uint64_t* flips = nullptr;
    size_t n_flips = 0;

    const uint64_t* flips_of(size_t sample) const { return flips + sample * n_flips; }
    bool is_shared(const Angle& a) const {
        return a.source == Source::number || (a.source == Source::weight && weight_stride == 0);
    }
    // Half the angle, between -pi and pi.
    double half(const Angle& a, size_t sample) const {
        if (a.source == Source::number) return half_of(a, 0);
        return half_of(a, a.source == Source::input ? inputs[sample * n_inputs + a.index]
                                                    : weights[sample * weight_stride + a.index]);
    }
};

inline bool is_flipped(const uint64_t* flips, size_t rotation) { return flips[rotation / 64] >> (rotation % 64) & 1; }

// What the backward walk fills; a null pointer is not wanted. d_weights is (W,), or (B, W) if the samples have their
// own; where `trained`, (W,), is given and 0 the weight is frozen and its derivative stays 0. `kept` are the final
// states of the forward walk, or null; they are written over.
template <class T>
struct Gradient {
    const T* cotangents;
    T* kept;
    T* d_inputs;
    T* d_weights;
    const uint8_t* trained;

    bool wants(const Angle& a) const {
        return (a.source == Source::input && d_inputs) ||
               (a.source == Source::weight && d_weights && (!trained || trained[a.index]));
    }
};

// `kept` takes the final states for the backward walk: kept_size numbers, aligned to 64 bytes; or is null.
template <class T>
size_t kept_size(const Program&, size_t batch);
template <class T>
void forward(const Program&, const Batch<T>&, T* values, T* kept);
template <class T>
void backward(const Program&, const Batch<T>&, const Gradient<T>&);

}  // namespace qloom
