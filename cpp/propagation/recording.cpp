// A walk is written down on the way back, where it is known which words stay to the end of a step.

#include <algorithm>
#include <bit>

#include "propagation/pairs_of.hpp"

namespace qloom::propagation {
namespace {

// Kinds of operands.
enum { MIXED, BROUGHT, REFUSED, ENDING, MULTIPLIED = ENDING, THROWN };

constexpr uint32_t marked(uint32_t slot, bool mark) { return slot | (mark ? Moment::MARK : 0); }

void write_down(Part& part, size_t kind, std::initializer_list<uint32_t> operands) {
    part.operands[kind].insert(part.operands[kind].end(), operands);
}

}  // namespace

template <int N>
void Walk<N>::name(size_t i) {
    if (free_slots.empty()) {
        names[i] = {n_slots++, false};
        return;
    }
    names[i] = {free_slots.back(), false};
    free_slots.pop_back();
}

template <int N>
void Walk<N>::record_turn(const Step& step, size_t first_new) {
    samples.turn_by(step);
    const auto brought = [&](Part& part, uint32_t from, uint32_t to, bool minus) {
        write_down(part, BROUGHT, {names[from].slot, marked(names[to].slot, minus)});
    };
    const size_t n_parts = over_pairs(
        turned(step),
        [&](Part& part, uint32_t i, uint32_t j, double sign) {
            const bool minus = (sign < 0) ^ names[i].minus ^ names[j].minus;
            if (j >= first_new) return brought(part, i, j, minus);
            if (i >= first_new) return brought(part, j, i, !minus);
            write_down(part, MIXED, {names[i].slot, marked(names[j].slot, minus)});
        },
        [&](Part& part, uint32_t i, double) {
            write_down(part, brings_nothing(i) ? ENDING : REFUSED, {names[i].slot});
        });
    gather(step, n_parts);
}

template <int N>
void Walk<N>::record_channel(const Step& step, size_t first_new) {
    if (parts.empty()) parts.resize(1);
    Part& part = parts[0];
    if (step.kind == Kind::damping) need_index();
    for (size_t i = 0; i < first_new; ++i) {
        const size_t letters = chosen(step, words[i]);
        if (!letters) continue;
        write_down(part, MULTIPLIED, {names[i].slot, uint32_t(letters)});
        if (step.kind != Kind::damping || letters != OF_Z) continue;
        const uint32_t j = partner_of(turned(step), i);
        if (j != Index::NONE)
            write_down(part, j >= first_new ? BROUGHT : MIXED,
                       {names[i].slot, marked(names[j].slot, names[i].minus ^ names[j].minus)});
        else if (!brings_nothing(i))
            write_down(part, REFUSED, {names[i].slot});
    }
    gather(step, 1);
}

// The parts' operands to a moment.
template <int N>
void Walk<N>::gather(const Step& step, size_t n_parts) {
    const size_t* each = step.kind == Kind::rotation ? Moment::OPERANDS_OF_ROTATION : Moment::OPERANDS_OF_CHANNEL;
    Moment moment{uint32_t(&step - program.steps.data()), {}};
    std::vector<uint32_t> operands;
    for (size_t kind = 0; kind < THROWN; ++kind)
        for (size_t k = 0; k < n_parts; ++k) {
            std::vector<uint32_t>& from = parts[k].operands[kind];
            moment.counts[kind] += uint32_t(from.size() / each[kind]);
            operands.insert(operands.end(), from.begin(), from.end());
            from.clear();
        }
    written->moments.push_back(moment);
    backwards.insert(backwards.end(), operands.rbegin(), operands.rend());
}

template <int N>
void Walk<N>::record_thrown_out() {
    const ThrownOut<N>& gone = thrown.back();
    const std::vector<uint32_t> at = gone.slots;
    const std::vector<uint16_t> weights_then = gone.weights;
    bring_back();
    written->moments.push_back({Moment::NO_STEP, {0, 0, 0, 0, uint32_t(at.size())}});
    for (size_t k = at.size(); k-- > 0;) {
        name(at[k]);
        backwards.push_back(marked(names[at[k]].slot, weights_then[k] == ENDED));
    }
}

template <int N>
void Walk<N>::record_end() {
    start.prepare(false);
    names.resize(words.size());
    for (size_t i = 0; i < words.size(); ++i) {
        name(i);
        if (!is_measured(words[i])) continue;
        const std::vector<Letter>& letters = letters_at(i);
        written->letters.insert(written->letters.end(), letters.begin(), letters.end());
        written->read.push_back(names[i].slot), written->ends.push_back(uint32_t(written->letters.size()));
    }
}

// Words that ended with a step are counted in bounds before it.
template <int N>
void Walk<N>::take_back_ended(size_t count) {
    for (; count > 0; --count, ended.pop_back()) {
        const Word<N>& word = words[ended.back()];
        unsigned weight = 0;
        for (int k = 0; k < N; ++k) weight += unsigned(std::popcount(word.bits[k] | word.bits[N + k]));
        weights[ended.back()] = uint16_t(weight);
    }
}

template <int N>
void Walk<N>::record(Recording& to) {
    written = &to;
    frequencies.clear();
    record_end();
    for (; !tape.empty(); tape.pop_back()) {
        const Record record = tape.back();
        if (record.step == KEPT) continue;
        if (record.step == THROWN_OUT) {
            record_thrown_out();
            continue;
        }
        const Step& step = program.steps[record.step];
        now = record.step;
        take_back_ended(record.ended);
        const size_t first_new = words.size() - record.inserted;
        if (step.kind == Kind::rotation)
            record_turn(step, first_new);
        else if (step.kind == Kind::clifford)
            take_quarters(step, 4 - step.quarters);
        else
            record_channel(step, first_new);
        for (size_t k = 0; k < record.inserted; ++k) {
            free_slots.push_back(names.back().slot), names.pop_back();
            take_last();
        }
        if (bytes() + to.bytes() + 4 * backwards.capacity() > samples.call->cuts.max_bytes)
            throw Exploded{now, words.size(), bounds[0]};
    }
    for (size_t i = 0; i < words.size(); ++i) {
        to.given.push_back(names[i].slot);
        to.coefficients.push_back(names[i].minus ? -given[i] : given[i]);
    }
    to.n_slots = n_slots;
    std::ranges::reverse(to.moments);
    to.operands.assign(backwards.rbegin(), backwards.rend());
}

Recording record_walk(const Program& p, const Call& c, size_t output, int threads) {
    return of_width(p.n_qubits, [&]<int N>() {
        Walk<N> walk(p, c, output, 0, c.size, threads);
        Recording out;
        walk.run(true);
        walk.record(out);
        return out;
    });
}

template class Walk<1>;
template class Walk<2>;
template class Walk<4>;
template class Walk<16>;

}  // namespace qloom::propagation
