// A call: tiles shared among threads, or threads within a tile; states kept for the walk back.
#include <algorithm>
#include <cmath>

#include "density/walk.hpp"
#include "machine/threads.hpp"

namespace qloom::density {
namespace {

// The states before all sweeps are kept where they take no more than this for a tile, else those before every s-th, s
// about the root of their number, and those between are found again.
constexpr size_t MOST_KEPT_BYTES = size_t(1) << 28;
// Work is cut into at most this many parts, whatever the number of threads, and sums are taken part by part in order.
constexpr size_t MOST_PARTS = 16;
// Waking threads takes some ten microseconds: less work than this many cells of maps is done sooner alone.
constexpr size_t LEAST_WORK_SHARED = size_t(1) << 20;

// Sweeps between two states that are kept.
template <class T>
size_t stride_of(const Program& program, const Layout& layout) {
    const size_t n = program.sweeps.size();
    if (n * layout.places.size() * sizeof(T) <= MOST_KEPT_BYTES) return 1;
    return size_t(std::ceil(std::sqrt(double(n))));
}

// States of a tile at one time, lambda among them.
template <class T>
size_t n_states(const Program& program, const Layout& layout) {
    const size_t n = std::max<size_t>(1, program.sweeps.size()), stride = stride_of<T>(program, layout);
    return (n + stride - 1) / stride + (stride > 1 ? stride - 1 : 0) + 1;
}

template <class T>
int threads_of(const Program& program, const Layout& layout, const Call<T>& call) {
    const size_t work = call.size * program.size() * (program.maps.size() + 1);
    return layout.threads_share || work < LEAST_WORK_SHARED ? 1 : call.threads;
}

size_t n_parts(const Layout& layout) { return layout.threads_share ? 1 : std::min(layout.tiles, MOST_PARTS); }

// work(first tile, last tile, part)
template <class F>
void over_parts(const Layout& layout, int threads, F work) {
    const size_t parts = n_parts(layout), tiles = layout.tiles;
    parallel_for(parts, threads, [&](size_t part) { work(tiles * part / parts, tiles * (part + 1) / parts, part); });
}

// A tile's way back, with the states before its sweeps: those that the way there has left, or found here.
template <class T>
class Return {
public:
    Return(const Program& program, const Layout& l, const T* g, Scratch& scratch)
        : layout(l), n(program.sweeps.size()), stride(stride_of<T>(program, l)), given(g) {
        if (given) return;
        for (size_t k = 0; k == 0 || k * stride < n; ++k) kept.push_back(scratch.take<T>(layout.places.size()));
        for (size_t k = 0; k + 1 < stride; ++k) between.push_back(scratch.take<T>(layout.places.size()));
    }

    void open(Walk<T>& walk, size_t tile) {
        walk.open(tile * layout.per_tile, given ? nullptr : kept[0]);
        if (!given) return there(walk);
        of_tile = given + tile * n * layout.places.size();
    }

    void back(Walk<T>& walk, T* lambda, size_t begin) const {
        for (size_t first = n ? (n - 1) / stride * stride : 0, end = n; end > begin; end = first, first -= stride) {
            for (size_t s = first; s + 1 < end; ++s) walk.run(s, at(s, first), between[s - first]);
            for (size_t s = end; s-- > std::max(first, begin);) walk.run_back(s, at(s, first), lambda);
        }
    }

private:
    void there(const Walk<T>& walk) const {
        const T* state = kept[0];
        for (size_t s = 0; s + 1 < n; ++s) {
            const bool keep = (s + 1) % stride == 0;
            if (!keep && (n - 1) / stride == (s + 1) / stride) break;  // the last stretch is found again anyway
            T* next = keep ? kept[(s + 1) / stride] : between[0];
            walk.run(s, state, next);
            state = next;
        }
    }

    const T* at(size_t sweep, size_t first) const {
        if (given) return of_tile + sweep * layout.places.size();
        return sweep == first ? kept[first / stride] : between[sweep - first - 1];
    }
    const Layout& layout;
    const size_t n, stride;
    const T *given, *of_tile = nullptr;
    std::vector<T*> kept, between;
};

}  // namespace

template <class T>
size_t bytes_needed(const Program& program, size_t batch, int threads, bool back) {
    const Layout layout = layout_of<T>(program, batch);
    const size_t at_once = layout.threads_share ? 1 : std::min(n_parts(layout), size_t(threads));
    return at_once * (back ? n_states<T>(program, layout) : 1) * layout.places.size() * sizeof(T);
}

template <class T>
size_t kept_size(const Program& program, size_t batch) {
    const Layout layout = layout_of<T>(program, batch);
    if (stride_of<T>(program, layout) > 1) return 0;
    return layout.tiles * program.sweeps.size() * layout.places.size();
}

template <class T>
void forward(const Program& program, const Call<T>& call, T* values, T* kept) {
    const size_t n = program.sweeps.size();
    const Layout layout = layout_of<T>(program, call.size);
    over_parts(layout, threads_of(program, layout, call), [&](size_t tile, size_t end, size_t) {
        Walk<T> walk(program, call, layout, nullptr, false);
        Scratch scratch;
        const size_t size = layout.places.size();
        T* state = scratch.take<T>(size);
        for (; tile < end; ++tile) {
            const auto before = [&](size_t s) { return kept && s < n ? kept + (tile * n + s) * size : state; };
            walk.open(tile * layout.per_tile, before(0));
            for (size_t s = 0; s < n; ++s) walk.run(s, before(s), before(s + 1));
            walk.read(state, values);
        }
    });
}

template <class T>
void backward(const Program& program, const Call<T>& call, const Slopes<T>& slopes, const T* kept) {
    const Layout layout = layout_of<T>(program, call.size);
    const size_t parts = n_parts(layout), width = program.n_values;
    Scratch scratch;
    double* sums = scratch.take<double>(parts * width);
    std::fill_n(sums, parts * width, 0.0);
    over_parts(layout, threads_of(program, layout, call), [&](size_t tile, size_t end, size_t part) {
        Walk<T> walk(program, call, layout, slopes.wanted, true);
        Scratch mine;
        T* lambda = mine.take<T>(layout.places.size());
        Return<T> way(program, layout, kept, mine);
        for (; tile < end; ++tile) {
            way.open(walk, tile);
            walk.set_cotangents(slopes.cotangents, lambda);
            way.back(walk, lambda, slopes.initial ? 0 : walk.first_wanted());
            walk.close(sums + part * width, slopes.own);
            if (slopes.initial) walk.give_start(lambda, slopes.initial);
        }
    });
    for (size_t part = 1; part < parts; ++part)
        for (size_t k = 0; k < width; ++k) sums[k] += sums[part * width + k];
    for (size_t m = 0; m < program.maps.size(); ++m) {
        const Map& map = program.maps[m];
        if (slopes.wanted[m] && !call.is_own[m])
            std::copy_n(sums + map.first, map.n_values, slopes.shared + call.columns[m]);
    }
}

template size_t bytes_needed<float>(const Program&, size_t, int, bool);
template size_t bytes_needed<double>(const Program&, size_t, int, bool);
template size_t kept_size<float>(const Program&, size_t);
template size_t kept_size<double>(const Program&, size_t);
template void forward<float>(const Program&, const Call<float>&, float*, float*);
template void forward<double>(const Program&, const Call<double>&, double*, double*);
template void backward<float>(const Program&, const Call<float>&, const Slopes<float>&, const float*);
template void backward<double>(const Program&, const Call<double>&, const Slopes<double>&, const double*);

}  // namespace qloom::density
