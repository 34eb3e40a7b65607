// Circuits of gates become programs of expectation values, as engines/statevector/lowering.py makes them one by one.
#pragma once
#include "lowering/lowering.hpp"
#include "statevector/program.hpp"

namespace qloom {

// The gates of one circuit, qubits and angles of one after the other, in arrays that others own. At most 32 qubits.
struct Gates {
    unsigned n_qubits;
    size_t count;
    const lowering::Expansion* const* forms;  // what every number in `form` stands for
    const uint32_t *form, *qubits;
    const Angle* angles;
};

// Words that are measured: a word, with bit q of a mask for qubit q, its coefficient and its output.
using Observed = std::vector<Term>;

// Qubits and angles that so many gates have together.
struct Extent {
    size_t qubits = 0, angles = 0;
};
Extent extent_of(const Gates&);

// In the cheaper of the two frames, started from |0>.
Program lower_values(const Gates&, const Observed&, size_t n_inputs, size_t n_weights, size_t n_outputs);

}  // namespace qloom
