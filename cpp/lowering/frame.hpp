// The Clifford gates met so far, C, as the images of every X_q and Z_q under C^dagger . C.
#pragma once
#include <complex>

#include "lowering/basis_map.hpp"
#include "lowering/lowering.hpp"

namespace qloom::lowering {

// A monomial frame takes only gates that permute basis states with phases.
template <class Mask>
class Frame {
public:
    using Qubits = std::vector<uint32_t>;

    Frame(unsigned n_qubits, bool monomial);

    // Takes in a gate on the given qubits, whole or as many of its rotations as go; the others are appended to `out`.
    void lower(const std::vector<Turn<Mask>>& gate, const Qubits& qubits, std::vector<Turn<Mask>>& out);
    // C^dagger W C.
    PhasedWord<Mask> pull(const PhasedWord<Mask>& word) const;
    // C |0> = phase |a basis state>, for a monomial frame.
    std::complex<double> phase() const { return std::polar(1.0, eighths * 0.78539816339744831); }
    BasisMap basis_map() const;

    const unsigned n_qubits;
    const bool monomial;
    bool is_identity = true;

private:
    bool take(const Turn<Mask>* first, const Turn<Mask>* end, const Qubits& qubits);
    void turn(const Turn<Mask>& turn, const Qubits& qubits);
    Mask basis_state(const Qubits& qubits) const;
    PhasedWord<Mask> forward_x_image(unsigned qubit) const;

    std::vector<PhasedWord<Mask>> x_images, z_images;
    unsigned eighths = 0;  // of a turn, in the phase of C |0>
};

}  // namespace qloom::lowering
