// Lanes are samples. Every vector holds one amplitude of `lanes` samples; a tile goes through the whole program, and
// back, while it sits in cache. An angle shared by the batch is computed once a call; a pass whose angles are all
// shared becomes one multiplexed rotation with a table of cosines and sines; two single rotations run in one walk.
#include <cmath>
#include <cstring>

#include "arena.hpp"
#include "regimes.hpp"
#include "threads.hpp"

namespace qloom::batched {
namespace {

constexpr size_t STAGGER = 5 * 64;
constexpr size_t NO_TABLE = size_t(-1), MOST_TABLE_BYTES = size_t(1) << 25;

// In-place Walsh-Hadamard transform: out[z] = sum_i (-1)^|i&z| in[i].
void walsh_hadamard(double* values, size_t size) {
    for (size_t half = 1; half < size; half *= 2)
        for (size_t block = 0; block < size; block += 2 * half)
            for (size_t i = block; i < block + half; ++i) {
                const double a = values[i], b = values[i + half];
                values[i] = a + b;
                values[i + half] = a - b;
            }
}

// A half angle between -pi and pi, so that nothing is lost when it is rounded to float.
double whole_turns_off(double half) {
    constexpr double TURN = 6.283185307179586476925286766559;
    return std::abs(half) < TURN ? half : half - TURN * std::nearbyint(half / TURN);
}

// z on pair indices: the bit that is 0 in the first member of every pair is taken out.
uint64_t on_pairs(uint64_t x, uint64_t z) {
    if (!x) return z;
    const unsigned top = 63 - __builtin_clzll(x);
    return ((z >> (top + 1)) << top) | (z & ((uint64_t(1) << top) - 1));
}

// Angles that do not depend on the sample, prepared once a call.
template <class T>
struct Shared {
    const Program& program;
    const Batch<T>& batch;
    const size_t lanes = kernels<T>().lanes;
    Scratch scratch;
    T* turns;            // [rotation][cos, sin][lane] of the angles all samples share
    size_t* tables;      // pass -> start of its table, or NO_TABLE
    T* table = nullptr;  // cosines then sines of the multiplexed passes
    size_t table_size = 0;

    Shared(const Program& p, const Batch<T>& b) : program(p), batch(b) {
        turns = scratch.take<T>(program.rotations.size() * 2 * lanes);
        tables = scratch.take<size_t>(program.passes.size());
        plan_tables();
        table = scratch.take<T>(table_size);
        for (size_t k = 0; k < program.passes.size(); ++k)
            if (tables[k] != NO_TABLE)
                fill_table(program.passes[k], table + tables[k]);
            else
                fill_turns(program.passes[k]);
    }

    bool is_shared(const Rotation& r) const {
        return r.source == Source::number || (r.source == Source::weight && batch.weight_stride == 0);
    }
    size_t pairs(const Pass& pass) const { return pass.x ? program.size() / 2 : program.size(); }
    // Numbers in one half of a table (cosines or sines): whole vectors.
    size_t room(const Pass& pass) const { return pairs(pass) < lanes ? lanes : pairs(pass); }

    void plan_tables() {
        for (size_t k = 0; k < program.passes.size(); ++k) {
            const Pass& pass = program.passes[k];
            const size_t size = 2 * room(pass);
            const bool worth = pass.shared && pass.count > 1 && batch.weight_stride == 0;
            const bool fits = (table_size + size) * sizeof(T) <= MOST_TABLE_BYTES;
            tables[k] = worth && fits ? table_size : NO_TABLE;
            if (tables[k] != NO_TABLE) table_size += size;
        }
    }

    void fill_table(const Pass& pass, T* out) {
        Scratch inner;
        const size_t size = pairs(pass);
        double* angles = inner.take<double>(size);
        std::memset(angles, 0, size * sizeof(double));
        for (size_t r = pass.first; r < pass.first + pass.count; ++r) {
            const Rotation& rotation = program.rotations[r];
            angles[on_pairs(pass.x, rotation.z)] +=
                rotation_sign(pass.x, rotation.z) * batch.angle(program, rotation, 0);
        }
        walsh_hadamard(angles, size);
        T* halves = inner.take<T>(room(pass));
        for (size_t i = 0; i < room(pass); ++i) halves[i] = i < size ? T(whole_turns_off(angles[i] / 2)) : T(0);
        kernels<T>().cos_sin(halves, room(pass) / lanes, out, out + room(pass));
    }

    void fill_turns(const Pass& pass) {
        for (size_t r = pass.first; r < pass.first + pass.count; ++r) {
            const Rotation& rotation = program.rotations[r];
            if (!is_shared(rotation)) continue;
            const double half = batch.angle(program, rotation, 0) / 2, sign = rotation_sign(pass.x, rotation.z);
            for (size_t lane = 0; lane < lanes; ++lane) {
                turns[2 * r * lanes + lane] = T(std::cos(half));
                turns[(2 * r + 1) * lanes + lane] = T(sign * std::sin(half));
            }
        }
    }
};

// One thread's work space and the walk of one tile.
template <class T>
struct Tile {
    const Program& program;
    const Batch<T>& batch;
    const Shared<T>& shared;
    const Kernels<T>& kernel = kernels<T>();
    const size_t lanes = kernel.lanes, size, numbers;  // amplitudes; numbers in one part (real or imaginary) of a tile
    Scratch scratch;
    T *re, *im, *lre, *lim;
    T *turns, *sums, *weights;   // of the tile's own samples: cos and sin; a pass's sums; cotangents of the terms
    Word* words;                 // of the diagonal terms
    T* table_sums = nullptr;     // sums of the multiplexed passes over all tiles of a part
    size_t first = 0, used = 0;  // the tile's samples

    Tile(const Shared<T>& s, bool with_lambda)
        : program(s.program), batch(s.batch), shared(s), size(program.size()), numbers(size * lanes) {
        // The four parts are staggered by a few cache lines: at powers of two apart they would fight for the same sets.
        const size_t stagger = STAGGER / sizeof(T);
        re = scratch.take<T>(numbers + stagger);
        im = scratch.take<T>(numbers + stagger);
        lre = scratch.take<T>(with_lambda ? numbers + stagger : 0);
        lim = scratch.take<T>(with_lambda ? numbers + stagger : 0);
        turns = scratch.take<T>(program.rotations.size() * 2 * lanes);
        const size_t terms = program.diagonal.size() + program.others.size();
        sums = scratch.take<T>((terms + 2) * lanes);
        weights = scratch.take<T>((terms + 1) * lanes);
        words = scratch.take<Word>(program.diagonal.size() + 1);
        for (size_t t = 0; t < program.diagonal.size(); ++t) words[t] = word_on_vectors(0, program.diagonal[t].z, 0);
        if (with_lambda) {
            table_sums = scratch.take<T>(shared.table_size / 2 * lanes);
            std::memset(table_sums, 0, shared.table_size / 2 * lanes * sizeof(T));
        }
    }

    void open(size_t tile) {
        first = tile * lanes;
        used = batch.size - first < lanes ? batch.size - first : lanes;
        for (const Pass& pass : program.passes)
            for (size_t r = pass.first; r < pass.first + pass.count; ++r) {
                const Rotation& rotation = program.rotations[r];
                if (!shared.is_shared(rotation)) fill_turn(r, rotation, T(rotation_sign(pass.x, rotation.z)));
            }
    }

    void fill_turn(size_t r, const Rotation& rotation, T sign) {
        T* c = turns + 2 * r * lanes;
        T* s = c + lanes;
        for (size_t lane = 0; lane < lanes; ++lane) {
            sums[lane] = lane < used ? T(whole_turns_off(batch.angle(program, rotation, first + lane) / 2)) : T(0);
        }
        kernel.cos_sin(sums, 1, c, s);
        for (size_t lane = 0; lane < lanes; ++lane) s[lane] *= sign;
    }

    const T* turn(size_t r) const {
        return (shared.is_shared(program.rotations[r]) ? shared.turns : turns) + 2 * r * lanes;
    }

    void start() {
        std::memset(re, 0, numbers * sizeof(T));
        std::memset(im, 0, numbers * sizeof(T));
        if (program.real_column >= 0) {
            take_column(program.real_column, re);
            if (program.imaginary_column >= 0) take_column(program.imaginary_column, im);
        } else if (!program.initial.empty()) {
            for (size_t i = 0; i < size; ++i)
                for (size_t lane = 0; lane < lanes; ++lane) {
                    re[i * lanes + lane] = T(program.initial[i]);
                    im[i * lanes + lane] = T(program.initial[size + i]);
                }
        } else {
            for (size_t lane = 0; lane < lanes; ++lane) re[lane] = 1;
        }
    }

    void take_column(size_t column, T* part) {
        for (size_t lane = 0; lane < used; ++lane) {
            const T* row = batch.inputs + (first + lane) * program.n_inputs + column;
            for (size_t i = 0; i < size; ++i) part[i * lanes + lane] = row[i];
        }
    }

    Word word_of(size_t k) const {
        return word_on_vectors(program.passes[k].x, program.rotations[program.passes[k].first].z, 0);
    }

    const uint32_t* fours(size_t k) const { return program.fours.data() + program.fours_at[k]; }

    void run() {
        start();
        for (size_t k = 0; k < program.passes.size(); ++k) {
            const Pass& pass = program.passes[k];
            if (shared.tables[k] != NO_TABLE) {
                const T* table = shared.table + shared.tables[k];
                const Word word = word_on_vectors(pass.x, program.rotations[pass.first].z, 0);
                kernel.rotate_table(re, im, shared.pairs(pass), word, table, table + shared.room(pass));
                continue;
            }
            if (program.in_couple[k] == 1) {
                const Word words[2] = {word_of(k), word_of(k + 1)};
                const size_t r = pass.first, q = program.passes[k + 1].first;
                kernel.rotate_two(re, im, fours(k), size / 4, words, turn(r), turn(q));
                ++k;
                continue;
            }
            for (size_t r = pass.first; r < pass.first + pass.count; ++r) {
                const Word word = word_on_vectors(pass.x, program.rotations[r].z, 0);
                kernel.rotate(re, im, 0, n_pairs(word, size), word, turn(r), turn(r) + lanes);
            }
        }
    }

    // The final states of a tile, into and out of an array of all tiles.
    void keep(T* kept) const {
        T* mine = kept + first * 2 * size;
        std::memcpy(mine, re, numbers * sizeof(T));
        std::memcpy(mine + numbers, im, numbers * sizeof(T));
    }
    void take_back(const T* kept) {
        const T* mine = kept + first * 2 * size;
        std::memcpy(re, mine, numbers * sizeof(T));
        std::memcpy(im, mine + numbers, numbers * sizeof(T));
    }

    // values (B, O) of the tile's samples.
    void measure(T* values) {
        const size_t outputs = program.n_outputs;
        T* out = values + first * outputs;
        if (program.probabilities) return measure_outcomes(out);
        std::memset(out, 0, used * outputs * sizeof(T));
        const size_t n = program.diagonal.size();
        std::memset(sums, 0, (n + program.others.size()) * lanes * sizeof(T));
        kernel.measure_diagonal(re, im, 0, size, words, n, sums);
        for (size_t t = 0; t < n; ++t) add_term(program.diagonal[t], sums + t * lanes, out);
        for (size_t t = 0; t < program.others.size(); ++t) {
            const Term& term = program.others[t];
            kernel.measure_word(re, im, 0, size, word_on_vectors(term.x, term.z, 0), sums + (n + t) * lanes);
            add_term(term, sums + (n + t) * lanes, out);
        }
    }

    void measure_outcomes(T* out) {
        Scratch inner;
        const size_t outputs = program.n_outputs;
        double* totals = inner.take<double>(outputs);
        for (size_t lane = 0; lane < used; ++lane) {
            std::memset(totals, 0, outputs * sizeof(double));
            for (size_t i = 0; i < size; ++i) {
                const double a = re[i * lanes + lane], b = im[i * lanes + lane];
                totals[program.outcome(i)] += a * a + b * b;
            }
            for (size_t o = 0; o < outputs; ++o) out[lane * outputs + o] = T(totals[o]);
        }
    }

    void add_term(const Term& term, const T* sum, T* out) {
        const T coefficient = T(term.coefficient * measured_sign(term.x, term.z));
        for (size_t lane = 0; lane < used; ++lane)
            out[lane * program.n_outputs + term.output] += coefficient * sum[lane];
    }

    // lambda = sum_o g_o O_o psi.
    void weigh(const T* cotangents) {
        const T* g = cotangents + first * program.n_outputs;
        if (program.probabilities) {
            for (size_t i = 0; i < size; ++i)
                for (size_t lane = 0; lane < lanes; ++lane) {
                    const T weight = lane < used ? g[lane * program.n_outputs + program.outcome(i)] : T(0);
                    lre[i * lanes + lane] = weight * re[i * lanes + lane];
                    lim[i * lanes + lane] = weight * im[i * lanes + lane];
                }
            return;
        }
        const size_t n = program.diagonal.size();
        for (size_t t = 0; t < n; ++t) take_weight(program.diagonal[t], g, weights + t * lanes);
        kernel.weigh_diagonal(re, im, lre, lim, 0, size, words, n, weights);
        for (const Term& term : program.others) {
            take_weight(term, g, weights);
            kernel.weigh_word(re, im, lre, lim, 0, size, word_on_vectors(term.x, term.z, 0), weights);
        }
    }

    void take_weight(const Term& term, const T* g, T* out) {
        const T coefficient = T(term.coefficient * measured_sign(term.x, term.z));
        for (size_t lane = 0; lane < lanes; ++lane)
            out[lane] = lane < used ? coefficient * g[lane * program.n_outputs + term.output] : T(0);
    }

    // The backward walk: undo every rotation on psi and lambda, the derivative of each angle on the way.
    void walk_back(const Gradient<T>& gradient, double* d_weights) {
        for (size_t k = program.passes.size(); k-- > 0;) {
            const Pass& pass = program.passes[k];
            if (shared.tables[k] != NO_TABLE) {
                const T* table = shared.table + shared.tables[k];
                const Word word = word_on_vectors(pass.x, program.rotations[pass.first].z, 0);
                kernel.unrotate_table(re, im, lre, lim, shared.pairs(pass), word, table, table + shared.room(pass),
                                      table_sums + shared.tables[k] / 2 * lanes);
                continue;
            }
            if (program.in_couple[k] == 2) {
                const Word words[2] = {word_of(k), word_of(k - 1)};
                const size_t r = pass.first, q = program.passes[k - 1].first;
                std::memset(sums, 0, 2 * lanes * sizeof(T));
                kernel.unrotate_two(re, im, lre, lim, fours(k - 1), size / 4, words, turn(r), turn(q), sums);
                add_slope(pass.x, program.rotations[r], sums, gradient, d_weights);
                add_slope(program.passes[--k].x, program.rotations[q], sums + lanes, gradient, d_weights);
                continue;
            }
            for (size_t r = pass.first + pass.count; r-- > pass.first;) {
                const Word word = word_on_vectors(pass.x, program.rotations[r].z, 0);
                std::memset(sums, 0, lanes * sizeof(T));
                kernel.unrotate(re, im, lre, lim, 0, n_pairs(word, size), word, turn(r), turn(r) + lanes, sums);
                add_slope(pass.x, program.rotations[r], sums, gradient, d_weights);
            }
        }
        if (gradient.d_inputs && program.real_column >= 0) give_column(program.real_column, lre, gradient.d_inputs);
        if (gradient.d_inputs && program.imaginary_column >= 0)
            give_column(program.imaginary_column, lim, gradient.d_inputs);
    }

    void add_slope(uint64_t x, const Rotation& r, const T* sums, const Gradient<T>& gradient, double* d_weights) {
        const double scale = rotation_sign(x, r.z) * r.scale;
        if (r.source == Source::input && gradient.d_inputs)
            for (size_t lane = 0; lane < used; ++lane)
                gradient.d_inputs[(first + lane) * program.n_inputs + r.index] += T(scale * sums[lane]);
        if (r.source == Source::weight && gradient.d_weights) {
            double total = 0;
            for (size_t lane = 0; lane < used; ++lane) {
                if (batch.weight_stride)
                    gradient.d_weights[(first + lane) * batch.weight_stride + r.index] += T(scale * sums[lane]);
                total += sums[lane];
            }
            d_weights[r.index] += scale * total;
        }
    }

    void give_column(size_t column, const T* part, T* d_inputs) {
        for (size_t lane = 0; lane < used; ++lane)
            for (size_t i = 0; i < size; ++i)
                d_inputs[(first + lane) * program.n_inputs + column + i] += 2 * part[i * lanes + lane];
    }

    // The sums of multiplexed passes become derivatives of their angles by one Walsh-Hadamard transform each.
    void close_part(double* d_weights) {
        Scratch inner;
        double* totals = inner.take<double>(size);
        for (size_t k = 0; k < program.passes.size(); ++k) {
            if (shared.tables[k] == NO_TABLE) continue;
            const Pass& pass = program.passes[k];
            const size_t pairs = shared.pairs(pass);
            const T* vectors = table_sums + shared.tables[k] / 2 * lanes;
            for (size_t i = 0; i < pairs; ++i) {
                totals[i] = 0;
                for (size_t lane = 0; lane < lanes; ++lane) totals[i] += vectors[i * lanes + lane];
            }
            walsh_hadamard(totals, pairs);
            for (size_t r = pass.first; r < pass.first + pass.count; ++r) {
                const Rotation& rotation = program.rotations[r];
                if (rotation.source == Source::weight)
                    d_weights[rotation.index] +=
                        rotation.scale * rotation_sign(pass.x, rotation.z) * totals[on_pairs(pass.x, rotation.z)];
            }
        }
    }
};

template <class T>
size_t n_tiles(const Batch<T>& batch) {
    const size_t lanes = kernels<T>().lanes;
    return (batch.size + lanes - 1) / lanes;
}

// part(first tile, end tile, part's index) over all parts of the batch.
template <class T, class F>
void over_parts(const Batch<T>& batch, F part) {
    const size_t tiles = n_tiles(batch), parts = n_parts(tiles);
    parallel_for(parts, batch.threads, [&](size_t p) { part(tiles * p / parts, tiles * (p + 1) / parts, p); });
}

}  // namespace

template <class T>
void forward(const Program& program, const Batch<T>& batch, T* values, T* kept) {
    const Shared<T> shared(program, batch);
    over_parts(batch, [&](size_t begin, size_t end, size_t) {
        Tile<T> tile(shared, false);
        for (size_t t = begin; t < end; ++t) {
            tile.open(t);
            tile.run();
            tile.measure(values);
            if (kept) tile.keep(kept);
        }
    });
}

template <class T>
void backward(const Program& program, const Batch<T>& batch, const Gradient<T>& gradient) {
    const Shared<T> shared(program, batch);
    const size_t parts = n_parts(n_tiles(batch)), width = program.n_weights;
    Scratch scratch;
    double* sums = scratch.take<double>(parts * width);
    std::memset(sums, 0, parts * width * sizeof(double));
    over_parts(batch, [&](size_t begin, size_t end, size_t part) {
        Tile<T> tile(shared, true);
        for (size_t t = begin; t < end; ++t) {
            tile.open(t);
            gradient.kept ? tile.take_back(gradient.kept) : tile.run();
            tile.weigh(gradient.cotangents);
            tile.walk_back(gradient, sums + part * width);
        }
        tile.close_part(sums + part * width);
    });
    if (gradient.d_weights && !batch.weight_stride) add_parts(sums, parts, width, gradient.d_weights);
}

template <class T>
void states(const Program& program, const Batch<T>& batch, T* out) {
    const Shared<T> shared(program, batch);
    over_parts(batch, [&](size_t begin, size_t end, size_t) {
        Tile<T> tile(shared, false);
        for (size_t t = begin; t < end; ++t) {
            tile.open(t);
            tile.run();
            for (size_t lane = 0; lane < tile.used; ++lane)
                for (size_t i = 0; i < tile.size; ++i) {
                    T* amplitude = out + 2 * ((tile.first + lane) * tile.size + i);
                    amplitude[0] = tile.re[i * tile.lanes + lane];
                    amplitude[1] = tile.im[i * tile.lanes + lane];
                }
        }
    });
}

template void forward<float>(const Program&, const Batch<float>&, float*, float*);
template void forward<double>(const Program&, const Batch<double>&, double*, double*);
template void backward<float>(const Program&, const Batch<float>&, const Gradient<float>&);
template void backward<double>(const Program&, const Batch<double>&, const Gradient<double>&);
template void states<float>(const Program&, const Batch<float>&, float*);
template void states<double>(const Program&, const Batch<double>&, double*);

}  // namespace qloom::batched
