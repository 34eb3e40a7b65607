// A call: the layout of its samples, and their tiles shared among threads.
#include "machine/interrupt.hpp"
#include "machine/threads.hpp"
#include "statevector/program.hpp"
#include "statevector/tile.hpp"

namespace qloom {
namespace {

// Registers of up to so many qubits run with samples in the lanes where there are enough to fill half of them.
constexpr unsigned MOST_BITS_SAMPLES_IN_LANES = 13;
// States from this width on are shared by the threads where there are fewer than FEW of them.
constexpr unsigned LEAST_BITS_SHARED = 15;
constexpr size_t FEW = 4;
// Waking threads takes some ten microseconds: less work than this many turns of an amplitude is done sooner alone.
constexpr size_t LEAST_WORK_SHARED = size_t(1) << 20;

// Work is cut into at most this many parts, whatever the number of threads, and sums are taken part by part in order:
// so results do not depend on the threads.
size_t n_parts(size_t items) { return items < 8 ? items : items < 64 ? 8 : items < 1024 ? 16 : 64; }

// A batch cut into tiles, and tiles into parts for the threads.
template <class T>
struct Cut {
    Layout layout;
    size_t per_tile, tiles, parts, numbers;
    int threads, threads_within;  // within 0: a tile is one thread's

    Cut(const Program& program, const Batch<T>& batch) {
        const size_t lanes = kernels<T>().lanes;
        const unsigned bits = program.coordinates().bits, most = 63 - __builtin_clzll(lanes);
        const bool samples = bits < most + 2 || (bits <= MOST_BITS_SAMPLES_IN_LANES && 2 * batch.size >= lanes);
        per_tile = samples ? lanes : 1;
        tiles = (batch.size + per_tile - 1) / per_tile;
        numbers = (size_t(program.coordinates().is_real ? 1 : 2) << bits) * per_tile +
                  LINE_BYTES / sizeof(T);  // a state, and its drift
        const bool work = batch.size * (program.rotations.size() + 1) << bits >= LEAST_WORK_SHARED;
        const bool within = !samples && bits >= LEAST_BITS_SHARED && batch.size < FEW;
        layout = {samples ? 0 : most, batch.weight_stride != 0, within};
        threads = work && !within ? batch.threads : 1;
        threads_within = within ? batch.threads : 0;
        parts = within ? 1 : n_parts(tiles);
    }

    // body(tile) for every tile, opened on its part of psi; done(tile, part) when a part's tiles are through.
    template <class F, class G>
    void over_tiles(const Angles<T>& angles, bool with_lambda, T* psi, F body, G done) const {
        parallel_for(parts, threads, [&](size_t part) {
            Tile<T> tile(angles, threads_within, with_lambda);
            for (size_t t = tiles * part / parts; t < tiles * (part + 1) / parts; ++t) {
                Watch::check(numbers * (angles.program.rotations.size() + 1));
                tile.open(t * per_tile, psi ? psi + t * numbers : nullptr);
                body(tile);
            }
            done(tile, part);
        });
    }
    template <class F>
    void over_tiles(const Angles<T>& angles, T* psi, F body) const {
        over_tiles(angles, false, psi, body, [](const Tile<T>&, size_t) {});
    }
};

}  // namespace

template <class T>
size_t kept_size(const Program& program, size_t batch) {
    const Cut<T> cut(program, {batch, nullptr, nullptr, 0, 0, 1});
    return cut.tiles * cut.numbers;
}

template <class T>
void forward(const Program& program, const Batch<T>& batch, T* values, T* kept) {
    const Cut<T> cut(program, batch);
    const Angles<T> angles(program, program.schedule(cut.layout), batch, false);
    cut.over_tiles(angles, kept, [&](Tile<T>& tile) {
        tile.run();
        tile.measure(values);
    });
}

template <class T>
void backward(const Program& program, const Batch<T>& batch, const Gradient<T>& gradient) {
    const Cut<T> cut(program, batch);
    const Angles<T> angles(program, program.schedule(cut.layout), batch, true);
    // Of every part: the derivatives of the weights, then the sums over the tables' entries.
    const size_t width = program.n_weights + angles.n_sums;
    Scratch scratch;
    double* sums = scratch.take<double>(cut.parts * width);
    std::memset(sums, 0, cut.parts * width * sizeof(double));
    cut.over_tiles(
        angles, true, gradient.kept,
        [&](Tile<T>& tile) {
            if (!gradient.kept) tile.run();
            tile.walk_back(gradient);
        },
        [&](Tile<T>& tile, size_t part) { tile.close(sums + part * width, sums + part * width + program.n_weights); });
    if (!gradient.d_weights || batch.weight_stride) return;
    for (size_t part = 1; part < cut.parts; ++part)
        for (size_t k = 0; k < width; ++k) sums[k] += sums[part * width + k];
    angles.add_table_slopes(sums + program.n_weights, sums);
    for (size_t k = 0; k < program.n_weights; ++k)
        gradient.d_weights[k] = !gradient.trained || gradient.trained[k] ? T(sums[k]) : T(0);
}

template size_t kept_size<float>(const Program&, size_t);
template size_t kept_size<double>(const Program&, size_t);
template void forward<float>(const Program&, const Batch<float>&, float*, float*);
template void forward<double>(const Program&, const Batch<double>&, double*, double*);
template void backward<float>(const Program&, const Batch<float>&, const Gradient<float>&);
template void backward<double>(const Program&, const Batch<double>&, const Gradient<double>&);

}  // namespace qloom
