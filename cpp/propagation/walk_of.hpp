// A walk whose words have 2 N numbers. What it does at turns, at channels and where words are thrown out each has a
// file.
#pragma once
#include <algorithm>
#include <cmath>
#include <memory>

#include "machine/interrupt.hpp"
#include "machine/memory.hpp"
#include "machine/threads.hpp"
#include "propagation/recording.hpp"
#include "propagation/start.hpp"
#include "propagation/walk.hpp"
#include "propagation/words.hpp"

namespace qloom::propagation {

// Words of one piece of work.
constexpr size_t CHUNK = size_t(1) << 14;
// Words whose bits are known together: where none of them meets a step, none is looked at.
constexpr size_t BLOCK = 64;
// Cosines and factors below this are not divided by.
constexpr double LEAST_DIVISOR = 1.0 / 16;
// Divisors of the way back, step by step: when together they pass this, coefficients are kept to begin anew from.
constexpr double MOST_DIVIDED = 1024;
// A tape's entries for words that were thrown out, and for coefficients that were kept.
constexpr uint32_t THROWN_OUT = ~uint32_t(0), KEPT = THROWN_OUT - 1;
// The weight of a word whose value is 0 from here on.
constexpr uint16_t ENDED = 0xffff;

// What a step did to the number of words.
struct Record {
    uint32_t step, inserted;
    size_t stored;   // numbers
    uint32_t ended;  // words
};

template <int N>
struct ThrownOut {
    std::vector<uint32_t> slots;
    std::vector<Word<N>> words;
    std::vector<uint64_t> hashes;
    std::vector<uint16_t> weights;
    std::vector<double> c;
};

// Where a word's coefficient is in a recording, and whether it has the other sign there.
struct Name {
    uint32_t slot;
    bool minus;
};

struct New {
    uint32_t from;
    double sign;
};

// Of a chunk.
struct Part {
    std::vector<uint32_t> found, second;
    std::vector<New> made;
    std::vector<double> c, bounds, squares, slopes;  // c of the words that are made
    std::vector<uint32_t> operands[Moment::KINDS - 1];
    size_t n_small = 0;
    bool is_alone = false;  // a word's partner was not let in
};

template <int N>
class Walk final : public AnyWalk {
public:
    Walk(const Program& p, const Call& c, size_t output, size_t first, size_t n_lanes, int n_threads);

    void run(bool recording_) override;

    void run_back(const Call& now_called, const double* cotangents, double* d_inputs, double* d_weights,
                  double* d_factors) override;

    // Writes down what was walked, which is used up; only after run(true).
    void record(Recording& to);

    size_t bytes() const override {
        // Slopes by coefficients come on the way back: they are as many.
        size_t out = words.capacity() * sizeof(Word<N>) + 8 * (hashes.capacity() + c.capacity() * (recording ? 2 : 1)) +
                     2 * (weights.capacity() + frequencies.capacity()) + marks.capacity() + index.bytes() +
                     tape.capacity() * sizeof(Record) + 4 * ended.capacity() + 8 * stored.capacity() + kept_bytes +
                     seen_in.capacity() * sizeof(Word<N>);
        for (const Part& part : parts)
            out += 4 * (part.found.capacity() + part.second.capacity()) + sizeof(New) * part.made.capacity() +
                   8 * part.c.capacity();
        return out;
    }

private:
    // -- words

    void add(const Term& term);

    // Bits of a word that is at this place now.
    void see(size_t i) {
        if (i / BLOCK >= seen_in.size()) seen_in.resize(i / BLOCK + 1);
        Word<N>& block = seen_in[i / BLOCK];
        for (size_t k = 0; k < 2 * N; ++k) block.bits[k] |= words[i].bits[k], seen.bits[k] |= words[i].bits[k];
    }

    void see_all() {
        is_seen = true;
        seen = {};
        std::fill(seen_in.begin(), seen_in.end(), Word<N>{});
        for (size_t i = 0; i < words.size(); ++i) see(i);
    }

    void append(const Word<N>& word, uint64_t hash, unsigned weight, unsigned frequency) {
        words.push_back(word), hashes.push_back(hash), weights.push_back(uint16_t(weight)), marks.push_back(0);
        if (counts_frequency) frequencies.push_back(uint16_t(std::min(frequency, 0xffffu)));
        see(words.size() - 1);
    }

    void insert(uint32_t slot) {
        if (index.is_full()) return rebuild();  // with this one in it
        index.insert(hashes[slot], slot);
    }

    // Slots in order, so that the last can be taken out again.
    void rebuild() {
        is_indexed = true;
        index.clear(words.size() + words.size() / 2);
        for (size_t i = 0; i < words.size(); ++i) index.insert(hashes[i], uint32_t(i));
        see_all();
    }
    void need_index() {
        if (!is_indexed) rebuild();
    }

    void take_last() {
        const size_t last = words.size() - 1;
        if (is_indexed) index.remove_last(hashes[last], uint32_t(last));
        words.pop_back(), hashes.pop_back(), weights.pop_back(), marks.pop_back();
        c.resize(last * lanes), lambda.resize(last * lanes);
    }

    // Whether some word may have letters where the step has.
    bool meets(const Step& step) const {
        for (size_t k = 0; k < step.n_letters; ++k)
            if (seen.letter(program.letters[step.first_letter + k].qubit)) return true;
        return false;
    }

    const Letter* letters_of(const Step& step) const { return &program.letters[step.first_letter]; }

    // The step's word, made once for the way there and back.
    const Turned<N>& turned(const Step& step) {
        std::unique_ptr<Turned<N>>& made = all_turned[step.word];
        if (!made) made = std::make_unique<Turned<N>>(letters_of(step), step.n_letters);
        return *made;
    }

    uint32_t partner_of(const Turned<N>& p, size_t i) const {
        const Word<N> partner = words[i] * p.word;
        return index.find(hashes[i] ^ p.hash, [&](uint32_t slot) { return words[slot] == partner; });
    }

    // Words from begin to stop that anticommute.
    size_t find(const Anticommuting<N>& those, size_t begin, size_t stop, uint32_t* found) const;

    // Words of value 0 are thrown out with the small ones, and add nothing to bounds.
    void end(size_t i) {
        if (weights[i] == ENDED) return;
        weights[i] = ENDED, ++n_small;
        if (recording) ended.push_back(uint32_t(i));
    }
    void end(const Anticommuting<N>& those);
    // Of words that a step brings from one that stays, whether they have value 0.
    bool brings_nothing(size_t i) const {
        const size_t which = program.steps[now].broken;
        return weights[i] == ENDED || (which != Step::NONE && !broken[which].has(words[i]));
    }

    // -- turns

    bool any_close_to_quarter() const { return samples.least_cosine < LEAST_DIVISOR; }

    // pair(part, i, j, sign) for words that are turned into each other, single(part, i, sign) for one without partner.
    template <class P, class S>
    size_t over_pairs(const Turned<N>& p, P pair, S single);

    template <class P, class S>
    void look_up(const Turned<N>& p, Part& part, const uint32_t* which, size_t count, P pair, S single);

    template <class F>
    void over_parts(size_t n, F work) {
        if (n > 1 && threads > 1)
            parallel_for(n, threads, work);
        else
            for (size_t k = 0; k < n; ++k) work(k);
    }

    void turn(const Step& step);

    void turn_alone(const Turned<N>& p, Part& part, uint32_t i, double sign);

    void bring(const Turned<N>& p, const New& made, const double* coefficients);

    void take_sums(const Part& part) {
        n_small += part.n_small;
        for (size_t l = 0; l < lanes; ++l) bounds[l] += part.bounds[l], squares[l] += part.squares[l];
    }

    // No coefficient is cut: words with coefficient 0 stay too where slopes are wanted, which need not be 0.
    bool keeps_all() const { return recording && samples.call->cuts.min_coefficient == 0; }
    bool is_small(const double* coefficients) const {
        if (keeps_all()) return false;
        for (size_t l = 0; l < lanes; ++l)
            if (std::abs(coefficients[l]) > samples.call->cuts.min_coefficient) return false;
        return true;
    }

    // Of some sample, what the turn gives to a partner.
    bool brings_more_than_cut(const double* a) const {
        for (size_t l = 0; l < lanes; ++l)
            if (std::abs(samples.sines[l] * a[l]) > samples.call->cuts.min_coefficient) return true;
        return false;
    }

    void turn_back(const Step& step);

    // -- Clifford gates

    void take_quarters(const Step& step, unsigned quarters);
    void take_quarters_of(const Turned<N>& p, uint32_t i, unsigned quarters);

    // -- channels

    // What a word's letters on the step's qubits choose.
    size_t chosen(const Step& step, const Word<N>& word) const {
        const Letter* letters = letters_of(step);
        size_t out = 0;
        for (size_t k = 0; k < step.n_letters; ++k) out = out << 2 | word.letter(letters[k].qubit);
        return out;
    }
    // Of all samples and letters, without sign.
    double least_factor(const Step& step) const;
    // Whether what words were before a channel is stored, since factors are too small to be divided by.
    bool stores(const Step& step);

    // A word's coefficients times the factors that its letters choose.
    void scale(const Step& step, size_t i, size_t letters, bool storing);
    // Undone, and slopes by factors; `before` is what was stored, or null.
    void unscale(const Step& step, size_t i, size_t letters, const double* before, double* d_factors);

    void multiply(const Step& step) {
        const bool storing = stores(step);
        Watch::check(words.size());
        for (size_t i = 0; i < words.size(); ++i)
            if (const size_t letters = chosen(step, words[i])) scale(step, i, letters, storing);
    }

    void multiply_back(const Step& step, size_t n_stored, double* d_factors);

    bool ends(const Step& step, size_t letters) const;

    void damp(const Step& step);

    void add_to_identity(const Turned<N>& p, size_t i, const double* to_i);

    void damp_back(const Step& step, size_t n_stored, double* d_factors);

    // -- what is thrown out

    bool is_time_to_throw_out() const;
    // The largest of its coefficients; words of value 0 are smaller than any.
    double size_of(size_t i) const {
        double out = weights[i] == ENDED ? -1 : 0;
        for (size_t l = 0; l < lanes && weights[i] != ENDED; ++l) out = std::max(out, std::abs(c[i * lanes + l]));
        return out;
    }

    void throw_out();

    // Small divisors multiply: what is found again from coefficients that were large loses as many digits.
    void keep_coefficients() {
        divided = 1;
        anchors.emplace_back(c.begin(), c.end());
        kept_bytes += 8 * c.size();
        tape.push_back({KEPT, 0, 0, 0});
    }
    bool cuts_weights() const { return samples.call->cuts.max_weight < program.n_qubits; }

    void drop(ThrownOut<N>& gone, size_t i);

    void move(size_t from, size_t to) {
        words[to] = words[from], hashes[to] = hashes[from], weights[to] = weights[from];
        if (!frequencies.empty()) frequencies[to] = frequencies[from];
        std::copy_n(&c[from * lanes], lanes, &c[to * lanes]);
        if (!lambda.empty()) std::copy_n(&lambda[from * lanes], lanes, &lambda[to * lanes]);
        if (written) names[to] = names[from];
    }

    void bring_back();

    void check_room() const {
        if (bytes() <= samples.call->cuts.max_bytes) return;
        throw Exploded{now, words.size(), *std::max_element(bounds.begin(), bounds.end())};
    }

    // -- the start

    // Whether no letter of a word is absent.
    bool is_measured(const Word<N>& word) const;
    const std::vector<Letter>& letters_at(size_t i);
    void read();
    void read_back(const double* cotangents, double* d_inputs, double* d_weights, double* d_factors);

    // -- recordings

    void name(size_t i);
    void record_end();
    void record_turn(const Step& step, size_t first_new);
    void record_channel(const Step& step, size_t first_new);
    void record_thrown_out();
    void gather(const Step& step, size_t n_parts);
    void take_back_ended(size_t count);

    const Program& program;
    const Kernels<double>& kernel = kernels<double>();
    Samples samples;
    const size_t lanes;
    Start start;
    const int threads;
    const bool counts_frequency;

    std::vector<Word<N>, Paged<Word<N>>> words;
    std::vector<uint64_t, Paged<uint64_t>> hashes;
    std::vector<double, Paged<double>> c, lambda;  // a row of lanes a word
    std::vector<uint16_t> weights, frequencies;
    std::vector<uint8_t, Paged<uint8_t>> marks;  // words that were turned with their partner
    Index index;
    bool is_indexed = false, is_seen = false, recording = false;
    Word<N> seen;  // bits that some word has had, and some word of a block
    std::vector<Word<N>> seen_in;
    size_t now = 0, n_small = 0, kept_bytes = 0;
    bool asks_weights = false;  // words may have become heavier than the cut
    double divided = 1;         // by what the way back has to divide since coefficients were kept

    std::vector<Record> tape;
    std::vector<uint32_t> ended;
    std::vector<double> stored;
    std::vector<ThrownOut<N>> thrown;
    std::vector<std::vector<double>> anchors;  // coefficients that were kept

    std::vector<double> slopes, room;
    std::vector<Letter> letters_here;

    std::vector<double> given;  // coefficients of the observable
    Recording* written = nullptr;
    std::vector<Name> names;
    uint32_t n_slots = 0;
    std::vector<uint32_t> free_slots, backwards;

    std::vector<Part> parts;
    std::vector<uint32_t> found_here;
    std::vector<std::unique_ptr<Turned<N>>> all_turned;  // of every word of a step
    std::vector<Anticommuting<N>> broken, unbroken;      // the program's symmetries
};

}  // namespace qloom::propagation
