// The sweeps of one tile: a vector's worth of samples, or one sample.
#pragma once
#include "density/blocks.hpp"
#include "machine/arena.hpp"

namespace qloom::density {

// How a call's samples lie in vectors, and who works on a tile. It depends on sizes alone.
struct Layout {
    bool samples_in_lanes;   // else lanes are the lowest digits that a sweep leaves alone
    bool threads_share;      // threads share the blocks of a tile, else each has its own tiles
    size_t per_tile, tiles;  // samples a tile
    Places places;
};

template <class T>
Layout layout_of(const Program&, size_t batch);

template <class T>
class Walk {
public:
    // back: slopes are summed too.
    Walk(const Program&, const Call<T>&, const Layout&, const uint8_t* wanted, bool back);

    // Take up the samples from this one on; `state` becomes their start.
    void open(size_t sample, T* state);
    // One sweep; `to` may be `from`.
    void run(size_t sweep, const T* from, T* to) const;
    // The sweep back: `state` is what it began with, lambda the slopes by what it gave and then by that.
    void run_back(size_t sweep, const T* state, T* lambda);

    void read(const T* state, T* values) const;
    void set_cotangents(const T* cotangents, T* lambda) const;
    // Adds the slopes of this tile: `shared` has a double for every value of the program.
    void close(double* shared, double* own);
    void give_start(const T* lambda, T* initial) const;

    // The first sweep with a map whose slopes are wanted.
    size_t first_wanted() const { return begin; }

private:
    template <class F>
    void over_chunks(size_t n_blocks, F work) const;
    void add_up(const T* partial, size_t n_values, double* total) const;
    const T* values_of(const Map& map) const { return values + map.first * lanes; }
    void apply(const Map&, const T* in, T* out) const;
    void pull(const Map&, const T* in, T* out) const;
    void add_sums(const Map&, const T* state, const T* lambda, T* sums) const;
    size_t sample_of(size_t lane) const;

    const Program& program;
    const Call<T>& call;
    const Layout& layout;
    const uint8_t* wanted;
    const Places& places = layout.places;
    const Kernels<T>& kernel = kernels<T>();
    std::vector<Blocks<T>> blocks;  // of every sweep
    const size_t lanes = kernel.lanes;
    size_t first_sample = 0, begin = 0;
    mutable Scratch scratch;
    T* values;
    double* sums = nullptr;  // for each chunk and value, a number a lane of samples
    size_t sum_width = 1;
};

}  // namespace qloom::density
