// Lowering: rotations about Pauli words before they are a program. Gates are given as such rotations; a Clifford frame
// (frame.hpp) takes some and pulls the others back; here those without effect are left out and the rest made passes.
// Masks have bit q for qubit q.
#pragma once
#include <bitset>
#include <cstdint>
#include <string>
#include <vector>

#include "lowering/angle.hpp"

namespace qloom::lowering {

// Registers of up to 64 qubits, and wide ones.
using Narrow = std::bitset<64>;
using Wide = std::bitset<1024>;

// A gate as rotations, first to last, about words in letters over its own qubits. Their angles are multiples of the
// angles the gate is called with (`index` counts those), or numbers.
struct Expansion {
    unsigned n_qubits, n_angles;
    std::vector<std::string> letters;
    std::vector<Angle> angles;
};

template <class Mask>
unsigned parity(const Mask& mask) {
    return mask.count() & 1;
}

// i^k X^x Z^z.
template <class Mask>
struct PhasedWord {
    unsigned k;
    Mask x, z;

    PhasedWord& operator*=(const PhasedWord& other) {
        k = (k + other.k + 2 * parity(z & other.x)) & 3;
        x ^= other.x;
        z ^= other.z;
        return *this;
    }
    bool commutes(const PhasedWord& other) const { return parity(x & other.z) == parity(z & other.x); }
    // 1 or -1 if this is a Hermitian word up to that sign.
    double sign() const { return 1.0 - ((k - unsigned((x & z).count())) & 3); }
};

// exp(-i a P / 2) about the Hermitian word P = i^|x&z| X^x Z^z.
template <class Mask>
struct Turn {
    Mask x, z;
    Angle angle;

    PhasedWord<Mask> word() const { return {unsigned((x & z).count() & 3), x, z}; }
};

// Which rotations can change what is measured. Walking back, one that commutes with all that is measured and with all
// that were kept has no effect. Where the register starts in |0>, a diagonal one that commutes with all before it is a
// phase.
template <class Mask>
std::vector<int64_t> effective(const std::vector<Turn<Mask>>& turns, const std::vector<Turn<Mask>>& measured,
                               bool starts_in_zero);

// Rotations by numbers merged into others about the same word that all between commute with: indices of those that are
// left, in their order, and the turn of each.
struct Merged {
    std::vector<int64_t> kept;
    std::vector<double> turns;
};

// Numbers alone are left as they are.
template <class Mask>
Merged merge_numbers(const std::vector<Turn<Mask>>& turns);

// Passes: indices of rotations in a new order, and where each pass starts in it (and the end).
struct Passes {
    std::vector<int64_t> order, starts;
};

// Commuting rotations with one x mask and one kind of angle (shared or per sample) gathered into passes. Each goes back
// past the passes it commutes with and joins the earliest that fits; where there is none it opens a pass as early as it
// can stand, so that later rotations find their partners side by side.
template <class Mask>
Passes fuse(const std::vector<Turn<Mask>>& turns);

}  // namespace qloom::lowering
