#include "propagation/walk.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "kernels/kernels.hpp"
#include "machine/interrupt.hpp"
#include "machine/memory.hpp"
#include "machine/random.hpp"
#include "machine/threads.hpp"
#include "propagation/letters.hpp"

namespace qloom::propagation {
namespace {

// Words of one piece of work.
constexpr size_t CHUNK = size_t(1) << 14;
// Words whose bits are known together: where none of them meets a step, none is looked at.
constexpr size_t BLOCK = 64;
// So many look-ups are on their way from memory at a time.
constexpr size_t AT_ONCE = 32;
// Cosines and factors below this are not divided by.
constexpr double LEAST_DIVISOR = 1.0 / 16;
// A tape's entry for words that were thrown out.
constexpr uint32_t THROWN_OUT = ~uint32_t(0);
// After a share of the words has been found too small they are thrown out.
constexpr size_t SMALL_SHARE = 8;

template <int N>
struct Word {
    std::array<uint64_t, 2 * N> bits{};
    unsigned letter(unsigned qubit) const {
        return unsigned(bits[qubit / 64] >> qubit % 64 & 1) | unsigned(bits[N + qubit / 64] >> qubit % 64 & 1) << 1;
    }
    void multiply(unsigned qubit, unsigned letter) {
        bits[qubit / 64] ^= uint64_t(x_of(letter)) << qubit % 64;
        bits[N + qubit / 64] ^= uint64_t(z_of(letter)) << qubit % 64;
    }
    bool operator==(const Word& other) const {
        uint64_t apart = 0;
        for (size_t k = 0; k < 2 * N; ++k) apart |= bits[k] ^ other.bits[k];
        return apart == 0;
    }
};

// A rotation's word as walks need it.
template <int N>
struct Turned {
    Word<N> word;
    uint64_t hash = 0;
    std::vector<WordPart> parts;  // a word anticommutes where the bits under these masks are odd in number
    const Letter* letters;
    size_t n_letters;
    size_t pivot_number;  // of two words that are turned into each other one has this bit
    uint64_t pivot;

    Turned(const Letter* l, size_t n) : letters(l), n_letters(n) {
        for (size_t k = 0; k < n; ++k) {
            word.multiply(l[k].qubit, l[k].letter);
            hash ^= hash_of(l[k].qubit, l[k].letter);
        }
        for (size_t k = 0; k < 2 * N; ++k)
            if (word.bits[k]) parts.push_back({uint32_t((k + N) % (2 * N)), word.bits[k]});
        pivot_number = (parts.front().offset + N) % (2 * N);
        pivot = word.bits[pivot_number] & -word.bits[pivot_number];
    }
    // The sign of -i W P beside the Hermitian word.
    double sign(const Word<N>& other) const {
        unsigned quarters = 3;
        for (size_t k = 0; k < n_letters; ++k)
            quarters += quarters_of(other.letter(letters[k].qubit), letters[k].letter);
        return quarters & 2 ? -1 : 1;
    }
    int heavier(const Word<N>& other) const {
        int more = 0;
        for (size_t k = 0; k < n_letters; ++k)
            more += propagation::heavier(other.letter(letters[k].qubit), letters[k].letter);
        return more;
    }
};

struct Record {
    uint32_t step, inserted;
    size_t stored;  // numbers
};

template <int N>
struct ThrownOut {
    std::vector<uint32_t> slots;
    std::vector<Word<N>> words;
    std::vector<uint64_t> hashes;
    std::vector<uint16_t> weights;
    std::vector<double> c;
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
    size_t n_small = 0;
};

template <int N>
class Walk final : public AnyWalk {
public:
    Walk(const Program& p, const Call& c, size_t output, size_t first, size_t n_lanes, int n_threads)
        : program(p),
          call(&c),
          first_sample(first),
          lanes(n_lanes),
          threads(n_threads),
          counts_frequency(c.cuts.max_frequency < 0xffff),
          angles(whole_vectors(n_lanes)),
          cosines(angles.size()),
          sines(angles.size()),
          opposite(angles.size()) {
        values.assign(lanes, 0), bounds.assign(lanes, 0), squares.assign(lanes, 0);
        for (const Term& term : program.observables[output]) add(term);
        all_turned.resize(program.n_words);
        if (!words.empty()) rebuild();
    }

    void run(bool recording_) override {
        recording = recording_;
        for (size_t s = program.steps.size(); s-- > 0;) {
            const Step& step = program.steps[s];
            if (!meets(step)) continue;
            const size_t before = words.size(), stored_before = stored.size();
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
            if (recording)
                tape.push_back({uint32_t(s), uint32_t(words.size() - before), stored.size() - stored_before});
            if (is_time_to_throw_out(step)) throw_out();
        }
        read();
    }

    void run_back(const Call& now_called, const double* cotangents, double* d_inputs, double* d_weights,
                  double* d_factors) override {
        call = &now_called;
        lambda.assign(words.size() * lanes, 0);
        for (size_t i = 0; i < words.size(); ++i)
            for (size_t l = 0; l < lanes && is_diagonal(words[i]); ++l) lambda[i * lanes + l] = cotangents[l];
        slopes.assign(lanes, 0);
        for (; !tape.empty(); tape.pop_back()) {
            const Record record = tape.back();
            if (record.step == THROWN_OUT) {
                bring_back();
                continue;
            }
            const Step& step = program.steps[record.step];
            switch (step.kind) {
                case Kind::rotation:
                    turn_back(step);
                    add_slopes(step.angle, d_inputs, d_weights);
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

    size_t bytes() const override {
        size_t out = words.capacity() * sizeof(Word<N>) + 8 * (hashes.capacity() + c.capacity() + lambda.capacity()) +
                     2 * (weights.capacity() + frequencies.capacity()) + marks.capacity() + index.bytes() +
                     tape.capacity() * sizeof(Record) + 8 * stored.capacity() + thrown_bytes;
        return out;
    }

private:
    // -- words

    void add(const Term& term) {
        Word<N> word;
        std::copy(term.x.begin(), term.x.begin() + N, word.bits.begin());
        std::copy(term.z.begin(), term.z.begin() + N, word.bits.begin() + N);
        uint64_t hash = 0;
        unsigned weight = 0;
        for (unsigned q = 0; q < program.n_qubits; ++q)
            if (const unsigned letter = word.letter(q)) hash ^= hash_of(q, letter), ++weight;
        append(word, hash, weight, 0);
        c.insert(c.end(), lanes, term.coefficient);
    }

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

    bool is_diagonal(const Word<N>& word) const {
        for (int k = 0; k < N; ++k)
            if (word.bits[k]) return false;
        return true;
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

    uint32_t find(uint64_t hash, const Word<N>& word) const {
        return index.find(hash, [&](uint32_t slot) { return words[slot] == word; });
    }

    // Words from begin to end that anticommute with a step's.
    size_t find_turned(const Turned<N>& p, size_t begin, size_t end, uint32_t* found) const {
        const auto meets = [&](size_t block) {
            for (const WordPart& part : p.parts)
                if (seen_in[block / BLOCK].bits[part.offset] & part.mask) return true;
            return false;
        };
        size_t n = 0;
        for (size_t block = begin; block < end;) {
            const size_t first = block;
            while (block < end && meets(block)) block += BLOCK;
            if (block > first)
                n += kernel.find_odd_words(words[0].bits.data(), 2 * N, first, std::min(end, block), p.parts.data(),
                                           p.parts.size(), found + n);
            block += BLOCK;
        }
        return n;
    }

    // -- turns

    size_t whole_vectors(size_t count) const { return (count + kernel.lanes - 1) / kernel.lanes * kernel.lanes; }

    void set_angle(const Angle& angle) {
        const double* row = angle.source == Source::input ? call->inputs + first_sample * call->n_inputs
                                                          : call->weights + first_sample * call->weight_stride;
        const size_t stride = angle.source == Source::input ? call->n_inputs : call->weight_stride;
        const bool shared = angle.source == Source::number || !stride;
        for (size_t l = 0; l < (shared ? 1 : lanes); ++l)
            angles[l] =
                2 * half_of(angle, angle.source == Source::number ? 0.0 : row[l * stride + size_t(angle.index)]);
        kernel.cos_sin(angles.data(), shared ? 1 : angles.size() / kernel.lanes, cosines.data(), sines.data());
        if (shared) std::fill(cosines.begin() + 1, cosines.end(), cosines[0]);
        if (shared) std::fill(sines.begin() + 1, sines.end(), sines[0]);
        any_close_to_quarter = false;
        for (size_t l = 0; l < lanes; ++l) {
            opposite[l] = -sines[l];
            any_close_to_quarter = any_close_to_quarter || std::abs(cosines[l]) < LEAST_DIVISOR;
        }
    }

    // pair(part, i, j, sign) for words that are turned into each other, single(part, i, sign) for one without partner.
    template <class P, class S>
    size_t over_pairs(const Turned<N>& p, P pair, S single) {
        need_index();
        const size_t size = words.size(), n_parts = (size + CHUNK - 1) / CHUNK;
        if (parts.size() < n_parts) parts.resize(n_parts);
        over_parts(n_parts, [&](size_t k) {
            Part& part = parts[k];
            const size_t begin = k * CHUNK, end = std::min(size, begin + CHUNK);
            Watch::check(end - begin);
            part.made.clear(), part.c.clear(), part.second.clear(), part.n_small = 0;
            part.bounds.assign(lanes, 0), part.squares.assign(lanes, 0), part.slopes.assign(lanes, 0);
            part.found.resize(end - begin + 1);
            size_t n_first = 0;
            const size_t n = find_turned(p, begin, end, part.found.data());
            for (size_t a = 0; a < n; ++a) {
                const uint32_t i = part.found[a];
                if (words[i].bits[p.pivot_number] & p.pivot)
                    part.second.push_back(i);
                else
                    part.found[n_first++] = i;
            }
            for (size_t a = 0; a < n_first; a += AT_ONCE)
                look_up(p, part, part.found.data() + a, std::min(AT_ONCE, n_first - a), pair, single);
        });
        over_parts(n_parts, [&](size_t k) {
            for (uint32_t i : parts[k].second) {
                if (!marks[i]) single(parts[k], i, p.sign(words[i]));
                marks[i] = 0;
            }
        });
        return n_parts;
    }

    template <class P, class S>
    void look_up(const Turned<N>& p, Part& part, const uint32_t* which, size_t count, P pair, S single) {
        uint32_t guesses[AT_ONCE];
        for (size_t a = 0; a < count; ++a) index.prefetch(hashes[which[a]] ^ p.hash);
        for (size_t a = 0; a < count; ++a) {
            guesses[a] = index.guess(hashes[which[a]] ^ p.hash);
            if (guesses[a] == Index::NONE) continue;
            __builtin_prefetch(&words[guesses[a]]);
            __builtin_prefetch(&c[guesses[a] * lanes], 1);
            __builtin_prefetch(&marks[guesses[a]], 1);
        }
        for (size_t a = 0; a < count; ++a) {
            const uint32_t i = which[a];
            uint32_t j = guesses[a];
            if (j != Index::NONE) {
                Word<N> partner = words[i];
                for (size_t k = 0; k < 2 * N; ++k) partner.bits[k] ^= p.word.bits[k];
                if (!(words[j] == partner)) j = find(hashes[i] ^ p.hash, partner);
            }
            const double sign = p.sign(words[i]);
            if (j == Index::NONE) {
                single(part, i, sign);
            } else {
                marks[j] = 1;
                pair(part, i, j, sign);
            }
        }
    }

    template <class F>
    void over_parts(size_t n, F work) {
        if (n > 1 && threads > 1)
            parallel_for(n, threads, work);
        else
            for (size_t k = 0; k < n; ++k) work(k);
    }

    void turn(const Step& step) {
        set_angle(step.angle);
        const Turned<N>& p = turned(step);
        const size_t n_parts = over_pairs(
            p,
            [&](Part& part, uint32_t i, uint32_t j, double sign) {
                double *a = &c[i * lanes], *b = &c[j * lanes];
                const double* signed_sines = sign > 0 ? sines.data() : opposite.data();
                if (lanes == 1) {
                    const double x = *a, y = *b;
                    *a = cosines[0] * x - *signed_sines * y, *b = cosines[0] * y + *signed_sines * x;
                } else {
                    kernel.turn_pair(a, b, cosines.data(), signed_sines, lanes);
                }
                part.n_small += is_small(a) + is_small(b);
                if (counts_frequency) {
                    const unsigned both = std::min(frequencies[i], frequencies[j]) + 1u;
                    frequencies[i] = frequencies[j] = uint16_t(std::min(both, 0xffffu));
                }
            },
            [&](Part& part, uint32_t i, double sign) { turn_alone(p, part, i, sign); });
        for (size_t k = 0; k < n_parts; ++k) {
            for (size_t m = 0; m < parts[k].made.size(); ++m) bring(p, parts[k].made[m], &parts[k].c[m * lanes]);
            take_sums(parts[k]);
        }
        check_room();
    }

    void turn_alone(const Turned<N>& p, Part& part, uint32_t i, double sign) {
        double* a = &c[i * lanes];
        const unsigned frequency = counts_frequency ? frequencies[i] + 1u : 0;
        bool comes = any_close_to_quarter;
        if (!comes && weights[i] + p.heavier(words[i]) <= int64_t(call->cuts.max_weight) &&
            frequency <= call->cuts.max_frequency)
            for (size_t l = 0; l < lanes; ++l) comes = comes || std::abs(sines[l] * a[l]) > call->cuts.min_coefficient;
        if (comes) part.made.push_back({i, sign});
        for (size_t l = 0; l < lanes; ++l) {
            const double other = sign * sines[l] * a[l];
            if (comes) {
                part.c.push_back(other);
            } else {
                part.bounds[l] += std::abs(other);
                part.squares[l] += other * other;
            }
            a[l] *= cosines[l];
        }
        part.n_small += is_small(a);
        if (counts_frequency) frequencies[i] = uint16_t(std::min(frequency, 0xffffu));
    }

    void bring(const Turned<N>& p, const New& made, const double* coefficients) {
        Word<N> word = words[made.from];
        for (size_t k = 0; k < 2 * N; ++k) word.bits[k] ^= p.word.bits[k];
        const int weight = weights[made.from] + p.heavier(words[made.from]);
        append(word, hashes[made.from] ^ p.hash, unsigned(weight), counts_frequency ? frequencies[made.from] : 0);
        c.insert(c.end(), coefficients, coefficients + lanes);
        insert(uint32_t(words.size() - 1));
    }

    void take_sums(const Part& part) {
        n_small += part.n_small;
        for (size_t l = 0; l < lanes; ++l) bounds[l] += part.bounds[l], squares[l] += part.squares[l];
    }

    bool is_small(const double* coefficients) const {
        for (size_t l = 0; l < lanes; ++l)
            if (std::abs(coefficients[l]) > call->cuts.min_coefficient) return false;
        return true;
    }

    void turn_back(const Step& step) {
        set_angle(step.angle);
        const size_t n_parts = over_pairs(
            turned(step),
            [&](Part& part, uint32_t i, uint32_t j, double sign) {
                kernel.turn_pair_back(&c[i * lanes], &c[j * lanes], &lambda[i * lanes], &lambda[j * lanes],
                                      cosines.data(), sign > 0 ? sines.data() : opposite.data(), sign,
                                      part.slopes.data(), lanes);
            },
            [&](Part& part, uint32_t i, double) {
                double *a = &c[i * lanes], *u = &lambda[i * lanes];
                for (size_t l = 0; l < lanes; ++l) {
                    a[l] /= cosines[l];
                    part.slopes[l] -= sines[l] * a[l] * u[l];
                    u[l] *= cosines[l];
                }
            });
        std::fill(slopes.begin(), slopes.end(), 0.0);
        for (size_t k = 0; k < n_parts; ++k)
            for (size_t l = 0; l < lanes; ++l) slopes[l] += parts[k].slopes[l];
    }

    void add_slopes(const Angle& angle, double* d_inputs, double* d_weights) const {
        const bool input = angle.source == Source::input;
        double* to = input ? d_inputs : d_weights;
        if (angle.source == Source::number || !to) return;
        const size_t stride = input ? call->n_inputs : call->weight_stride;
        for (size_t l = 0; l < lanes; ++l) to[l * stride + size_t(angle.index)] += angle.scale * slopes[l];
    }

    // -- Clifford gates

    void take_quarters(const Step& step, unsigned quarters) {
        const Turned<N>& p = turned(step);
        const bool back = !lambda.empty();
        std::vector<uint32_t>& found = found_all;
        found.resize(words.size() + 1);
        if (!is_seen) see_all();
        Watch::check(words.size());
        const size_t n = find_turned(p, 0, words.size(), found.data());
        for (size_t a = 0; a < n; ++a) {
            const uint32_t i = found[a];
            double sign = -1;
            if (quarters != 2) {
                sign = (quarters == 1 ? 1 : -1) * p.sign(words[i]);
                weights[i] = uint16_t(weights[i] + p.heavier(words[i]));
                for (size_t k = 0; k < 2 * N; ++k) words[i].bits[k] ^= p.word.bits[k];
                hashes[i] ^= p.hash;
                see(i);
            }
            if (sign > 0) continue;
            for (size_t l = 0; l < lanes; ++l) c[i * lanes + l] = -c[i * lanes + l];
            for (size_t l = 0; back && l < lanes; ++l) lambda[i * lanes + l] = -lambda[i * lanes + l];
        }
        if (n && quarters != 2) is_indexed = false;
    }

    // -- channels

    // What a word's letters on the step's qubits choose.
    size_t chosen(const Step& step, const Word<N>& word) const {
        const Letter* letters = letters_of(step);
        size_t out = 0;
        for (size_t k = 0; k < step.n_letters; ++k) out = out << 2 | word.letter(letters[k].qubit);
        return out;
    }
    const double* factors_of(const Step& step) const {
        return call->factors + first_sample * call->factor_stride + step.factors;
    }
    bool has_small_factors(const Step& step) const {
        const double* factors = factors_of(step);
        for (size_t l = 0; l < lanes; ++l)
            for (size_t k = 0; k < size_t(1) << 2 * step.n_letters; ++k)
                if (std::abs(factors[l * call->factor_stride + k]) < LEAST_DIVISOR) return true;
        return false;
    }

    // A word's coefficients times the factors that its letters choose.
    void scale(const Step& step, size_t i, size_t letters, bool storing) {
        const double* factors = factors_of(step) + letters;
        double* a = &c[i * lanes];
        if (storing) stored.insert(stored.end(), a, a + lanes);
        for (size_t l = 0; l < lanes; ++l) a[l] *= factors[l * call->factor_stride];
        n_small += is_small(a);
    }
    // Undone, and slopes by factors; `before` is what was stored, or null.
    void unscale(const Step& step, size_t i, size_t letters, const double* before, double* d_factors) {
        const double* factors = factors_of(step) + letters;
        double *a = &c[i * lanes], *u = &lambda[i * lanes];
        for (size_t l = 0; l < lanes; ++l) {
            const double factor = factors[l * call->factor_stride];
            a[l] = before ? before[l] : a[l] / factor;
            if (d_factors) d_factors[l * call->factor_stride + step.factors + letters] += u[l] * a[l];
            u[l] *= factor;
        }
    }

    void multiply(const Step& step) {
        const bool storing = recording && has_small_factors(step);
        Watch::check(words.size());
        for (size_t i = 0; i < words.size(); ++i)
            if (const size_t letters = chosen(step, words[i])) scale(step, i, letters, storing);
    }

    void multiply_back(const Step& step, size_t n_stored, double* d_factors) {
        const double* before = n_stored ? stored.data() + stored.size() - n_stored : nullptr;
        Watch::check(words.size());
        for (size_t i = 0; i < words.size(); ++i)
            if (const size_t letters = chosen(step, words[i])) {
                unscale(step, i, letters, before, d_factors);
                if (before) before += lanes;
            }
        stored.resize(stored.size() - n_stored);
    }

    static constexpr size_t OF_Z = 2, TO_I = 4;  // among a damping step's factors

    void damp(const Step& step) {
        need_index();
        const bool storing = recording && has_small_factors(step);
        const Letter z{letters_of(step)->qubit, uint8_t(OF_Z)};
        const Turned<N> p(&z, 1);
        const double* to_i = factors_of(step) + TO_I;
        const size_t size = words.size();
        Watch::check(size);
        for (size_t i = 0; i < size; ++i) {
            const unsigned letter = words[i].letter(z.qubit);
            if (!letter) continue;
            if (letter == OF_Z) add_to_identity(p, i, to_i);
            scale(step, i, letter, storing);
        }
        check_room();
    }

    void add_to_identity(const Turned<N>& p, size_t i, const double* to_i) {
        const uint32_t j = partner_of(p, i);
        if (j != Index::NONE) {
            for (size_t l = 0; l < lanes; ++l) c[j * lanes + l] += to_i[l * call->factor_stride] * c[i * lanes + l];
            return;
        }
        bool comes = false;
        std::vector<double>& added = room;
        added.resize(lanes);
        for (size_t l = 0; l < lanes; ++l) {
            added[l] = to_i[l * call->factor_stride] * c[i * lanes + l];
            comes = comes || std::abs(added[l]) > call->cuts.min_coefficient;
        }
        if (comes) return bring(p, {uint32_t(i), 1}, added.data());
        for (size_t l = 0; l < lanes; ++l) bounds[l] += std::abs(added[l]), squares[l] += added[l] * added[l];
    }

    uint32_t partner_of(const Turned<N>& p, size_t i) const {
        Word<N> partner = words[i];
        for (size_t k = 0; k < 2 * N; ++k) partner.bits[k] ^= p.word.bits[k];
        return find(hashes[i] ^ p.hash, partner);
    }

    void damp_back(const Step& step, size_t n_stored, double* d_factors) {
        need_index();
        const double* before = n_stored ? stored.data() + stored.size() - n_stored : nullptr;
        const Letter z{letters_of(step)->qubit, uint8_t(OF_Z)};
        const Turned<N> p(&z, 1);
        const double* to_i = factors_of(step) + TO_I;
        Watch::check(words.size());
        for (size_t i = 0; i < words.size(); ++i) {
            const unsigned letter = words[i].letter(z.qubit);
            if (!letter) continue;
            unscale(step, i, letter, before, d_factors);
            if (before) before += lanes;
            if (letter != OF_Z) continue;
            const uint32_t j = partner_of(p, i);
            if (j == Index::NONE) continue;
            for (size_t l = 0; l < lanes; ++l) {
                const double factor = to_i[l * call->factor_stride], z_before = c[i * lanes + l];
                c[j * lanes + l] -= factor * z_before;
                lambda[i * lanes + l] += factor * lambda[j * lanes + l];
                if (d_factors)
                    d_factors[l * call->factor_stride + step.factors + TO_I] += lambda[j * lanes + l] * z_before;
            }
        }
        stored.resize(stored.size() - n_stored);
    }

    // -- what is thrown out

    bool is_time_to_throw_out(const Step& step) {
        if (words.size() > call->cuts.max_words + call->cuts.max_words / 4) return true;
        const bool too_heavy =
            call->cuts.max_weight < program.n_qubits && ((step.kind == Kind::clifford && !next_is_clifford()) ||
                                                         (step.kind == Kind::rotation && any_close_to_quarter));
        return too_heavy || n_small * SMALL_SHARE > words.size();
    }
    bool next_is_clifford() const { return now && program.steps[now - 1].kind == Kind::clifford; }

    double largest(size_t i) const {
        double out = 0;
        for (size_t l = 0; l < lanes; ++l) out = std::max(out, std::abs(c[i * lanes + l]));
        return out;
    }

    void throw_out() {
        n_small = 0;
        double least = call->cuts.min_coefficient;
        if (words.size() > call->cuts.max_words) {
            std::vector<double> sizes(words.size());
            for (size_t i = 0; i < words.size(); ++i) sizes[i] = largest(i);
            std::nth_element(sizes.begin(), sizes.begin() + long(call->cuts.max_words), sizes.end(), std::greater<>());
            least = std::max(least, sizes[call->cuts.max_words]);
        }
        ThrownOut<N> gone;
        size_t kept = 0;
        for (size_t i = 0; i < words.size(); ++i) {
            const bool stays = largest(i) > least && weights[i] <= call->cuts.max_weight &&
                               (!counts_frequency || frequencies[i] <= call->cuts.max_frequency);
            if (!stays) {
                drop(gone, i);
                continue;
            }
            if (kept != i) move(i, kept);
            ++kept;
        }
        if (kept == words.size()) return;
        words.resize(kept), hashes.resize(kept), weights.resize(kept), marks.resize(kept), c.resize(kept * lanes);
        if (counts_frequency) frequencies.resize(kept);
        is_indexed = is_seen = false;
        if (!recording) return;
        tape.push_back({THROWN_OUT, 0, 0});
        thrown_bytes += gone.slots.size() * (sizeof(Word<N>) + 14 + 8 * lanes);
        thrown.push_back(std::move(gone));
    }

    void drop(ThrownOut<N>& gone, size_t i) {
        for (size_t l = 0; l < lanes; ++l) {
            const double a = c[i * lanes + l];
            bounds[l] += std::abs(a), squares[l] += a * a;
        }
        if (!recording) return;
        gone.slots.push_back(uint32_t(i)), gone.words.push_back(words[i]), gone.hashes.push_back(hashes[i]);
        gone.weights.push_back(weights[i]);
        gone.c.insert(gone.c.end(), &c[i * lanes], &c[i * lanes] + lanes);
    }

    void move(size_t from, size_t to) {
        words[to] = words[from], hashes[to] = hashes[from], weights[to] = weights[from];
        if (counts_frequency) frequencies[to] = frequencies[from];
        std::copy_n(&c[from * lanes], lanes, &c[to * lanes]);
        if (!lambda.empty()) std::copy_n(&lambda[from * lanes], lanes, &lambda[to * lanes]);
    }

    void bring_back() {
        const ThrownOut<N> gone = std::move(thrown.back());
        thrown.pop_back();
        size_t from = words.size(), to = from + gone.slots.size();
        words.resize(to), hashes.resize(to), weights.resize(to), marks.assign(to, 0);
        c.resize(to * lanes), lambda.resize(to * lanes);
        for (size_t k = gone.slots.size(); to-- > 0;) {
            if (!k) break;
            if (gone.slots[k - 1] != to) {
                move(--from, to);
                continue;
            }
            --k;
            words[to] = gone.words[k], hashes[to] = gone.hashes[k], weights[to] = gone.weights[k];
            std::copy_n(&gone.c[k * lanes], lanes, &c[to * lanes]);
            std::fill_n(&lambda[to * lanes], lanes, 0.0);
        }
        is_indexed = is_seen = false;
    }

    void check_room() const {
        if (bytes() <= call->cuts.max_bytes) return;
        throw Exploded{now, words.size(), *std::max_element(bounds.begin(), bounds.end())};
    }

    void read() {
        n_words = words.size();
        for (size_t i = 0; i < words.size(); ++i)
            for (size_t l = 0; l < lanes && is_diagonal(words[i]); ++l) values[l] += c[i * lanes + l];
    }

    const Program& program;
    const Call* call;
    const Kernels<double>& kernel = kernels<double>();
    const size_t first_sample, lanes;
    const int threads;
    const bool counts_frequency;

    std::vector<Word<N>, Paged<Word<N>>> words;
    std::vector<uint64_t, Paged<uint64_t>> hashes;
    std::vector<double, Paged<double>> c, lambda;  // a row of lanes a word
    std::vector<uint16_t> weights, frequencies;
    std::vector<uint8_t, Paged<uint8_t>> marks;  // words that were turned with their partner
    Index index;
    bool is_indexed = false, is_seen = false, recording = false, any_close_to_quarter = false;
    Word<N> seen;  // bits that some word has had, and some word of a block
    std::vector<Word<N>> seen_in;
    size_t now = 0, n_small = 0, thrown_bytes = 0;

    std::vector<Record> tape;
    std::vector<double> stored;
    std::vector<ThrownOut<N>> thrown;

    std::vector<double, Paged<double>> angles, cosines, sines, opposite;  // of a turn, whole vectors of lanes
    std::vector<double> slopes, room;
    std::vector<Part> parts;
    std::vector<uint32_t> found_all;
    std::vector<std::unique_ptr<Turned<N>>> all_turned;  // of every word of a step
};

}  // namespace

uint64_t hash_of(unsigned qubit, unsigned letter) {
    constexpr uint64_t X = 0x5851f42d4c957f2d, Z = 0x14057b7ef767814f;
    const auto mixed = [](uint64_t k) {  // splitmix64
        k += 0x9e3779b97f4a7c15;
        k = (k ^ k >> 30) * 0xbf58476d1ce4e5b9;
        k = (k ^ k >> 27) * 0x94d049bb133111eb;
        return k ^ k >> 31;
    };
    return (x_of(letter) ? mixed(X + qubit) : 0) ^ (z_of(letter) ? mixed(Z + qubit) : 0);
}

std::unique_ptr<AnyWalk> make_walk(const Program& p, const Call& c, size_t output, size_t first, size_t lanes,
                                   int threads) {
    if (p.n_qubits <= 64) return std::make_unique<Walk<1>>(p, c, output, first, lanes, threads);
    if (p.n_qubits <= 128) return std::make_unique<Walk<2>>(p, c, output, first, lanes, threads);
    if (p.n_qubits <= 256) return std::make_unique<Walk<4>>(p, c, output, first, lanes, threads);
    return std::make_unique<Walk<16>>(p, c, output, first, lanes, threads);
}

}  // namespace qloom::propagation
