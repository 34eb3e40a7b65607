#include "measuring/draw.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "machine/interrupt.hpp"
#include "machine/threads.hpp"
#include "measuring/alias.hpp"
#include "measuring/philox.hpp"

namespace qloom {
namespace {

// Random words of one row of one call. Blocks 0, 1, ... of two uses never meet.
struct Words {
    Place place;
    uint64_t row;
    // 2 and 3 are those of trajectories.
    enum Use : uint64_t { OUTCOMES, FINER, EACH = 4 };

    Block block(uint64_t number, Use use = OUTCOMES) const { return philox({number, row, place.call, use}, place.key); }
};

// take(shot, outcome) for every shot. Tables of few outcomes need short words: sixteen of them are in a block, else
// eight.
template <unsigned BITS, class T, class Take>
void draw_aliased(Alias& alias, const T* probabilities, size_t n, const Words& words, size_t shots, const Take& take) {
    constexpr size_t EACH = 64 / BITS, ALL = 4 * EACH;
    alias.fill(probabilities, n, BITS);
    const Alias::View table = alias.view();
    const auto draw_block = [&](size_t from, size_t m) {
        const Block block = words.block(from / ALL);
        for (size_t w = 0; w < 4; ++w) {
            uint64_t rest = block[w];
            for (size_t s = w * EACH; s < (w + 1) * EACH && s < m; ++s, rest >>= BITS % 64) {
                const auto finer = [&] { return words.block(from + s, Words::FINER)[0]; };
                take(from + s, table.outcome(uint32_t(rest & ((uint64_t(1) << BITS) - 1)), finer));
            }
        }
    };
    size_t from = 0;
    for (; from + ALL <= shots; from += ALL) draw_block(from, ALL);
    if (from < shots) draw_block(from, shots - from);
}

template <class T, class Take>
void draw_few(Alias& alias, const T* probabilities, size_t n, const Words& words, size_t shots, const Take& take) {
    if (n == 1) {
        for (size_t s = 0; s < shots; ++s) take(s, 0);
    } else if (n <= 256) {
        draw_aliased<16>(alias, probabilities, n, words, shots, take);
    } else {
        draw_aliased<32>(alias, probabilities, n, words, shots, take);
    }
}

// An outcome is the first whose probability, added to all before it, exceeds place * sum. Sums are kept of every eighth
// outcome; a word's cell, of about as many as there are shots, knows the first of those that ends within or after it.
template <class T>
class Search {
public:
    Search(const T* probabilities, size_t n, size_t shots)
        : p(probabilities), end(n / STEP), cells(std::bit_ceil(std::clamp<size_t>(shots, 1, n / STEP))) {
        for (size_t i = 0; i < n; i += STEP) {
            for (size_t k = 0; k < STEP; ++k) sum += double(p[i + k]);
            end[i / STEP] = sum;
        }
        if (!(sum > 0)) throw std::invalid_argument("probabilities of a row add up to 0, expected 1");
        // Powers of two: the cell of a place and the edge of a cell are exact.
        first.assign(cells + 1, uint32_t(end.size() - 1));
        for (size_t i = 0, cell = 0; i < end.size(); ++i)
            for (; cell < cells && end[i] > sum * (double(cell) / double(cells)); ++cell) first[cell] = uint32_t(i);
    }

    // Places are at random, and so is the memory they lead to: it is asked for a few places ahead.
    void draw(const Words& words, size_t shots, int64_t* outcomes) const {
        constexpr size_t PIECE = 64;
        double place[PIECE];
        const uint32_t* cell[PIECE];
        size_t found[PIECE];
        for (size_t from = 0; from < shots; from += PIECE) {
            Watch::check(PIECE);
            const size_t m = std::min(PIECE, shots - from);
            for (size_t s = 0; s < m; ++s) {
                if (s % 4 == 0) {
                    const Block block = words.block((from + s) / 4);
                    for (size_t k = 0; k < 4; ++k) place[s + k] = uniform(block[k]);
                }
                __builtin_prefetch(cell[s] = &first[size_t(place[s] * double(cells))]);
            }
            for (size_t s = 0; s < m; ++s) __builtin_prefetch(&end[*cell[s]]);
            for (size_t s = 0; s < m; ++s) {
                found[s] = size_t(std::upper_bound(&end[cell[s][0]], &end[cell[s][1]], at(place[s])) - end.data());
                __builtin_prefetch(p + STEP * found[s]);
            }
            for (size_t s = 0; s < m; ++s) outcomes[from + s] = int64_t(within(found[s], at(place[s])));
        }
    }

private:
    // Below the sum, whatever rounding does.
    double at(double place) const { return std::min(place * sum, std::nextafter(sum, 0.0)); }
    // Of the outcomes of one step.
    size_t within(size_t step, double wanted) const {
        double before = step ? end[step - 1] : 0;
        const size_t last = STEP * step + STEP - 1;
        size_t i = STEP * step;
        for (; i < last && (before += double(p[i])) <= wanted;) ++i;
        return i;
    }
    static constexpr size_t STEP = 8;
    const T* p;
    std::vector<double> end;
    size_t cells;
    std::vector<uint32_t> first;
    double sum = 0;
};

// The first outcome whose probability, added to all before it, exceeds place * sum.
template <class T>
class Sums {
public:
    Sums(const T* probabilities, size_t n) : ends(n) {
        double sum = 0;
        for (size_t i = 0; i < n; ++i) ends[i] = sum += double(probabilities[i]);
        if (!(sum > 0)) throw std::invalid_argument("probabilities of a row add up to 0, expected 1");
    }
    size_t outcome(double place) const {
        const double sum = ends.back(), at = std::min(place * sum, std::nextafter(sum, 0.0));
        return size_t(std::upper_bound(ends.begin(), ends.end(), at) - ends.begin());
    }

private:
    std::vector<double> ends;
};

// task(row) for every row, some to a piece of work.
template <class Task>
void for_rows(size_t rows, size_t numbers, int threads, const Task& task) {
    const size_t piece = std::max<size_t>(1, (size_t(1) << 15) / std::max<size_t>(1, numbers));
    parallel_for((rows + piece - 1) / piece, threads, [&](size_t k) {
        Alias alias;
        for (size_t row = k * piece; row < std::min(rows, (k + 1) * piece); ++row) {
            Watch::check(numbers);
            task(row, alias);
        }
    });
}

}  // namespace

template <class T>
void draw(Tables<T> tables, Place place, size_t shots, int64_t* outcomes, int threads) {
    for_rows(tables.rows, tables.n + shots, threads, [&](size_t row, Alias& alias) {
        const T* p = tables.probabilities + row * tables.n;
        int64_t* drawn = outcomes + row * shots;
        const Words words{place, row};
        if (tables.n <= MOST_ALIASED) {
            draw_few(alias, p, tables.n, words, shots,
                     [&](size_t shot, size_t outcome) { drawn[shot] = int64_t(outcome); });
        } else {
            Search<T>(p, tables.n, shots).draw(words, shots, drawn);
        }
    });
}

template <class T>
void count(Tables<T> tables, Place place, size_t shots, double* counts, int threads) {
    for_rows(tables.rows, tables.n + shots, threads, [&](size_t row, Alias& alias) {
        uint64_t times[MOST_ALIASED];
        std::fill_n(times, tables.n, 0);
        draw_few(alias, tables.probabilities + row * tables.n, tables.n, Words{place, row}, shots,
                 [&](size_t, size_t outcome) { ++times[outcome]; });
        std::copy_n(times, tables.n, counts + row * tables.n);
    });
}

template <class T>
void draw_each(Tables<T> tables, Place place, Shared shared, int64_t* outcomes, int threads) {
    const int64_t *first = shared.which, *end = first + shared.rows;
    for_rows(tables.rows, tables.n, threads, [&](size_t table, Alias&) {
        const auto [from, to] = std::equal_range(first, end, int64_t(table));
        if (from == to) return;
        const Sums<T> sums(tables.probabilities + table * tables.n, tables.n);
        for (size_t row = size_t(from - first); row < size_t(to - first); ++row) {
            const Words words{place, uint64_t(shared.numbers[row])};
            outcomes[row] = int64_t(sums.outcome(uniform(words.block(0, Words::EACH)[0])));
        }
    });
}

template void draw(Tables<float>, Place, size_t, int64_t*, int);
template void draw(Tables<double>, Place, size_t, int64_t*, int);
template void draw_each(Tables<float>, Place, Shared, int64_t*, int);
template void draw_each(Tables<double>, Place, Shared, int64_t*, int);
template void count(Tables<float>, Place, size_t, double*, int);
template void count(Tables<double>, Place, size_t, double*, int);

}  // namespace qloom
