#include "density/walk.hpp"

#include <algorithm>

#include "machine/interrupt.hpp"
#include "machine/threads.hpp"

namespace qloom::density {
namespace {

// Up to so many digits samples lie in the lanes where there are enough to fill half of them.
constexpr unsigned MOST_DIGITS_SAMPLES_IN_LANES = 8;
// Vectors from this width on are shared by the threads where there are fewer than FEW of them.
constexpr unsigned LEAST_DIGITS_SHARED = 7;
constexpr size_t FEW = 8;
// A tile that threads share is cut into at most this many chunks a sweep.
constexpr size_t MOST_CHUNKS = 16;
// Sums in T are taken over to double after so many blocks.
constexpr size_t BLOCKS_BETWEEN = 64;

DigitRows listed(const Rows& r) {
    return {r.places.data(), r.columns.data(), r.starts.data(), r.entries.data(), r.places.size()};
}

DigitGroups groups_of(const Map& map) { return {map.groups.data(), map.groups.size(), map.stride}; }

}  // namespace

template <class T>
Layout layout_of(const Program& program, size_t batch) {
    const size_t lanes = kernels<T>().lanes, n = program.n_digits;
    const bool lanes_of_digits = 2 * (n - program.widest) >= size_t(__builtin_ctzll(lanes));
    const bool samples = !lanes_of_digits || (n <= MOST_DIGITS_SAMPLES_IN_LANES && 2 * batch >= lanes);
    Layout out;
    out.samples_in_lanes = samples;
    out.per_tile = samples ? lanes : 1;
    out.tiles = (batch + out.per_tile - 1) / out.per_tile;
    out.places = Places::of<T>(out.per_tile, unsigned(2 * n));
    out.threads_share = n >= LEAST_DIGITS_SHARED && out.tiles < FEW;
    return out;
}

template <class T>
Walk<T>::Walk(const Program& p, const Call<T>& c, const Layout& l, const uint8_t* w, bool back)
    : program(p), call(c), layout(l), wanted(w) {
    for (const Sweep& sweep : program.sweeps) blocks.emplace_back(sweep, layout.places, layout.samples_in_lanes);
    values = scratch.take<T>(program.n_values * lanes);
    if (!back) return;
    sum_width = layout.samples_in_lanes ? lanes : 1;
    sums = scratch.take<double>((layout.threads_share ? MOST_CHUNKS : 1) * program.n_values * sum_width);
    const auto is_wanted = [&](const Sweep& s) {
        return std::any_of(w + s.first, w + s.end, [](uint8_t m) { return m; });
    };
    begin = size_t(std::find_if(p.sweeps.begin(), p.sweeps.end(), is_wanted) - p.sweeps.begin());
}

template <class T>
size_t Walk<T>::sample_of(size_t lane) const {
    return std::min(first_sample + lane, call.size - 1);  // lanes beyond the last sample repeat it
}

template <class T>
void Walk<T>::open(size_t sample, T* state) {
    first_sample = sample;
    for (size_t m = 0; m < program.maps.size(); ++m) {
        const Map& map = program.maps[m];
        T* to = values + map.first * lanes;
        for (size_t l = 0; l < lanes; ++l) {
            const size_t row = layout.samples_in_lanes ? sample_of(l) : sample;
            const T* from = call.columns[m] + (call.is_own[m] ? call.own + row * call.n_own : call.shared);
            for (size_t e = 0; e < map.n_values; ++e) to[e * lanes + l] = from[e];
        }
    }
    if (sums) std::fill_n(sums, (layout.threads_share ? MOST_CHUNKS : 1) * program.n_values * sum_width, 0.0);
    if (!state) return;
    constexpr size_t LOW = 0x5555555555555555;
    for (size_t k = 0; k < program.size(); ++k) {
        T* to = state + places.of_cell(k);
        for (size_t l = 0; l < layout.per_tile; ++l)
            to[l] = call.initial ? call.initial[sample_of(l) * call.initial_stride + k]
                                 : T(((k ^ k >> 1) & LOW) == 0);  // words of I and Z
    }
}

// work(chunk, first block, last block)
template <class T>
template <class F>
void Walk<T>::over_chunks(size_t n_blocks, F work) const {
    const size_t chunks = layout.threads_share ? std::min(MOST_CHUNKS, n_blocks) : 1;
    if (chunks == 1) return work(0, 0, n_blocks);
    parallel_for(chunks, call.threads, [&](size_t c) { work(c, n_blocks * c / chunks, n_blocks * (c + 1) / chunks); });
}

template <class T>
void Walk<T>::apply(const Map& map, const T* in, T* out) const {
    if (map.is_dense)
        kernel.map_digit(in, out, values_of(map), groups_of(map));
    else
        kernel.map_rows(in, out, values_of(map), listed(map.rows), groups_of(map));
}

template <class T>
void Walk<T>::pull(const Map& map, const T* in, T* out) const {
    if (map.is_dense)
        kernel.pull_digit(in, out, values_of(map), groups_of(map));
    else
        kernel.map_rows(in, out, values_of(map), listed(map.transposed), groups_of(map));
}

template <class T>
void Walk<T>::add_sums(const Map& map, const T* state, const T* lambda, T* to) const {
    if (map.is_dense) return kernel.sum_digit(state, lambda, to, groups_of(map));
    const DigitEntries some{map.varying_rows.data(), map.varying_columns.data(), map.varying.data(),
                            map.varying.size()};
    kernel.sum_entries(state, lambda, to, some, groups_of(map));
}

template <class T>
void Walk<T>::run(size_t sweep, const T* from, T* to) const {
    const Sweep& s = program.sweeps[sweep];
    const Blocks<T>& all = blocks[sweep];
    over_chunks(all.count(), [&](size_t, size_t first, size_t end) {
        Scratch mine;
        const size_t size = all.size() * lanes;
        T *block = mine.take<T>(size), *other = mine.take<T>(size);
        for (size_t b = first; b < end; ++b) {
            Watch::check(size * (s.end - s.first));
            all.gather(from, block, b);
            all.prefetch(from, b + 1);
            for (size_t m = s.first; m < s.end; ++m) {
                apply(program.maps[m], block, other);
                std::swap(block, other);
            }
            all.scatter(to, block, b);
        }
    });
}

template <class T>
void Walk<T>::run_back(size_t sweep, const T* state, T* lambda) {
    const Sweep& s = program.sweeps[sweep];
    const Blocks<T>& all = blocks[sweep];
    const size_t n_values = s.end_value - s.first_value, n_maps = s.end - s.first;
    over_chunks(all.count(), [&](size_t chunk, size_t first, size_t end) {
        Scratch mine;
        const size_t size = all.size() * lanes;
        T *stages = mine.take<T>(n_maps * size), *block = mine.take<T>(size), *other = mine.take<T>(size);
        T* partial = mine.take<T>(n_values * lanes);
        double* total = sums + (chunk * program.n_values + s.first_value) * sum_width;
        for (size_t b = first; b < end;) {
            std::fill_n(partial, n_values * lanes, T(0));
            for (const size_t stop = std::min(end, b + BLOCKS_BETWEEN); b < stop; ++b) {
                Watch::check(3 * size * n_maps);
                all.gather(state, stages, b);
                for (size_t m = 0; m + 1 < n_maps; ++m)
                    apply(program.maps[s.first + m], stages + m * size, stages + (m + 1) * size);
                all.gather(lambda, block, b);
                all.prefetch(state, b + 1), all.prefetch(lambda, b + 1);
                for (size_t m = n_maps; m-- > 0;) {
                    const Map& map = program.maps[s.first + m];
                    if (wanted[s.first + m])
                        add_sums(map, stages + m * size, block, partial + (map.first - s.first_value) * lanes);
                    pull(map, block, other);
                    std::swap(block, other);
                }
                all.scatter(lambda, block, b);
            }
            add_up(partial, n_values, total);
        }
    });
}

// Lanes are samples, each with sums of its own, or parts of one sum.
template <class T>
void Walk<T>::add_up(const T* partial, size_t n_values, double* total) const {
    if (sum_width > 1) {
        for (size_t k = 0; k < n_values * lanes; ++k) total[k] += double(partial[k]);
        return;
    }
    for (size_t e = 0; e < n_values; ++e)
        for (size_t l = 0; l < lanes; ++l) total[e] += double(partial[e * lanes + l]);
}

template <class T>
void Walk<T>::read(const T* state, T* out) const {
    const size_t n = program.cells.size();
    for (size_t l = 0; l < layout.per_tile && first_sample + l < call.size; ++l)
        for (size_t k = 0; k < n; ++k) out[(first_sample + l) * n + k] = state[places.of_cell(program.cells[k]) + l];
}

template <class T>
void Walk<T>::set_cotangents(const T* cotangents, T* lambda) const {
    std::fill_n(lambda, places.size(), T(0));
    const size_t n = program.cells.size();
    for (size_t l = 0; l < layout.per_tile && first_sample + l < call.size; ++l)
        for (size_t k = 0; k < n; ++k)
            lambda[places.of_cell(program.cells[k]) + l] = cotangents[(first_sample + l) * n + k];
}

template <class T>
void Walk<T>::close(double* shared, double* own) {
    const size_t width = program.n_values * sum_width;
    for (size_t chunk = 1; layout.threads_share && chunk < MOST_CHUNKS; ++chunk)
        for (size_t k = 0; k < width; ++k) sums[k] += sums[chunk * width + k];
    for (size_t m = 0; m < program.maps.size(); ++m) {
        if (!wanted[m]) continue;
        const Map& map = program.maps[m];
        for (size_t l = 0; l < layout.per_tile && first_sample + l < call.size; ++l)
            for (size_t e = 0; e < map.n_values; ++e) {
                const double sum = sums[(map.first + e) * sum_width + l];
                if (call.is_own[m])
                    own[(first_sample + l) * call.n_own + size_t(call.columns[m]) + e] = sum;
                else
                    shared[map.first + e] += sum;
            }
    }
}

template <class T>
void Walk<T>::give_start(const T* lambda, T* initial) const {
    const size_t size = program.size();
    for (size_t l = 0; l < layout.per_tile && first_sample + l < call.size; ++l)
        for (size_t k = 0; k < size; ++k) initial[(first_sample + l) * size + k] = lambda[places.of_cell(k) + l];
}

template Layout layout_of<float>(const Program&, size_t);
template Layout layout_of<double>(const Program&, size_t);
template class Walk<float>;
template class Walk<double>;

}  // namespace qloom::density
