// A recording at other angles: the same interface as a walk, without words.
#include <algorithm>
#include <cmath>

#include "machine/interrupt.hpp"
#include "propagation/recording.hpp"
#include "propagation/start.hpp"

namespace qloom::propagation {
namespace {

// What a walk back needs again is stored as steps overwrite it.
class Replay final : public AnyWalk {
public:
    Replay(const Program& p, const Recording& r, const Call& c, size_t first, size_t n_lanes)
        : program(p), recording(r), samples(c, first, n_lanes), lanes(n_lanes), start(p, samples) {
        values.assign(lanes, 0), bounds.assign(lanes, 0), squares.assign(lanes, 0);
        n_words = r.n_slots;
        // Whole vectors a row.
        row = samples.cosines.size();
        slopes.assign(row, 0);
        if (2 * 8 * row * r.n_slots > c.cuts.max_bytes) throw Exploded{p.steps.size(), r.n_slots, 0};
    }

    void run(bool storing_) override;
    void run_back(const Call& called, const double* cotangents, double* d_inputs, double* d_weights,
                  double* d_factors) override;
    size_t bytes() const override { return 8 * (c.capacity() + lambda.capacity() + stored.capacity()); }

private:
    double* at(uint32_t slot) { return &c[(slot & ~Moment::MARK) * row]; }
    double* slope_at(uint32_t slot) { return &lambda[(slot & ~Moment::MARK) * row]; }
    const double* signed_sines(uint32_t slot) const {
        return slot & Moment::MARK ? samples.opposite.data() : samples.sines.data();
    }

    void store(uint32_t slot) {
        if (storing) stored.insert(stored.end(), at(slot), at(slot) + lanes);
    }
    void take_stored(uint32_t slot) {
        std::copy_n(stored.end() - long(lanes), lanes, at(slot));
        stored.resize(stored.size() - lanes);
    }

    // Of what is dropped, a lane each.
    template <class F>
    void drop(F coefficient) {
        for (size_t l = 0; l < lanes; ++l) {
            const double a = coefficient(l);
            bounds[l] += std::abs(a), squares[l] += a * a;
        }
    }

    void turn(const Moment& m, const uint32_t* o);
    void turn_back(const Moment& m, const uint32_t* end);
    void multiply(const Moment& m, const uint32_t* o);
    void multiply_back(const Moment& m, const uint32_t* end, double* d_factors);
    void throw_out(const Moment& m, const uint32_t* o);

    const Program& program;
    const Recording& recording;
    const Kernels<double>& kernel = kernels<double>();
    Samples samples;
    const size_t lanes;
    size_t row;
    Start start;
    bool storing = false;
    Lanes c, lambda;
    Lanes slopes;  // whole vectors
    std::vector<double> stored;
};

size_t n_operands(const Moment& m, const Program& program) {
    const bool turns = m.step == Moment::NO_STEP || program.steps[m.step].kind == Kind::rotation;
    size_t out = 0;
    for (size_t kind = 0; kind < Moment::KINDS; ++kind)
        out += m.counts[kind] * (turns ? Moment::OPERANDS_OF_ROTATION : Moment::OPERANDS_OF_CHANNEL)[kind];
    return out;
}

std::vector<Letter> letters_of(const Recording& r, size_t k) {
    return {r.letters.begin() + (k ? r.ends[k - 1] : 0), r.letters.begin() + r.ends[k]};
}

void Replay::run(bool storing_) {
    storing = storing_;
    c.assign(row * recording.n_slots, 0);
    for (size_t k = 0; k < recording.given.size(); ++k)
        std::fill_n(at(recording.given[k]), lanes, recording.coefficients[k]);
    const uint32_t* operands = recording.operands.data();
    for (const Moment& m : recording.moments) {
        const size_t count = n_operands(m, program);
        Watch::check(count);
        if (m.step == Moment::NO_STEP)
            throw_out(m, operands);
        else if (program.steps[m.step].kind == Kind::rotation)
            turn(m, operands);
        else
            multiply(m, operands);
        operands += count;
    }
    start.prepare(false);
    for (size_t k = 0; k < recording.read.size(); ++k)
        start.measure(letters_of(recording, k), at(recording.read[k]), values);
}

void Replay::turn(const Moment& m, const uint32_t* o) {
    samples.turn_by(program.steps[m.step]);
    const double* cosines = samples.cosines.data();
    kernel.turn_pairs(c.data(), o, m.counts[0], cosines, samples.sines.data(), row);
    o += 2 * m.counts[0];
    for (uint32_t k = 0; k < m.counts[1]; ++k, o += 2) {
        double *a = at(o[0]), *b = at(o[1]);
        const double* sines = signed_sines(o[1]);
        for (size_t l = 0; l < lanes; ++l) b[l] = sines[l] * a[l], a[l] *= cosines[l];
    }
    for (uint32_t k = 0; k < m.counts[2] + m.counts[3]; ++k, ++o) {
        double* a = at(*o);
        store(*o);
        if (k < m.counts[2]) drop([&](size_t l) { return samples.sines[l] * a[l]; });
        for (size_t l = 0; l < lanes; ++l) a[l] *= cosines[l];
    }
}

void Replay::multiply(const Moment& m, const uint32_t* o) {
    const Step& step = program.steps[m.step];
    const size_t stride = samples.factor_stride();
    const double *factors = samples.factors_of(step), *to_i = factors + TO_I;
    for (uint32_t k = 0; k < m.counts[0] + m.counts[1]; ++k, o += 2) {
        double *z = at(o[0]), *i = at(o[1]);
        const double sign = o[1] & Moment::MARK ? -1 : 1;
        if (k >= m.counts[0]) std::fill_n(i, lanes, 0.0);
        for (size_t l = 0; l < lanes; ++l) i[l] += sign * to_i[l * stride] * z[l];
    }
    for (uint32_t k = 0; k < m.counts[2]; ++k, ++o) drop([&](size_t l) { return to_i[l * stride] * at(*o)[l]; });
    for (uint32_t k = 0; k < m.counts[3]; ++k, o += 2) {
        store(o[0]);
        for (size_t l = 0; l < lanes; ++l) at(o[0])[l] *= factors[l * stride + o[1]];
    }
}

void Replay::throw_out(const Moment& m, const uint32_t* o) {
    for (uint32_t k = 0; k < m.counts[4]; ++k) {
        store(o[k]);
        if (!(o[k] & Moment::MARK)) drop([&](size_t l) { return at(o[k])[l]; });
    }
}

void Replay::run_back(const Call& called, const double* cotangents, double* d_inputs, double* d_weights,
                      double* d_factors) {
    samples.call = &called;
    lambda.assign(c.size(), 0);
    start.prepare(true);
    for (size_t k = 0; k < recording.read.size(); ++k)
        start.measure_back(letters_of(recording, k), at(recording.read[k]), cotangents, slope_at(recording.read[k]));
    start.go_back(d_inputs, d_weights, d_factors);
    const uint32_t* end = recording.operands.data() + recording.operands.size();
    for (size_t k = recording.moments.size(); k-- > 0;) {
        const Moment& m = recording.moments[k];
        const size_t count = n_operands(m, program);
        Watch::check(count);
        if (m.step == Moment::NO_STEP) {
            for (const uint32_t* o = end; o > end - count;) {
                take_stored(*--o);
                std::fill_n(slope_at(*o), lanes, 0.0);
            }
        } else if (program.steps[m.step].kind == Kind::rotation) {
            turn_back(m, end);
            samples.add_slopes(program.steps[m.step].angle, slopes.data(), d_inputs, d_weights);
        } else {
            multiply_back(m, end, d_factors);
        }
        end -= count;
    }
}

void Replay::turn_back(const Moment& m, const uint32_t* o) {
    samples.turn_by(program.steps[m.step]);
    const double* cosines = samples.cosines.data();
    std::fill(slopes.begin(), slopes.end(), 0.0);
    for (uint32_t k = 0; k < m.counts[2] + m.counts[3]; ++k) {
        take_stored(*--o);
        double *a = at(*o), *u = slope_at(*o);
        for (size_t l = 0; l < lanes; ++l) slopes[l] -= samples.sines[l] * a[l] * u[l], u[l] *= cosines[l];
    }
    for (uint32_t k = 0; k < m.counts[1]; ++k) {
        o -= 2;
        double *a = at(o[0]), *b = at(o[1]), *u = slope_at(o[0]), *v = slope_at(o[1]);
        const double* sines = signed_sines(o[1]);
        for (size_t l = 0; l < lanes; ++l) {
            a[l] = cosines[l] * a[l] + sines[l] * b[l];
            slopes[l] += ((o[1] & Moment::MARK ? -cosines[l] : cosines[l]) * v[l] - samples.sines[l] * u[l]) * a[l];
            u[l] = cosines[l] * u[l] + sines[l] * v[l];
        }
    }
    kernel.turn_pairs_back(c.data(), lambda.data(), o - 2 * m.counts[0], m.counts[0], cosines, samples.sines.data(),
                           slopes.data(), row);
}

void Replay::multiply_back(const Moment& m, const uint32_t* o, double* d_factors) {
    const Step& step = program.steps[m.step];
    const size_t stride = samples.factor_stride();
    const double* factors = samples.factors_of(step);
    for (uint32_t k = 0; k < m.counts[3]; ++k) {
        o -= 2;
        take_stored(o[0]);
        double *a = at(o[0]), *u = slope_at(o[0]);
        for (size_t l = 0; l < lanes; ++l) {
            if (d_factors) d_factors[l * stride + step.factors + o[1]] += u[l] * a[l];
            u[l] *= factors[l * stride + o[1]];
        }
    }
    o -= m.counts[2];
    for (uint32_t k = 0; k < m.counts[0] + m.counts[1]; ++k) {
        o -= 2;
        double *z = at(o[0]), *i = at(o[1]), *u = slope_at(o[0]), *v = slope_at(o[1]);
        const double sign = o[1] & Moment::MARK ? -1 : 1;
        for (size_t l = 0; l < lanes; ++l) {
            i[l] -= sign * factors[l * stride + TO_I] * z[l];
            u[l] += sign * factors[l * stride + TO_I] * v[l];
            if (d_factors) d_factors[l * stride + step.factors + TO_I] += sign * v[l] * z[l];
        }
    }
}

}  // namespace

std::unique_ptr<AnyWalk> make_replay(const Program& p, const Recording& r, const Call& c, size_t first, size_t lanes) {
    return std::make_unique<Replay>(p, r, c, first, lanes);
}

size_t lanes_of(const Recording& recording) {
    constexpr size_t CACHED = size_t(1) << 20, LEAST = 8;
    size_t lanes = MOST_LANES_OF_WALK;
    while (lanes > LEAST && 16 * lanes * recording.n_slots > CACHED) lanes /= 2;
    return lanes;
}

namespace {

bool is_slot(uint32_t operand, const Recording& r) { return (operand & ~Moment::MARK) < r.n_slots; }

bool fits(const Moment& m, const uint32_t* o, const Recording& r, const Program& program) {
    const bool turns = m.step == Moment::NO_STEP || program.steps[m.step].kind == Kind::rotation;
    const size_t* each = turns ? Moment::OPERANDS_OF_ROTATION : Moment::OPERANDS_OF_CHANNEL;
    for (size_t kind = 0; kind < Moment::KINDS; ++kind)
        for (uint32_t k = 0; k < m.counts[kind]; ++k)
            for (size_t of = 0; of < each[kind]; ++of, ++o) {
                const bool is_letters = !turns && kind == 3 && of == 1;
                const uint32_t n_letters = is_letters ? uint32_t(1) << 2 * program.steps[m.step].n_letters : 0;
                if (is_letters ? *o >= n_letters : !is_slot(*o, r)) return false;
            }
    return true;
}

}  // namespace

const char* mistake_in(const Recording& r, const Program& program) {
    if (r.n_slots > Moment::MARK || r.given.size() != r.coefficients.size() || r.read.size() != r.ends.size())
        return "its arrays are not as long as they belong together";
    const auto is_known = [&](uint32_t slot) { return slot < r.n_slots; };
    if (!std::ranges::all_of(r.given, is_known) || !std::ranges::all_of(r.read, is_known)) return "a slot is none";
    if (!std::ranges::is_sorted(r.ends) || (r.ends.empty() ? 0 : r.ends.back()) != r.letters.size())
        return "its words do not end where they should";
    for (const Letter& letter : r.letters)
        if (letter.qubit >= program.n_qubits || !letter.letter || letter.letter > 3) return "a letter is none";
    size_t first = 0;
    for (const Moment& m : r.moments) {
        if (m.step != Moment::NO_STEP && (m.step < program.n_leading || m.step >= program.steps.size() ||
                                          program.steps[m.step].kind == Kind::clifford || m.counts[Moment::KINDS - 1]))
            return "a step is not one of the circuit's";
        if (m.step == Moment::NO_STEP && (m.counts[0] || m.counts[1] || m.counts[2] || m.counts[3]))
            return "a step is not one of the circuit's";
        const size_t count = n_operands(m, program);
        if (count > r.operands.size() - first) return "steps have more operands than there are";
        if (m.step != Moment::NO_STEP && program.steps[m.step].kind == Kind::diagonal && (m.counts[0] || m.counts[1]))
            return "a channel adds what it does not";
        if (!fits(m, r.operands.data() + first, r, program)) return "an operand is none";
        first += count;
    }
    return first == r.operands.size() ? nullptr : "steps have fewer operands than there are";
}

}  // namespace qloom::propagation
