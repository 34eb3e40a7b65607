#include "trajectories/branching.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "machine/interrupt.hpp"
#include "machine/threads.hpp"
#include "measuring/philox.hpp"

namespace qloom::trajectories {
namespace {

// Trajectories of one sample are cut into so many parts, whatever the number of threads.
constexpr size_t PARTS = 16;
// Beside the uses of errors.cpp and measuring/draw.cpp.
constexpr uint64_t USE = 3;

Amplitude times(Amplitude a, Amplitude b) {
    return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}
double squared(Amplitude a) { return a.real() * a.real() + a.imag() * a.imag(); }
Amplitude conjugate_times(Amplitude a, Amplitude b) { return times(std::conj(a), b); }

Amplitude phase_of(uint64_t x, uint64_t z) {
    static const Amplitude powers[] = {{1, 0}, {0, 1}, {-1, 0}, {0, -1}};
    return powers[std::popcount(x & z) & 3];
}
double sign_at(uint64_t i, uint64_t z) { return std::popcount(i & z) & 1 ? -1 : 1; }

// body(i, j, P's entry <i|P|j>, <j|P|i>) for every pair of a word that flips bits; i alone, twice, of one that does
// not.
template <class Body>
void over_pairs(size_t size, uint64_t x, uint64_t z, const Body& body) {
    const Amplitude phase = phase_of(x, z);
    const uint64_t top = x ? std::bit_floor(x) : 0;
    for (uint64_t i = 0; i < size; ++i) {
        if (i & top) continue;
        body(i, i ^ x, phase * sign_at(i ^ x, z), phase * sign_at(i, z));
    }
}

void apply_word(Amplitude* psi, size_t size, uint64_t x, uint64_t z) {
    over_pairs(size, x, z, [&](uint64_t i, uint64_t j, Amplitude to_i, Amplitude to_j) {
        const Amplitude a = psi[i], b = psi[j];
        psi[j] = times(to_j, a), psi[i] = times(to_i, b);
    });
}

void rotate(Amplitude* psi, size_t size, uint64_t x, uint64_t z, double angle) {
    const double c = std::cos(angle / 2);
    const Amplitude s(0, -std::sin(angle / 2));
    over_pairs(size, x, z, [&](uint64_t i, uint64_t j, Amplitude to_i, Amplitude to_j) {
        const Amplitude a = psi[i], b = psi[j];
        psi[j] = c * b + times(times(s, to_j), a);
        psi[i] = c * a + times(times(s, to_i), b);
    });
}

// <left| P |right>.
Amplitude mean_of(const Amplitude* left, const Amplitude* right, size_t size, uint64_t x, uint64_t z) {
    Amplitude sum = 0;
    over_pairs(size, x, z, [&](uint64_t i, uint64_t j, Amplitude to_i, Amplitude to_j) {
        sum += conjugate_times(left[i], times(to_i, right[j]));
        if (i != j) sum += conjugate_times(left[j], times(to_j, right[i]));
    });
    return sum;
}

// body(base) for every group of indices that differ in a step's bits: base | offsets.
template <class Body>
void over_groups(unsigned n_bits, const Step& step, const Body& body) {
    const uint64_t holes = step.offsets.back(), end = uint64_t(1) << n_bits;
    for (uint64_t base = 0; base < end; base = ((base | holes) + 1) & ~holes) body(base);
}

// `room` is for one group.
void apply_matrix(Amplitude* psi, unsigned n_bits, const Step& step, const Amplitude* m, double factor, bool adjoint,
                  Amplitude* room) {
    const size_t size = step.offsets.size();
    const uint64_t* offsets = step.offsets.data();
    over_groups(n_bits, step, [&](uint64_t base) {
        for (size_t k = 0; k < size; ++k) room[k] = psi[base | offsets[k]];
        for (size_t k = 0; k < size; ++k) {
            Amplitude sum = 0;
            for (size_t l = 0; l < size; ++l)
                sum += adjoint ? conjugate_times(m[l * size + k], room[l]) : times(m[k * size + l], room[l]);
            psi[base | offsets[k]] = factor * sum;
        }
    });
}

// <left| M |right>.
Amplitude mean_of_matrix(const Amplitude* left, const Amplitude* right, unsigned n_bits, const Step& step,
                         const Amplitude* m) {
    const size_t size = step.offsets.size();
    const uint64_t* offsets = step.offsets.data();
    Amplitude sum = 0;
    over_groups(n_bits, step, [&](uint64_t base) {
        for (size_t k = 0; k < size; ++k)
            for (size_t l = 0; l < size; ++l)
                sum += conjugate_times(left[base | offsets[k]], times(m[k * size + l], right[base | offsets[l]]));
    });
    return sum;
}

// One state on its way, and the operators that were drawn for it.
class Trajectory {
public:
    Trajectory(const Branching& b, bool walks_back)
        : branching(b), psi(b.size()), drawn(b.steps.size()), factor(b.steps.size()), keeps(walks_back) {
        if (keeps) lambda.resize(b.size());
        size_t largest = 1, most = 1;
        for (const Step& step : b.steps) largest = std::max(largest, step.offsets.size());
        for (const Operators& of : b.operators) most = std::max(most, of.count);
        room.resize(largest), reduced.resize(largest * largest), weights.resize(most);
    }

    void run(const Numbers& given, Place p, uint64_t number, size_t sample) {
        numbers = &given, place = p, row = number, used = 0, at = sample;
        std::copy_n(given.start.of(at), branching.size(), psi.begin());
        before.resize(keeps ? branching.operators.size() * branching.size() : 0);
        for (size_t s = 0; s < branching.steps.size(); ++s) {
            Watch::check(branching.size());
            step(s);
        }
    }

    // Outputs (O,), set.
    void measure(double* out) const {
        std::fill_n(out, branching.n_outputs, 0.0);
        for (const Branching::Term& t : branching.terms)
            out[t.output] += t.coefficient * mean_of(psi.data(), psi.data(), branching.size(), t.x, t.z).real();
        for (size_t i = 0; !branching.measured.empty() && i < branching.size(); ++i) out[outcome(i)] += squared(psi[i]);
    }

    // An index, drawn with its probability.
    size_t measured_index() {
        return pick(branching.size(), [&](size_t i) { return squared(psi[i]); });
    }

    struct Slopes {
        double *angles, *scores, *rates;
        Amplitude* start;
    };
    // Derivatives of <psi| sum_o cotangents_o O_o - base |psi> / n after a run, which are added.
    void walk_back(const BranchGradient& gradient, const double* cotangents, double base, double value, double n,
                   const Slopes& out) {
        weigh(cotangents, base);
        for (size_t s = branching.steps.size(); s-- > 0;) {
            Watch::check(2 * branching.size());
            undo(s, gradient, value - base, n, out);
        }
        // The norm at the start is not 1 by what is derived: `base` is taken off it nowhere.
        const Amplitude* start = numbers->start.of(at);
        for (size_t i = 0; out.start && i < branching.size(); ++i)
            out.start[i] += (lambda[i] + base * start[i]) * (2 / n);
    }

private:
    double uniform_number() {
        if (used % 4 == 0) block = philox({used / 4, row, place.call, USE}, place.key);
        return uniform(block[used++ % 4]);
    }

    size_t outcome(uint64_t i) const {
        size_t out = 0;
        for (unsigned bit : branching.measured) out = 2 * out + (i >> bit & 1);
        return out;
    }

    void step(size_t s) {
        const Step& one = branching.steps[s];
        if (one.kind == Step::rotation)
            rotate(psi.data(), branching.size(), one.x, one.z, numbers->angles.of(at)[one.number]);
        else if (one.kind == Step::matrix)
            apply_matrix(psi.data(), branching.n_bits, one, one.entries.data(), 1, false, room.data());
        else if (one.kind == Step::pauli)
            draw_word(s);
        else
            draw_operator(s);
    }

    void draw_word(size_t s) {
        const Step& one = branching.steps[s];
        const Channel& channel = branching.channels[one.number];
        const double* p = numbers->probabilities.of(at) + channel.first_outcome;
        drawn[s] = pick(channel.n_outcomes(), [&](size_t j) { return p[j]; });
        apply_drawn_word(one, drawn[s], psi.data());
    }

    void apply_drawn_word(const Step& one, size_t j, Amplitude* state) const {
        uint64_t x = 0, z = 0;
        for (size_t q = 0; q < one.bits.size(); ++q) {
            const unsigned letter = j >> (2 * (one.bits.size() - 1 - q)) & 3;
            x |= uint64_t(letter == 1 || letter == 2) << one.bits[q];
            z |= uint64_t(letter >= 2) << one.bits[q];
        }
        if (j) apply_word(state, branching.size(), x, z);
    }

    const Amplitude* drawn_operator(const Step& one, size_t j) const {
        const Operators& of = branching.operators[one.number];
        return numbers->operators.of(at) + of.first + j * of.size * of.size;
    }

    void draw_operator(size_t s) {
        const Step& one = branching.steps[s];
        const Operators& of = branching.operators[one.number];
        if (keeps) std::copy(psi.begin(), psi.end(), before.begin() + std::ptrdiff_t(one.number * branching.size()));
        // Of the qubits it acts on: the sum of psi_k conj(psi_l) over all else.
        std::fill_n(reduced.begin(), of.size * of.size, 0);
        over_groups(branching.n_bits, one, [&](uint64_t base) {
            for (size_t k = 0; k < of.size; ++k)
                for (size_t l = 0; l < of.size; ++l)
                    reduced[k * of.size + l] += conjugate_times(psi[base | one.offsets[l]], psi[base | one.offsets[k]]);
        });
        for (size_t j = 0; j < of.count; ++j) weights[j] = probability(drawn_operator(one, j), reduced, of.size);
        drawn[s] = pick(of.count, [&](size_t j) { return weights[j]; });
        factor[s] = 1 / std::sqrt(weights[drawn[s]]);
        apply_matrix(psi.data(), branching.n_bits, one, drawn_operator(one, drawn[s]), factor[s], false, room.data());
    }

    // Tr(K rho K^dagger).
    static double probability(const Amplitude* k, const std::vector<Amplitude>& rho, size_t size) {
        double sum = 0;
        for (size_t a = 0; a < size; ++a)
            for (size_t b = 0; b < size; ++b)
                for (size_t c = 0; c < size; ++c)
                    sum += times(times(k[a * size + b], rho[b * size + c]), std::conj(k[a * size + c])).real();
        return std::max(sum, 0.0);
    }

    template <class Weight>
    size_t pick(size_t n, const Weight& weight) {
        double sum = 0, passed = 0;
        for (size_t j = 0; j < n; ++j) sum += weight(j);
        const double wanted = uniform_number() * sum;
        size_t found = 0;
        for (size_t j = 0; j < n; ++j) {
            if (weight(j) <= 0) continue;
            found = j;
            if ((passed += weight(j)) > wanted) break;
        }
        return found;
    }

    void weigh(const double* cotangents, double base) {
        for (size_t i = 0; i < branching.size(); ++i)
            lambda[i] = psi[i] * ((branching.measured.empty() ? 0.0 : cotangents[outcome(i)]) - base);
        for (const Branching::Term& t : branching.terms) {
            const double g = t.coefficient * cotangents[t.output];
            over_pairs(branching.size(), t.x, t.z, [&](uint64_t i, uint64_t j, Amplitude to_i, Amplitude to_j) {
                lambda[i] += g * times(to_i, psi[j]);
                if (i != j) lambda[j] += g * times(to_j, psi[i]);
            });
        }
    }

    void undo(size_t s, const BranchGradient& gradient, double above, double n, const Slopes& out) {
        const Step& one = branching.steps[s];
        if (one.kind == Step::rotation) {
            const double angle = numbers->angles.of(at)[one.number];
            if (out.angles)
                out.angles[one.number] += mean_of(lambda.data(), psi.data(), branching.size(), one.x, one.z).imag() / n;
            rotate(psi.data(), branching.size(), one.x, one.z, -angle);
            rotate(lambda.data(), branching.size(), one.x, one.z, -angle);
        } else if (one.kind == Step::matrix) {
            for (std::vector<Amplitude>* state : {&psi, &lambda})
                apply_matrix(state->data(), branching.n_bits, one, one.entries.data(), 1, true, room.data());
        } else if (one.kind == Step::pauli) {
            if (out.scores) out.scores[branching.channels[one.number].first_outcome + drawn[s]] += above / n;
            for (std::vector<Amplitude>* state : {&psi, &lambda}) apply_drawn_word(one, drawn[s], state->data());
        } else {
            undo_operator(s, gradient, n, out);
        }
    }

    void undo_operator(size_t s, const BranchGradient& gradient, double n, const Slopes& out) {
        const Step& one = branching.steps[s];
        const size_t entries = branching.operators[one.number].size * branching.operators[one.number].size;
        std::copy_n(before.begin() + std::ptrdiff_t(one.number * branching.size()), branching.size(), psi.begin());
        for (size_t r = 0; out.rates && r < gradient.rates.size(); ++r) {
            if (gradient.rates[r].channel != one.number) continue;
            const Amplitude* slope = gradient.slopes.of(at) + gradient.rates[r].first + drawn[s] * entries;
            const Amplitude mean = mean_of_matrix(lambda.data(), psi.data(), branching.n_bits, one, slope);
            out.rates[r] += 2 * factor[s] * mean.real() / n;
        }
        apply_matrix(lambda.data(), branching.n_bits, one, drawn_operator(one, drawn[s]), factor[s], true, room.data());
    }

    const Branching& branching;
    std::vector<Amplitude> psi, lambda, before;  // before: the states that each Kraus operator met
    std::vector<Amplitude> room, reduced;        // of one group; of the qubits of a channel
    std::vector<double> weights;                 // of a channel's operators
    std::vector<size_t> drawn;
    std::vector<double> factor;
    const bool keeps;
    const Numbers* numbers = nullptr;
    Place place{};
    uint64_t row = 0, used = 0;
    size_t at = 0;
    Block block{};
};

// task(sample, first and end of its trajectories, part) for parts of every sample.
template <class Task>
void over_parts(const Rows& rows, int threads, const Task& task) {
    const size_t parts = std::min(PARTS, rows.count);
    parallel_for(rows.samples * parts, threads, [&](size_t k) {
        const size_t part = k % parts;
        task(k / parts, rows.count * part / parts, rows.count * (part + 1) / parts, part);
    });
}

}  // namespace

void Branching::add(Step step) {
    const size_t k = step.bits.size();
    for (size_t place = 0; place < size_t(1) << k; ++place) {
        uint64_t offset = 0;
        for (size_t q = 0; q < k; ++q) offset |= uint64_t(place >> (k - 1 - q) & 1) << step.bits[q];
        step.offsets.push_back(offset);
    }
    steps.push_back(std::move(step));
}

void branch(const Branching& branching, const Numbers& numbers, Place place, const Rows& rows, double* values,
            int threads) {
    over_parts(rows, threads, [&](size_t sample, size_t first, size_t end, size_t) {
        Trajectory trajectory(branching, false);
        for (size_t row = sample * rows.count + first; row < sample * rows.count + end; ++row) {
            trajectory.run(numbers, place, rows.number(row), sample);
            trajectory.measure(values + row * branching.n_outputs);
        }
    });
}

void measure_branches(const Branching& branching, const Numbers& numbers, Place place, const Rows& rows,
                      int64_t* indices, int threads) {
    over_parts(rows, threads, [&](size_t sample, size_t first, size_t end, size_t) {
        Trajectory trajectory(branching, false);
        for (size_t row = sample * rows.count + first; row < sample * rows.count + end; ++row) {
            trajectory.run(numbers, place, rows.number(row), sample);
            indices[row] = int64_t(trajectory.measured_index());
        }
    });
}

void branch_back(const Branching& branching, const Numbers& numbers, Place place, const Rows& rows,
                 const BranchGradient& gradient, int threads) {
    const size_t parts = std::min(PARTS, rows.count), n_rates = gradient.rates.size(), n_outputs = branching.n_outputs;
    const size_t n_start = gradient.start ? branching.size() : 0;
    const size_t width = branching.n_angles + branching.n_outcomes + n_rates;
    std::vector<double> sums(rows.samples * parts * width, 0.0);
    std::vector<Amplitude> starts(rows.samples * parts * n_start, 0.0);
    const double n = double(rows.all);
    over_parts(rows, threads, [&](size_t sample, size_t first, size_t end, size_t part) {
        Trajectory trajectory(branching, true);
        std::vector<double> values(n_outputs);
        double* mine = sums.data() + (sample * parts + part) * width;
        const typename Trajectory::Slopes out{
            gradient.angles ? mine : nullptr, gradient.scores ? mine + branching.n_angles : nullptr,
            gradient.of_rates ? mine + branching.n_angles + branching.n_outcomes : nullptr,
            n_start ? starts.data() + (sample * parts + part) * n_start : nullptr};
        const double *cotangents = gradient.cotangents + sample * n_outputs,
                     *means = gradient.means + sample * n_outputs;
        for (size_t row = sample * rows.count + first; row < sample * rows.count + end; ++row) {
            trajectory.run(numbers, place, rows.number(row), sample);
            trajectory.measure(values.data());
            double value = 0, mean = 0;
            for (size_t o = 0; o < n_outputs; ++o) value += cotangents[o] * values[o], mean += cotangents[o] * means[o];
            // The mean of the others, which this one's operators say nothing of.
            const double base = rows.all > 1 ? (n * mean - value) / (n - 1) : 0;
            trajectory.walk_back(gradient, cotangents, base, value, n, out);
        }
    });
    for (size_t k = 0; k < rows.samples * parts; ++k) {
        const size_t sample = k / parts;
        const double* mine = sums.data() + k * width;
        const auto add = [&](double* out, size_t count) {
            for (size_t i = 0; out && i < count; ++i) out[sample * count + i] += mine[i];
            mine += count;
        };
        add(gradient.angles, branching.n_angles);
        add(gradient.scores, branching.n_outcomes);
        add(gradient.of_rates, n_rates);
        for (size_t i = 0; i < n_start; ++i) gradient.start[sample * n_start + i] += starts[k * n_start + i];
    }
}

}  // namespace qloom::trajectories
