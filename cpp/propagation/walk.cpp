#include "machine/random.hpp"
#include "propagation/walk_of.hpp"

namespace qloom::propagation {

template <int N>
Walk<N>::Walk(const Program& p, const Call& c, size_t output, size_t first, size_t n_lanes, int n_threads)
    : program(p),
      samples(c, first, n_lanes),
      lanes(n_lanes),
      start(p, samples),
      threads(n_threads),
      counts_frequency(c.cuts.max_frequency < 0xffff) {
    slopes.assign(lanes, 0);
    values.assign(lanes, 0), bounds.assign(lanes, 0), squares.assign(lanes, 0);
    for (const Mask& mask : program.broken) broken.emplace_back(Word<N>(mask));
    for (const Mask& mask : program.unbroken) unbroken.emplace_back(Word<N>(mask));
    for (const Term& term : program.observables[output]) add(term);
    all_turned.resize(program.n_words);
    if (!words.empty()) rebuild();
    asks_weights = cuts_weights();
}

template <int N>
void Walk<N>::run(bool recording_) {
    recording = recording_;
    for (size_t s = program.steps.size(); s-- > program.n_leading;) {
        const Step& step = program.steps[s];
        if (!meets(step)) continue;
        if (asks_weights && step.kind != Kind::clifford) throw_out();
        const size_t before = words.size(), stored_before = stored.size(), ended_before = ended.size();
        now = s;
        switch (step.kind) {
            case Kind::rotation:
                turn(step);
                break;
            case Kind::clifford:
                take_quarters(step, step.quarters);
                break;
            case Kind::diagonal:
                multiply(step);
                break;
            case Kind::damping:
                damp(step);
                break;
        }
        if (step.broken != Step::NONE) end(broken[step.broken]);
        if (recording)
            tape.push_back({uint32_t(s), uint32_t(words.size() - before), stored.size() - stored_before,
                            uint32_t(ended.size() - ended_before)});
        check_room();
        if (is_time_to_throw_out()) throw_out();
        n_words = std::max(n_words, words.size());
        if (recording && divided > MOST_DIVIDED) keep_coefficients();
    }
    if (asks_weights) throw_out();
    n_words = std::max(n_words, words.size());
    read();
}

template <int N>
void Walk<N>::run_back(const Call& now_called, const double* cotangents, double* d_inputs, double* d_weights,
                       double* d_factors) {
    samples.call = &now_called;
    frequencies.clear();  // nothing is cut on the way back
    read_back(cotangents, d_inputs, d_weights, d_factors);
    for (; !tape.empty(); tape.pop_back()) {
        const Record record = tape.back();
        if (record.step == THROWN_OUT) {
            bring_back();
            continue;
        }
        if (record.step == KEPT) {
            c.assign(anchors.back().begin(), anchors.back().end());
            anchors.pop_back();
            continue;
        }
        const Step& step = program.steps[record.step];
        switch (step.kind) {
            case Kind::rotation:
                turn_back(step);
                samples.add_slopes(step.angle, slopes.data(), d_inputs, d_weights);
                break;
            case Kind::clifford:
                take_quarters(step, 4 - step.quarters);
                break;
            case Kind::diagonal:
                multiply_back(step, record.stored, d_factors);
                break;
            case Kind::damping:
                damp_back(step, record.stored, d_factors);
                break;
        }
        for (size_t k = 0; k < record.inserted; ++k) take_last();
    }
}

template <int N>
void Walk<N>::end(const Anticommuting<N>& those) {
    found_here.resize(CHUNK + 1);
    for (size_t begin = 0; begin < words.size(); begin += CHUNK) {
        const size_t stop = std::min(words.size(), begin + CHUNK), n = find(those, begin, stop, found_here.data());
        for (size_t a = 0; a < n; ++a) end(found_here[a]);
    }
}

template <int N>
void Walk<N>::add(const Term& term) {
    const Word<N> word(term.word);
    for (const Anticommuting<N>& those : unbroken)
        if (those.has(word)) return;
    uint64_t hash = 0;
    unsigned weight = 0;
    for (unsigned q = 0; q < program.n_qubits; ++q)
        if (const unsigned letter = word.letter(q)) hash ^= hash_of(q, letter), ++weight;
    append(word, hash, weight, 0);
    c.insert(c.end(), lanes, term.coefficient);
    given.push_back(term.coefficient);
}

uint64_t hash_of(unsigned qubit, unsigned letter) {
    constexpr uint64_t X = 0x5851f42d4c957f2d, Z = 0x14057b7ef767814f;
    return (x_of(letter) ? mixed(X + qubit + MIXED_STEP) : 0) ^ (z_of(letter) ? mixed(Z + qubit + MIXED_STEP) : 0);
}

std::unique_ptr<AnyWalk> make_walk(const Program& p, const Call& c, size_t output, size_t first, size_t lanes,
                                   int threads) {
    return of_width(p.n_qubits, [&]<int N>() -> std::unique_ptr<AnyWalk> {
        return std::make_unique<Walk<N>>(p, c, output, first, lanes, threads);
    });
}

template class Walk<1>;
template class Walk<2>;
template class Walk<4>;
template class Walk<16>;

}  // namespace qloom::propagation
