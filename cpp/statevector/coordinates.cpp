#include "statevector/coordinates.hpp"

#include <algorithm>

namespace qloom {

Coordinates::Coordinates(const Program& program) : growths(0) {
    if (program.starts_from_zero()) {
        bool growing = true;
        for (const Pass& pass : program.passes) {
            const bool grew = basis.add(pass.x);
            growing = growing && grew && pass.count == 1;
            growths += growing;
        }
    } else {
        for (unsigned bit = 0; bit < program.n_qubits; ++bit) basis.add(Mask(1) << bit);
    }
    bits = unsigned(basis.rank());
    is_real = program.starts_real();
    for (const Pass& pass : program.passes)
        for (size_t r = pass.first; r < pass.first + pass.count; ++r) {
            rotations.push_back(word(pass.x, program.rotations[r].z));
            const unsigned m = __builtin_popcountll(pass.x & program.rotations[r].z) & 3;
            rotations.back().sign = m == 0 || m == 3 ? 1 : -1;
            is_real = is_real && rotations.back().real;
        }
    for (const Term& term : program.terms) {
        if (!basis.contains(term.x) || (is_real && parity(term.x & term.z))) continue;
        terms.push_back(term);
        measured.push_back(word(term.x, term.z));
        measured.back().sign = __builtin_popcountll(term.x & term.z) & 2 ? -1 : 1;
    }
    std::vector<Mask> rows;
    for (Mask row : program.outcome) rows.push_back(basis.form(row));
    outcome = BitMap(rows, program.outcome_flips, bits);
    rows.assign(program.n_qubits, 0);
    for (size_t k = 0; k < bits; ++k)
        for (unsigned q = 0; q < program.n_qubits; ++q) rows[q] |= (basis.vectors()[k] >> q & 1) << k;
    place = BitMap(rows, 0, bits);
}

bool Program::starts_real() const {
    if (real_column >= 0) return imaginary_column < 0;
    return std::all_of(initial.begin() + std::ptrdiff_t(initial.size() / 2), initial.end(),
                       [](double imaginary) { return imaginary == 0; });
}

Word Coordinates::word(Mask x, Mask z) const { return {basis.coordinates(x), basis.form(z), parity(x & z) != 0, 1}; }

}  // namespace qloom
