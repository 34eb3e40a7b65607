// The kernels: what happens to amplitudes. One source (kernels.cpp) is compiled for several instruction sets.
//
// A state is an array of cells; a cell is a vector of real parts and, unless the state is real, a vector of imaginary
// parts behind it. In one layout a cell holds one amplitude of `lanes` samples, in the other `lanes` neighbouring
// amplitudes of one sample; the kernels do not know which. Kernels that turn amplitudes work on a block: cells that lie
// side by side in cache.
//
// Rotations are in tangent form: exp(-i a P / 2) = c (1 + t K), K = -i P, t = tan(a / 2), c = cos(a / 2). A kernel
// applies 1 + t K, two multiply-adds an amplitude; the product of the cosines is one number that others keep. Seen as a
// matrix on vectors K is real and antisymmetric: (K psi)[v] = +-psi[v ^ x], where the lowest bit of a vector's number
// tells real and imaginary parts, and of x whether the word's partner is taken times -i. In a real state vectors are
// cells and no partner is.
#pragma once
#include <cstddef>
#include <cstdint>

namespace qloom {

// Up to three commuting rotations in one walk over a block, on groups of 2^words vectors {v ^ (sum of some x)}. Places
// are offsets in bytes. `firsts` lists the first vector of every group by the signs of the words there: those with
// signs number s (bit k: word k has -) are counts[s] many.
struct Walk {
    const uint32_t* firsts;
    uint32_t counts[8];
    uint32_t x[3];
    uint8_t words;
    uint8_t cross;     // bit 0, 1, 2: the signs of words 0 and 1, 0 and 2, 1 and 2 change along each other's x
    uint8_t opposite;  // bit k: the signs of word k are the other way round than listed
    // The partners of word k are in lane ^ flip[k]. Where x is 0 they are in the same vector, and it is the only word.
    uint8_t flip[3];
};

// Table entries or sums of a cell: number index[cell] ^ base.
struct Lookup {
    const uint16_t* index;
    uint32_t base;
};

// Diagonal rotations by tables of cosines and sines: an entry is a vector each for the lanes, or one number for all of
// them. Sums, of the tables' entries, are vectors.
constexpr int MOST_TABLES = 3;
template <class T>
struct Phases {
    int count;
    bool broadcast;
    Lookup lookup[MOST_TABLES];
    const T* table[MOST_TABLES];
    T* sums[MOST_TABLES];
};

// A matrix as it lies in memory: number (i, j) is data[i * row + j * column].
template <class T>
struct Strided {
    const T* data;
    size_t row, column;
};

// Of a product (rows, inner) times (inner, width).
struct Sizes {
    size_t rows, inner, width;
};

// A word of Z on `count` qubits, before a circuit of gates on one and two qubits each. Rows, one a qubit, have `stride`
// numbers, one a string: signs, and fields, the couplings of a qubit times the signs of all. `linear` has a number for
// each of the word's qubits, `couplings` (count, count) twice those among them, below its diagonal.
template <class T>
struct WordOfPairs {
    const T *signs, *fields;
    size_t stride;
    const int32_t* qubits;
    size_t count;
    const T *linear, *couplings;
};

// Of a map of some digits of a block: `groups` are the first cells of its groups. A map of one digit has its cells
// `stride` cells apart.
struct DigitGroups {
    const uint16_t* groups;
    size_t count, stride;
};

// A sparse matrix by rows: row r, `places[r]` cells into a group, has the entries starts[r] .. starts[r + 1]. An entry
// is a column, as a number of cells into a group, and a number of a vector of values.
struct DigitRows {
    const uint16_t *places, *columns;
    const uint32_t *starts, *entries;
    size_t count;
};

// Of words as rows of 64-bit numbers: bits under a mask of the number at an offset.
struct WordPart {
    uint32_t offset;
    uint64_t mask;
};

// Some entries of a sparse matrix.
struct DigitEntries {
    const uint16_t *rows, *columns;
    const uint32_t* entries;
    size_t count;
};

// No set of kernels has more lanes: room for one number each.
constexpr size_t MOST_LANES = 16;

// Kernels that take cells apart, for real states or complex ones.
template <class T>
struct CellKernels {
    // A rotation (c + s K) whose x is the top bit, on a state that is 0 above `cells`: fills cells .. 2 cells, here
    // those above begin .. end. Three vectors: s, -s, c.
    void (*grow)(T* psi, size_t begin, size_t end, size_t cells, uint64_t z, bool real, const T* turn);
    // Takes psi and lambda back to the lower half.
    void (*ungrow)(T* psi, T* lambda, size_t begin, size_t end, size_t cells, uint64_t z, bool real, const T* turn,
                   T* sum);
    // block[k][lane] = state[base ^ places[k]][lane ^ flips[k]], and back; flips may be null.
    void (*gather)(const T* state, T* block, size_t cells, uint32_t base, const uint32_t* places, const uint8_t* flips);
    void (*scatter)(T* state, const T* block, size_t cells, uint32_t base, const uint32_t* places,
                    const uint8_t* flips);

    // sums[.] += |psi|^2 of every cell.
    void (*add_weights)(const T* psi, size_t cells, Lookup, T* sums);
    // lambda = or += factors[.] psi.
    void (*weigh)(const T* psi, T* lambda, size_t cells, Lookup, const T* factors, bool add);
    // sum += <psi| word |psi> and lambda += g word psi over cells begin .. end, without the constant sign of the word.
    // In a real state no word is odd in Y.
    void (*measure_word)(const T* psi, size_t begin, size_t end, uint64_t x, uint64_t z, uint32_t flip, bool real,
                         T* sum);
    void (*weigh_word)(const T* psi, T* lambda, size_t begin, size_t end, uint64_t x, uint64_t z, uint32_t flip,
                       bool real, const T* g);
};

template <class T>
struct Kernels {
    size_t lanes;
    CellKernels<T> of_cells[2];  // of one part, of two

    // Of `vectors` vectors of angles at most a few turns wide, to the rounding of T.
    void (*cos_sin)(const T* angles, size_t vectors, T* cosines, T* sines);

    // A turn is two vectors, t and -t, with the signs that belong to the lanes.
    void (*turn)(T* psi, const Walk&, const T* const* turns);
    // Apply 1 - t K to psi and lambda, adding sum_v lambda[v] (K psi)[v] before it to each word's vector in sums.
    void (*unturn)(T* psi, T* lambda, const Walk&, const T* const* turns, T* sums);
    // psi *= exp(-i a / 2) for the angles of every table.
    void (*phase)(T* psi, size_t cells, const Phases<T>&);
    // Undo it on psi and lambda, adding weight * Im <lambda_k| psi_k> to the cell's vector in the sums of every table,
    // or nothing if weight is null.
    void (*unphase)(T* psi, T* lambda, size_t cells, const Phases<T>&, const T* weight);
    void (*scale)(T* vectors, size_t count, const T* factor);
    // sum += the squares of all vectors.
    void (*add_squares)(const T* vectors, size_t count, T* sum);
    // norm *= all the factors, unless that were more than `most` in some lane: then true, and nothing changes.
    bool (*exceeds)(T* norm, const T* const* factors, size_t count, T most);
    // out[i] += the sum of vector i's lanes.
    void (*add_lanes)(const T* vectors, size_t count, double* out);

    // Of perceptrons. Numbers are counted by whole vectors.
    // c = a b, plus the row `start` on every row unless it is null; rows of b and c have `width` numbers.
    void (*product)(Strided<T> a, const T* b, const T* start, T* c, Sizes);
    // x = x sigmoid(x), and the slopes of that.
    void (*silu)(T* x, T* slopes, size_t count);
    // x = most tanh(x), and the slopes of that.
    void (*bound)(T* x, T* slopes, T most, size_t count);
    void (*multiply)(T* x, const T* factors, size_t count);

    // Of words of Z and strings, as the types above have them.
    void (*word_phase)(const WordOfPairs<T>&, T* phases);
    // to += factor times the product of the rows of some qubits, and the sum of numbers times that product.
    void (*add_product)(T factor, const T* signs, const int32_t* qubits, size_t count, size_t stride, T* to);
    T (*sum_product)(const T* numbers, const T* signs, const int32_t* qubits, size_t count, size_t stride);
    // Those sums for every two of a word's qubits, (1, 0), (2, 0), (2, 1), ...; `row` has room for one.
    void (*pair_sums)(const T* numbers, const T* signs, const int32_t* qubits, size_t count, size_t stride, T* row,
                      T* sums);
    void (*add)(const T* from, T* to, size_t count);

    // Of vectors over Pauli words, digit by digit: kernels/digits.hpp. Maps give what is not in their place.
    void (*gather_digits)(const T* from, T* block, size_t cells, const uint32_t* places);
    void (*scatter_digits)(T* to, const T* block, size_t cells, const uint32_t* places);
    void (*gather_lanes)(const T* from, T* block, size_t cells, const uint32_t* places, const uint32_t* lanes);
    void (*scatter_lanes)(T* to, const T* block, size_t cells, const uint32_t* places, const uint32_t* lanes);
    void (*map_digit)(const T* in, T* out, const T* matrix, const DigitGroups&);
    void (*pull_digit)(const T* in, T* out, const T* matrix, const DigitGroups&);
    void (*sum_digit)(const T* x, const T* lambda, T* sums, const DigitGroups&);
    void (*map_rows)(const T* in, T* out, const T* values, const DigitRows&, const DigitGroups&);
    void (*sum_entries)(const T* x, const T* lambda, T* sums, const DigitEntries&, const DigitGroups&);

    // In place: out[a] = sum_i (-1)^|a & i| in[i] of `size` items of `width` numbers each.
    void (*walsh)(T* values, size_t size, size_t width);

    // Rows begin .. end in which the bits of all parts together are odd in number: `found` has room for one more than
    // all; how many they are.
    size_t (*find_odd_words)(const uint64_t* words, size_t stride, size_t begin, size_t end, const WordPart* parts,
                             size_t n_parts, uint32_t* found);
    // Of coefficients of two words, a number a lane: kernels/words.hpp.
    void (*turn_pair)(T* a, T* b, const T* cosines, const T* sines, size_t lanes);
    void (*turn_pair_back)(T* a, T* b, T* lambda, T* mu, const T* cosines, const T* sines, T sign, T* slopes,
                           size_t lanes);
    void (*turn_pairs)(T* c, const uint32_t* pairs, size_t n, const T* cosines, const T* sines, size_t row);
    void (*turn_pairs_back)(T* c, T* lambda, const uint32_t* pairs, size_t n, const T* cosines, const T* sines,
                            T* slopes, size_t row);
};

// Of the chosen instruction set.
template <class T>
const Kernels<T>& kernels();

// Both types of numbers fill vectors of the same size.
inline size_t vector_bytes() { return kernels<float>().lanes * sizeof(float); }

}  // namespace qloom
