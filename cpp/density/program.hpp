// Vectors over Pauli words, r_P = Tr(P rho), under linear maps of some digits each. A word of n letters I, X, Y, Z is a
// number with n digits of base 4, qubit 0's the most significant. What the maps are of is the caller's business: he
// gives their numbers at every call and gets the slopes by them.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace qloom::density {

// A sparse matrix on a block by rows; the tables of `DigitRows`.
struct Rows {
    std::vector<uint16_t> places, columns;
    std::vector<uint32_t> starts, entries;
};

// A linear map of some digits. Its values are numbered from `first`.
struct Map {
    std::vector<uint16_t> groups;  // first cells of the groups of a block
    bool is_dense;                 // one digit, first row (1, 0, 0, 0): twelve values, the other rows
    size_t stride;                 // of one digit
    Rows rows, transposed;
    std::vector<uint16_t> varying_rows, varying_columns;  // entries that have slopes
    std::vector<uint32_t> varying;
    size_t first, n_values;
};

// Maps whose digits together are few: done on one block after the other, each in cache.
struct Sweep {
    std::vector<unsigned> bits, free_bits;  // of a cell's number: those of its place in a block, and the others
    size_t first, end;                      // maps
    size_t first_value, end_value;
};

// The maps as they come: digits and entries of each, those of one sweep together. A map with no entries is dense.
struct Listing {
    size_t n_maps, n_sweeps, n_cells;
    const int64_t *sweep_starts, *digit_starts, *entry_starts;  // maps of a sweep, digits and entries of a map
    const uint8_t* digits;
    const uint16_t *rows, *columns;  // numbers of 4^k, the first digit the most significant
    const uint8_t* varying;
    const int64_t* cells;
};

struct Program {
    unsigned n_digits;
    std::vector<Map> maps;
    std::vector<Sweep> sweeps;
    std::vector<size_t> cells;  // whose values are the outputs, all different
    size_t n_values = 0;
    unsigned widest = 0;  // digits of a sweep

    Program(unsigned n_digits, const Listing&);
    size_t size() const { return size_t(1) << 2 * n_digits; }
};

// The numbers of one call. The values of map m are those of all samples, from shared[columns[m]] on, or, where
// is_own[m], of each sample, from own[sample * n_own + columns[m]] on. `initial` is null for |0..0>; its rows are
// initial_stride numbers apart, 0 where all samples start alike.
template <class T>
struct Call {
    size_t size;
    const T *shared, *own;
    size_t n_own;
    const int64_t* columns;
    const uint8_t* is_own;
    const T* initial;
    size_t initial_stride;
    int threads;
};

// What the walk back fills: slopes by values, of the maps that are `wanted`; and by the start, or null.
template <class T>
struct Slopes {
    const T* cotangents;  // (B, cells)
    const uint8_t* wanted;
    double *shared, *own;
    T* initial;
};

// Bytes of states that a call takes at one time, forward alone or back too.
template <class T>
size_t bytes_needed(const Program&, size_t batch, int threads, bool back);

// Numbers of the states before all sweeps, for a walk back that finds none of them again; 0 where a sample's alone are
// too many.
template <class T>
size_t kept_size(const Program&, size_t batch);

// `kept` has room for so many, or is null. The walk back leaves them as they are.
template <class T>
void forward(const Program&, const Call<T>&, T* values, T* kept);
template <class T>
void backward(const Program&, const Call<T>&, const Slopes<T>&, const T* kept);

}  // namespace qloom::density
