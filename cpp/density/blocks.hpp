// Where the cells of a tile's vector lie, and the blocks of a sweep brought together from there.
#pragma once
#include <vector>

#include "density/program.hpp"
#include "kernels/kernels.hpp"
#include "machine/memory.hpp"

namespace qloom::density {

// A cell's place is the sum of what the bits of its number stand for: powers of two, but for a line of the cache that
// is left out every so often. Cells that are far apart by powers of two would all go to the same few sets of a cache.
class Places {
public:
    // cell: numbers a cell; n_bits of a cell's number.
    template <class T>
    static Places of(size_t cell, unsigned n_bits) {
        Places out;
        size_t place = cell;
        unsigned since = 0;
        for (unsigned b = 0; b < n_bits; ++b, place *= 2) {
            // The first time at a page's distance, later where the lines left out add up to one.
            const bool far = since ? --since == 0 : place * sizeof(T) == PAGE_BYTES;
            if (far) place += LINE_BYTES / sizeof(T), since = LINES_OF_PAGE_BITS;
            out.weights.push_back(place);
        }
        out.numbers = out.of_cell((size_t(1) << n_bits) - 1) + cell;
        return out;
    }
    size_t of_bit(unsigned bit) const { return weights[bit]; }
    size_t of_cell(size_t number) const {
        size_t out = 0;
        for (; number; number &= number - 1) out += weights[size_t(__builtin_ctzll(number))];
        return out;
    }
    // Numbers of a vector, what is left out too.
    size_t size() const { return numbers; }

private:
    static constexpr size_t PAGE_BYTES = 4096;
    static constexpr unsigned LINES_OF_PAGE_BITS = 6;
    std::vector<size_t> weights;
    size_t numbers = 0;
};

// The blocks of a sweep. Lanes are samples, or the lowest bits that the sweep leaves alone.
template <class T>
class Blocks {
public:
    Blocks(const Sweep& sweep, const Places& places, bool samples_in_lanes) {
        const unsigned skipped = samples_in_lanes ? 0 : 63u - unsigned(__builtin_clzll(kernel->lanes));
        n_cells = size_t(1) << sweep.bits.size();
        for (size_t k = 0; k < n_cells; ++k) cells.push_back(uint32_t(sum(k, sweep.bits, 0, places)));
        for (size_t k = skipped; k < sweep.free_bits.size(); ++k) free.push_back(places.of_bit(sweep.free_bits[k]));
        for (size_t l = 0; l < (size_t(1) << skipped); ++l) {
            lanes[l] = uint32_t(sum(l, sweep.free_bits, 0, places));
            apart = apart || lanes[l] != l;
        }
    }
    size_t count() const { return size_t(1) << free.size(); }
    size_t size() const { return n_cells; }

    void gather(const T* state, T* block, size_t number) const {
        const T* from = state + base(number);
        if (apart)
            kernel->gather_lanes(from, block, n_cells, cells.data(), lanes);
        else
            kernel->gather_digits(from, block, n_cells, cells.data());
    }
    void scatter(T* state, const T* block, size_t number) const {
        T* to = state + base(number);
        if (apart)
            kernel->scatter_lanes(to, block, n_cells, cells.data(), lanes);
        else
            kernel->scatter_digits(to, block, n_cells, cells.data());
    }

    // Into the second cache, while the block before is worked on. `number` may be one too many.
    void prefetch(const T* state, size_t number) const {
        if (number >= count()) return;
        const T* from = state + base(number);
        for (uint32_t cell : cells) __builtin_prefetch(from + cell, 0, 2);
    }

private:
    static size_t sum(size_t number, const std::vector<unsigned>& bits, size_t from, const Places& places) {
        size_t out = 0;
        for (size_t k = from; number; ++k, number >>= 1)
            if (number & 1) out += places.of_bit(bits[k]);
        return out;
    }
    size_t base(size_t number) const {
        size_t out = 0;
        for (; number; number &= number - 1) out += free[size_t(__builtin_ctzll(number))];
        return out;
    }

    const Kernels<T>* kernel = &kernels<T>();
    size_t n_cells;
    std::vector<uint32_t> cells;
    std::vector<size_t> free;
    bool apart = false;
    uint32_t lanes[MOST_LANES];
};

}  // namespace qloom::density
