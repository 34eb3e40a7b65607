// Lanes are amplitudes: one sample at a time. A large state is cut into ranges that threads share within each pass;
// many samples of a small state are shared out whole. Sums are taken in double over short blocks.
#include <cmath>
#include <cstring>

#include "arena.hpp"
#include "regimes.hpp"
#include "threads.hpp"

namespace qloom::single {
namespace {

constexpr size_t MOST_LANES = 16, BLOCK = 1024, SHORTEST_RANGE = 2048, MOST_RANGES = 256, TERMS_AT_ONCE = 16;

template <class T>
struct State {
    const Program& program;
    const Batch<T>& batch;
    const int threads;
    const Kernels<T>& kernel = kernels<T>();
    const size_t lanes = kernel.lanes, vectors;
    const unsigned lane_bits = 63 - __builtin_clzll(lanes);
    Scratch scratch;
    T *re, *im, *lre, *lim;
    T* turns;      // [rotation][cos, sin][lane]
    Word* words;   // of the rotations
    double* sums;  // [range][of a pass or of the terms]
    size_t sample = 0;

    State(const Program& p, const Batch<T>& b, int n_threads, bool with_lambda)
        : program(p), batch(b), threads(n_threads), vectors(p.size() / lanes) {
        re = scratch.take<T>(2 * p.size());
        im = re + p.size();
        lre = with_lambda ? scratch.take<T>(2 * p.size()) : nullptr;
        lim = with_lambda ? lre + p.size() : nullptr;
        turns = scratch.take<T>(p.rotations.size() * 2 * lanes);
        words = scratch.take<Word>(p.rotations.size());
        size_t widest = p.diagonal.size() + 1;
        for (const Pass& pass : p.passes) {
            widest = pass.count > widest ? pass.count : widest;
            for (size_t r = pass.first; r < pass.first + pass.count; ++r)
                words[r] = word_on_vectors(pass.x, p.rotations[r].z, lane_bits);
        }
        sums = scratch.take<double>(MOST_RANGES * widest);
    }

    void open(size_t index) {
        sample = index;
        for (const Pass& pass : program.passes)
            for (size_t r = pass.first; r < pass.first + pass.count; ++r) {
                const double half = batch.angle(program, program.rotations[r], sample) / 2;
                const double sign = rotation_sign(pass.x, program.rotations[r].z);
                for (size_t lane = 0; lane < lanes; ++lane) {
                    turns[2 * r * lanes + lane] = T(std::cos(half));
                    turns[(2 * r + 1) * lanes + lane] = T(sign * std::sin(half));
                }
            }
    }

    // body(begin, end, range) over ranges of [0, items), shared by the threads; returns how many ranges.
    template <class F>
    size_t over_ranges(size_t items, F body) {
        size_t ranges = (items + SHORTEST_RANGE - 1) / SHORTEST_RANGE;
        ranges = ranges < MOST_RANGES ? ranges : MOST_RANGES;
        parallel_for(ranges, threads, [&](size_t r) { body(items * r / ranges, items * (r + 1) / ranges, r); });
        return ranges;
    }

    template <class F>
    static void over_blocks(size_t begin, size_t end, F body) {
        for (size_t b = begin; b < end; b += BLOCK) body(b, b + BLOCK < end ? b + BLOCK : end);
    }

    double total(size_t ranges, size_t width, size_t k) const {
        double out = 0;
        for (size_t r = 0; r < ranges; ++r) out += sums[r * width + k];
        return out;
    }

    double add_lanes(const T* vector) const {
        double out = 0;
        for (size_t lane = 0; lane < lanes; ++lane) out += vector[lane];
        return out;
    }

    void start() {
        const size_t size = program.size();
        const T* row = batch.inputs + sample * program.n_inputs;
        over_ranges(size, [&](size_t begin, size_t end, size_t) {
            for (size_t i = begin; i < end; ++i) {
                const bool fixed = !program.initial.empty(), given = program.real_column >= 0;
                re[i] = given ? row[program.real_column + i] : fixed ? T(program.initial[i]) : T(i == 0);
                im[i] = program.imaginary_column >= 0 ? row[program.imaginary_column + i]
                        : fixed                       ? T(program.initial[size + i])
                                                      : T(0);
            }
        });
    }

    void run() {
        start();
        for (const Pass& pass : program.passes)
            over_ranges(n_pairs(words[pass.first], vectors), [&](size_t begin, size_t end, size_t) {
                over_blocks(begin, end, [&](size_t b, size_t e) {
                    for (size_t r = pass.first; r < pass.first + pass.count; ++r)
                        kernel.rotate(re, im, b, e, words[r], turns + 2 * r * lanes, turns + (2 * r + 1) * lanes);
                });
            });
    }

    void measure(T* values) {
        T* out = values + sample * program.n_outputs;
        if (program.probabilities) return measure_outcomes(out);
        std::memset(out, 0, program.n_outputs * sizeof(T));
        measure_diagonal(out);
        for (const Term& term : program.others) {
            const Word word = word_on_vectors(term.x, term.z, lane_bits);
            const size_t ranges = over_ranges(vectors, [&](size_t begin, size_t end, size_t range) {
                sums[range] = 0;
                over_blocks(begin, end, [&](size_t b, size_t e) {
                    alignas(64) T sum[MOST_LANES] = {};
                    kernel.measure_word(re, im, b, e, word, sum);
                    sums[range] += add_lanes(sum);
                });
            });
            out[term.output] += T(term.coefficient * measured_sign(term.x, term.z) * total(ranges, 1, 0));
        }
    }

    // Sums of many small numbers are taken in double; where every outcome is one basis state there is nothing to sum.
    void measure_outcomes(T* out) {
        auto weight = [&](size_t i) { return double(re[i]) * re[i] + double(im[i]) * im[i]; };
        if (program.n_outputs == program.size()) {
            over_ranges(program.size(), [&](size_t begin, size_t end, size_t) {
                for (size_t i = begin; i < end; ++i) out[program.outcome(i)] = T(weight(i));
            });
            return;
        }
        Scratch inner;
        double* totals = inner.take<double>(program.n_outputs);
        std::memset(totals, 0, program.n_outputs * sizeof(double));
        for (size_t i = 0; i < program.size(); ++i) totals[program.outcome(i)] += weight(i);
        for (size_t o = 0; o < program.n_outputs; ++o) out[o] = T(totals[o]);
    }

    void measure_diagonal(T* out) {
        const size_t terms = program.diagonal.size();
        const size_t ranges = over_ranges(vectors, [&](size_t begin, size_t end, size_t range) {
            double* mine = sums + range * terms;
            std::memset(mine, 0, terms * sizeof(double));
            over_blocks(begin, end, [&](size_t b, size_t e) {
                over_terms([&](const Word* some, size_t first, size_t n) {
                    alignas(64) T sum[TERMS_AT_ONCE * MOST_LANES] = {};
                    kernel.measure_diagonal(re, im, b, e, some, n, sum);
                    for (size_t t = 0; t < n; ++t) mine[first + t] += add_lanes(sum + t * lanes);
                });
            });
        });
        for (size_t t = 0; t < terms; ++t)
            out[program.diagonal[t].output] += T(program.diagonal[t].coefficient * total(ranges, terms, t));
    }

    // body(words, first, count) over the diagonal terms, TERMS_AT_ONCE at a time.
    template <class F>
    void over_terms(F body) const {
        for (size_t first = 0; first < program.diagonal.size(); first += TERMS_AT_ONCE) {
            Word some[TERMS_AT_ONCE];
            size_t n = 0;
            for (; n < TERMS_AT_ONCE && first + n < program.diagonal.size(); ++n)
                some[n] = word_on_vectors(0, program.diagonal[first + n].z, lane_bits);
            body(some, first, n);
        }
    }

    void weigh(const T* cotangents) {
        const T* g = cotangents + sample * program.n_outputs;
        over_ranges(vectors, [&](size_t begin, size_t end, size_t) {
            if (program.probabilities) return weigh_outcomes(g, begin * lanes, end * lanes);
            weigh_diagonal(g, begin, end);
            for (const Term& term : program.others) {
                alignas(64) T weight[MOST_LANES];
                for (T& w : weight) w = T(term.coefficient * measured_sign(term.x, term.z)) * g[term.output];
                kernel.weigh_word(re, im, lre, lim, begin, end, word_on_vectors(term.x, term.z, lane_bits), weight);
            }
        });
    }

    void weigh_outcomes(const T* g, size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) {
            const T weight = g[program.outcome(i)];
            lre[i] = weight * re[i];
            lim[i] = weight * im[i];
        }
    }

    void weigh_diagonal(const T* g, size_t begin, size_t end) {
        Scratch inner;
        const size_t terms = program.diagonal.size();
        T* weights = inner.take<T>((terms + 1) * lanes);
        Word* all = inner.take<Word>(terms + 1);
        for (size_t t = 0; t < terms; ++t) {
            all[t] = word_on_vectors(0, program.diagonal[t].z, lane_bits);
            for (size_t lane = 0; lane < lanes; ++lane)
                weights[t * lanes + lane] = T(program.diagonal[t].coefficient) * g[program.diagonal[t].output];
        }
        over_blocks(begin, end,
                    [&](size_t b, size_t e) { kernel.weigh_diagonal(re, im, lre, lim, b, e, all, terms, weights); });
    }

    void walk_back(const Gradient<T>& gradient, double* d_weights) {
        for (size_t k = program.passes.size(); k-- > 0;) {
            const Pass& pass = program.passes[k];
            const size_t ranges =
                over_ranges(n_pairs(words[pass.first], vectors), [&](size_t begin, size_t end, size_t range) {
                    double* mine = sums + range * pass.count;
                    std::memset(mine, 0, pass.count * sizeof(double));
                    over_blocks(begin, end, [&](size_t b, size_t e) {
                        for (size_t r = pass.count; r-- > 0;) {
                            alignas(64) T sum[MOST_LANES] = {};
                            const T* turn = turns + 2 * (pass.first + r) * lanes;
                            kernel.unrotate(re, im, lre, lim, b, e, words[pass.first + r], turn, turn + lanes, sum);
                            mine[r] += add_lanes(sum);
                        }
                    });
                });
            for (size_t r = 0; r < pass.count; ++r)
                add_slope(program.rotations[pass.first + r], pass.x, total(ranges, pass.count, r), gradient, d_weights);
        }
        if (!gradient.d_inputs) return;
        T* row = gradient.d_inputs + sample * program.n_inputs;
        if (program.real_column >= 0)
            for (size_t i = 0; i < program.size(); ++i) row[program.real_column + i] += 2 * lre[i];
        if (program.imaginary_column >= 0)
            for (size_t i = 0; i < program.size(); ++i) row[program.imaginary_column + i] += 2 * lim[i];
    }

    void add_slope(const Rotation& r, uint64_t x, double sum, const Gradient<T>& gradient, double* d_weights) {
        const double slope = rotation_sign(x, r.z) * r.scale * sum;
        if (r.source == Source::input && gradient.d_inputs)
            gradient.d_inputs[sample * program.n_inputs + r.index] += T(slope);
        if (r.source != Source::weight) return;
        d_weights[r.index] += slope;
        if (gradient.d_weights && batch.weight_stride)
            gradient.d_weights[sample * batch.weight_stride + r.index] += T(slope);
    }
};

// Threads share ranges within a pass if one state has several, else whole samples: body(state, first, end, part).
template <class T, class F>
void over_samples(const Program& program, const Batch<T>& batch, bool with_lambda, F body) {
    const bool within = program.size() / kernels<T>().lanes >= 4 * SHORTEST_RANGE;
    const size_t parts = within ? 1 : n_parts(batch.size);
    parallel_for(parts, batch.threads, [&](size_t p) {
        State<T> state(program, batch, within ? batch.threads : 1, with_lambda);
        for (size_t s = batch.size * p / parts; s < batch.size * (p + 1) / parts; ++s) {
            state.open(s);
            body(state, p);
        }
    });
}

}  // namespace

template <class T>
void forward(const Program& program, const Batch<T>& batch, T* values, T* kept) {
    const size_t numbers = 2 * program.size();
    over_samples(program, batch, false, [&](State<T>& state, size_t) {
        state.run();
        state.measure(values);
        if (kept) std::memcpy(kept + state.sample * numbers, state.re, numbers * sizeof(T));
    });
}

template <class T>
void backward(const Program& program, const Batch<T>& batch, const Gradient<T>& gradient) {
    const size_t parts = n_parts(batch.size), width = program.n_weights, numbers = 2 * program.size();
    Scratch scratch;
    double* sums = scratch.take<double>(parts * width);
    std::memset(sums, 0, parts * width * sizeof(double));
    over_samples(program, batch, true, [&](State<T>& state, size_t part) {
        if (gradient.kept)
            std::memcpy(state.re, gradient.kept + state.sample * numbers, numbers * sizeof(T));
        else
            state.run();
        state.weigh(gradient.cotangents);
        state.walk_back(gradient, sums + part * width);
    });
    if (gradient.d_weights && !batch.weight_stride) add_parts(sums, parts, width, gradient.d_weights);
}

template <class T>
void states(const Program& program, const Batch<T>& batch, T* out) {
    over_samples(program, batch, false, [&](State<T>& state, size_t) {
        state.run();
        T* amplitudes = out + 2 * state.sample * program.size();
        for (size_t i = 0; i < program.size(); ++i) {
            amplitudes[2 * i] = state.re[i];
            amplitudes[2 * i + 1] = state.im[i];
        }
    });
}

template void forward<float>(const Program&, const Batch<float>&, float*, float*);
template void forward<double>(const Program&, const Batch<double>&, double*, double*);
template void backward<float>(const Program&, const Batch<float>&, const Gradient<float>&);
template void backward<double>(const Program&, const Batch<double>&, const Gradient<double>&);
template void states<float>(const Program&, const Batch<float>&, float*);
template void states<double>(const Program&, const Batch<double>&, double*);

}  // namespace qloom::single
