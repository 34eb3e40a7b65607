// A table that gives an outcome for a word of random bits in two steps, whatever the number of outcomes.
#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <vector>

namespace qloom {

// n equal cells, of each of which a part is its own outcome's and the rest one other's. The upper bits of a word are
// the cell, the lower ones a place in it; where these fall into the step that holds the part's edge, `finer` bits
// decide. Source: Walker 1977; swept as in Hubschle-Schneider, Sanders 2019, arXiv 1903.00227, section 4.
class Alias {
public:
    // n probabilities, a power of two from 2 to 2^bits; their sum need not be 1. Words have 16 or 32 bits.
    template <class T>
    void fill(const T* probabilities, size_t n, unsigned bits);

    // A cell is 2^UNIT: 2^12 of them are below 2^63, and sums of whole numbers are exact.
    static constexpr unsigned UNIT = 50;
    struct Cell {
        uint32_t edge, turn;  // i ^ turn is the other
        uint64_t rest;        // of the step that holds the edge, how much is below it
    };
    // The table as loops read it.
    struct View {
        const Cell* cells;
        uint32_t mask, shift;

        // `finer` gives a random word of 64 bits where one is needed.
        template <class Finer>
        size_t outcome(uint32_t word, const Finer& finer) const {
            const uint32_t place = word & mask, i = word >> shift;
            const Cell& cell = cells[i];
            if (place == cell.edge) [[unlikely]]
                return (finer() >> (64 - UNIT + shift)) < cell.rest ? i : i ^ cell.turn;
            // No branch: it could not be foretold.
            return i ^ (cell.turn & -uint32_t(place > cell.edge));
        }
    };
    View view() const { return {cells.data(), mask, shift}; }

private:
    // Outcomes with how much more or less than a cell they take.
    struct Side {
        std::vector<uint32_t> outcome;
        std::vector<int64_t> excess;
    };
    void set(uint32_t i, int64_t excess, uint32_t other) {
        const uint64_t part = uint64_t(excess + (int64_t(1) << UNIT)), step = UNIT - shift;
        cells[i] = {uint32_t(part >> step), i ^ other, part & ((uint64_t(1) << step) - 1)};
    }
    std::vector<Cell> cells;
    Side light, heavy;
    uint32_t mask = 0, shift = 0;
};

template <class T>
void Alias::fill(const T* probabilities, size_t n, unsigned bits) {
    shift = uint32_t(bits + 1 - std::bit_width(n)), mask = (uint32_t(1) << shift) - 1;
    cells.resize(n);
    for (Side* side : {&light, &heavy}) side->outcome.resize(n + 1), side->excess.resize(n + 1);
    double sum = 0;
    for (size_t i = 0; i < n; ++i) sum += double(probabilities[i]);

    if (!(sum > 0)) throw std::invalid_argument("probabilities of a row add up to 0, expected 1");
    const double scale = double(n) / sum * double(int64_t(1) << UNIT);
    size_t n_light = 0, n_heavy = 0;
    for (size_t i = 0; i < n; ++i) {
        const int64_t excess = int64_t(double(probabilities[i]) * scale) - (int64_t(1) << UNIT);
        light.outcome[n_light] = heavy.outcome[n_heavy] = uint32_t(i);
        light.excess[n_light] = heavy.excess[n_heavy] = excess;
        n_light += excess <= 0, n_heavy += excess > 0;
    }
    if (n_heavy == 0) {  // nothing is more than a cell, so nothing is less
        for (size_t i = 0; i < n; ++i) set(uint32_t(i), 0, uint32_t(i));
        return;
    }
    // Light outcomes leave room in their cells, which the heavy one at hand fills until what is left of it is light;
    // then the next heavy one is at hand. Both ways are one line, since none could be foretold.
    size_t l = 0, h = 0;
    int64_t left = heavy.excess[0];
    while (l < n_light && h + 1 < n_heavy) {
        const int64_t over = (left - 1) >> 63, ahead = light.excess[l];  // -1 where nothing is left to give, else 0
        const int64_t more = ahead ^ ((ahead ^ heavy.excess[h + 1]) & over), kept = ahead ^ ((ahead ^ left) & over);
        const uint32_t one = light.outcome[l], at_hand = heavy.outcome[h], turn = uint32_t(over);
        set(one ^ ((one ^ at_hand) & turn), kept, at_hand ^ ((at_hand ^ heavy.outcome[h + 1]) & turn));
        left += more, h -= size_t(over), l += size_t(1 + over);
    }
    for (; h + 1 < n_heavy; left += heavy.excess[++h]) set(heavy.outcome[h], left < 0 ? left : 0, heavy.outcome[h + 1]);
    for (; l < n_light; ++l) set(light.outcome[l], light.excess[l], heavy.outcome[h]);
    set(heavy.outcome[h], 0, heavy.outcome[h]);  // what is left of the last is a cell, but for rounding
}

}  // namespace qloom
