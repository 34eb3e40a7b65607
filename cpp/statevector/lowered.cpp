#include "statevector/lowered.hpp"

#include "lowering/frame.hpp"

namespace qloom {
namespace {

using lowering::Narrow, lowering::Turn;
using Turns = std::vector<Turn<Narrow>>;

// A gate's own angle is what it is called with, scaled and offset once more.
Angle called_with(const Angle& own, const Angle* given) {
    if (own.source == Source::number) return own;
    const Angle& angle = given[own.index];
    return {angle.source, angle.index, own.scale * angle.scale, own.scale * angle.offset + own.offset};
}

// Calls body(rotations, qubits) for every gate.
template <class F>
void over_gates(const Gates& gates, F body) {
    Turns turns;
    std::vector<uint32_t> places;
    const uint32_t* qubits = gates.qubits;
    const Angle* angles = gates.angles;
    for (size_t g = 0; g < gates.count; ++g) {
        const lowering::Expansion& gate = *gates.forms[gates.form[g]];
        places.assign(qubits, qubits + gate.n_qubits);
        turns.clear();
        for (size_t r = 0; r < gate.letters.size(); ++r) {
            Turn<Narrow>& turn = turns.emplace_back(Turn<Narrow>{{}, {}, called_with(gate.angles[r], angles)});
            for (unsigned j = 0; j < gate.n_qubits; ++j) {
                const char letter = gate.letters[r][j];
                turn.x[places[j]] = letter == 'X' || letter == 'Y';
                turn.z[places[j]] = letter == 'Z' || letter == 'Y';
            }
        }
        body(turns, places);
        qubits += gate.n_qubits;
        angles += gate.n_angles;
    }
}

Turns taken(const Turns& turns, const std::vector<int64_t>& rows) {
    Turns out;
    for (int64_t r : rows) out.push_back(turns[size_t(r)]);
    return out;
}

// What is left in one frame: rotations in passes, and words before them.
struct Lowered {
    Turns turns;
    std::vector<int64_t> starts;
    Observed terms;
};

Lowered lower_in(const Gates& gates, const Observed& observed, bool monomial) {
    lowering::Frame<Narrow> frame(gates.n_qubits, monomial);
    Turns all, words;
    over_gates(gates, [&](const Turns& gate, const std::vector<uint32_t>& places) { frame.lower(gate, places, all); });
    Lowered out;
    for (const Term& term : observed) {
        const auto word = frame.pull(Turn<Narrow>{term.x, term.z, {}}.word());
        words.push_back({word.x, word.z, {}});
        out.terms.push_back({term.coefficient * word.sign(), word.x.to_ullong(), word.z.to_ullong(), term.output});
    }
    all = taken(all, lowering::effective(all, words, true));
    const lowering::Merged merged = lowering::merge_numbers(all);
    Turns left = taken(all, merged.kept);
    for (size_t r = 0; r < left.size(); ++r) left[r].angle.turn = merged.turns[r];
    lowering::Passes passes = lowering::fuse(left);
    out.turns = taken(left, passes.order);
    out.starts = std::move(passes.starts);
    return out;
}

// Walks over the state: a pass that samples share is one, else every rotation is. Those over a real state are half as
// long.
double cost(const Lowered& lowered) {
    double passes = 0;
    bool is_real = true;
    for (size_t k = 0; k + 1 < lowered.starts.size(); ++k) {
        const bool shared = lowered.turns[size_t(lowered.starts[k])].angle.source != Source::input;
        passes += shared ? 1 : double(lowered.starts[k + 1] - lowered.starts[k]);
    }
    for (const Term& term : lowered.terms) passes += term.x ? 0.5 : 0;
    for (const Turn<Narrow>& turn : lowered.turns) is_real = is_real && lowering::parity(turn.x & turn.z);
    return is_real ? passes / 2 : passes;
}

// Qubit 0 becomes the most significant bit of an index.
Mask on_index(Mask mask, unsigned n_qubits) {
    Mask out = 0;
    for (unsigned q = 0; q < n_qubits; ++q) out |= (mask >> q & 1) << (n_qubits - 1 - q);
    return out;
}

}  // namespace

Extent extent_of(const Gates& gates) {
    Extent out;
    for (size_t g = 0; g < gates.count; ++g) {
        out.qubits += gates.forms[gates.form[g]]->n_qubits;
        out.angles += gates.forms[gates.form[g]]->n_angles;
    }
    return out;
}

Program lower_values(const Gates& gates, const Observed& observed, size_t n_inputs, size_t n_weights,
                     size_t n_outputs) {
    Lowered lowered = lower_in(gates, observed, false), other = lower_in(gates, observed, true);
    if (cost(other) < cost(lowered)) std::swap(lowered, other);
    Program program;
    program.n_qubits = gates.n_qubits, program.n_inputs = n_inputs, program.n_weights = n_weights;
    program.n_outputs = n_outputs;
    for (size_t k = 0; k + 1 < lowered.starts.size(); ++k) {
        const uint32_t first = uint32_t(lowered.starts[k]), end = uint32_t(lowered.starts[k + 1]);
        program.passes.push_back({on_index(lowered.turns[first].x.to_ullong(), gates.n_qubits), first, end - first});
    }
    for (const Turn<Narrow>& turn : lowered.turns)
        program.rotations.push_back({on_index(turn.z.to_ullong(), gates.n_qubits), turn.angle});
    for (Term term : lowered.terms) {
        term.x = on_index(term.x, gates.n_qubits), term.z = on_index(term.z, gates.n_qubits);
        program.terms.push_back(term);
    }
    return program;
}

}  // namespace qloom
