#include "propagation/symmetries.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <optional>
#include <vector>

#include "propagation/letters.hpp"

namespace qloom::propagation {
namespace {

void add(std::vector<uint64_t>& to, const std::vector<uint64_t>& from) {
    for (size_t k = 0; k < to.size(); ++k) to[k] ^= from[k];
}

bool has(const std::vector<uint64_t>& bits, size_t k) { return bits[k / 64] >> k % 64 & 1; }
void flip(std::vector<uint64_t>& bits, size_t k) { bits[k / 64] ^= uint64_t(1) << k % 64; }

// Generators of the symmetries that are left, first to last step. A Clifford gate changes them, a rotation or damping
// breaks one if any anticommutes with its word; channels that multiply words break none.
class Symmetries {
public:
    explicit Symmetries(unsigned n_qubits);

    // The one that the step breaks.
    std::optional<Mask> pass(const Step& step, const Letter* letters);
    std::vector<Mask> left() const;

private:
    using Generators = std::vector<uint64_t>;  // a bit each

    Generators odd(const Step& step, const Letter* letters) const;
    Mask word_of(size_t generator) const;
    Mask take_out(Generators& odd);

    size_t n_qubits;
    std::vector<Generators> x, z;  // of every qubit, the generators that have the letter there
    Generators all;
};

Symmetries::Symmetries(unsigned n) : n_qubits(n), all((n + 63) / 64) {
    x.assign(n_qubits, all), z.assign(n_qubits, all);
    for (size_t q = 0; q < n_qubits; ++q) flip(z[q], q), flip(all, q);
}

Symmetries::Generators Symmetries::odd(const Step& step, const Letter* letters) const {
    Generators out(all.size());
    for (size_t k = 0; k < step.n_letters; ++k) {
        if (x_of(letters[k].letter)) add(out, z[letters[k].qubit]);
        if (z_of(letters[k].letter)) add(out, x[letters[k].qubit]);
    }
    return out;
}

std::optional<Mask> Symmetries::pass(const Step& step, const Letter* letters) {
    if (step.kind == Kind::diagonal || (step.kind == Kind::clifford && step.quarters == 2)) return {};
    Generators those = odd(step, letters);
    if (std::ranges::all_of(those, [](uint64_t bits) { return bits == 0; })) return {};
    if (step.kind != Kind::clifford) return take_out(those);
    for (size_t k = 0; k < step.n_letters; ++k) {
        if (x_of(letters[k].letter)) add(x[letters[k].qubit], those);
        if (z_of(letters[k].letter)) add(z[letters[k].qubit], those);
    }
    return {};
}

std::vector<Mask> Symmetries::left() const {
    std::vector<Mask> out;
    for (size_t g = 0; g < n_qubits; ++g)
        if (has(all, g)) out.push_back(word_of(g));
    return out;
}

Mask Symmetries::word_of(size_t generator) const {
    Mask out{std::vector<uint64_t>(MOST_NUMBERS), std::vector<uint64_t>(MOST_NUMBERS)};
    for (size_t q = 0; q < n_qubits; ++q) {
        if (has(x[q], generator)) flip(out.x, q);
        if (has(z[q], generator)) flip(out.z, q);
    }
    return out;
}

// One of those that are broken goes; its products with the others are not broken.
Mask Symmetries::take_out(Generators& odd) {
    const size_t k = size_t(std::ranges::find_if(odd, [](uint64_t bits) { return bits != 0; }) - odd.begin());
    const size_t gone = 64 * k + size_t(std::countr_zero(odd[k]));
    const Mask word = word_of(gone);
    flip(all, gone);
    for (size_t q = 0; q < n_qubits; ++q) {  // the others are multiplied by it, and it by itself
        if (has(word.x, q)) add(x[q], odd);
        if (has(word.z, q)) add(z[q], odd);
    }
    return word;
}

}  // namespace

void find_symmetries(Program& program) {
    Symmetries symmetries(program.n_qubits);
    for (Step& step : program.steps) {
        std::optional<Mask> broken = symmetries.pass(step, &program.letters[step.first_letter]);
        if (!broken) continue;
        step.broken = program.broken.size();
        program.broken.push_back(std::move(*broken));
    }
    program.unbroken = symmetries.left();
}

}  // namespace qloom::propagation
