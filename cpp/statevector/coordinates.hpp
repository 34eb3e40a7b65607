// A program in the coordinates that suit its state best.
//
// Started from |0>, the state lives on the span of the rotations' x masks. With those of the first rotations as the
// basis, each of them that is independent of the ones before doubles the support, along one bit: the first layer of an
// encoder is built as a product state, and qubits that nothing turns do not exist.
//
// Rotations about words odd in Y are real matrices: where all are and the start is real, the state stays so, and of
// what is measured the words odd in Y are 0.
#pragma once
#include "statevector/program.hpp"

namespace qloom {

// i^|x&z| X^x Z^z without its constant sign, which is kept beside it.
struct Word {
    Mask x, z;
    bool real;    // odd |x&z|: -i P is a real matrix
    double sign;  // of -i P in a rotation, or of P where it is measured
};

class Coordinates {
public:
    explicit Coordinates(const Program&);

    unsigned bits;   // the state has 2^bits amplitudes
    bool is_real;    // all of them
    size_t growths;  // the first rotations: number k doubles the support along bit k
    Span basis;      // the basis state of amplitude j is the sum of the vectors where j has a 1
    std::vector<Word> rotations;
    std::vector<Term> terms;     // those that can be other than 0, in these coordinates
    std::vector<Word> measured;  // their words
    BitMap outcome, place;       // of an amplitude: its outcome, its basis state

private:
    Word word(Mask x, Mask z) const;
};

}  // namespace qloom
