// Outcomes drawn from tables of probabilities.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

namespace qloom {

// Where the random numbers of one call stand: those of a stream have its key, those of a call its number.
struct Place {
    std::array<uint64_t, 2> key;
    uint64_t call;
};

// Tables of a batch: n probabilities a row, a power of two.
template <class T>
struct Tables {
    const T* probabilities;
    size_t rows, n;
};

// Tables of at most so many outcomes are drawn from by an alias table, larger ones by search.
constexpr size_t MOST_ALIASED = 1 << 12;

// Of every row so many outcomes, (rows, shots). A row's numbers depend on its own place alone: on no other row, on no
// thread.
template <class T>
void draw(Tables<T>, Place, size_t shots, int64_t* outcomes, int threads);

// How often each outcome is among them, (rows, n); n is at most MOST_ALIASED.
template <class T>
void count(Tables<T>, Place, size_t shots, double* counts, int threads);

// One outcome of each row (rows,), of tables that rows share: `which` (rows,) names a row's, in order of the tables. A
// row's numbers depend on its own number alone, of `numbers` (rows,).
struct Shared {
    const int64_t *which, *numbers;
    size_t rows;
};
template <class T>
void draw_each(Tables<T>, Place, Shared, int64_t* outcomes, int threads);

}  // namespace qloom
