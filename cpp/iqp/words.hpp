// Words of Z before a circuit of diagonal gates exp(i theta_g Z_g) between Hadamards. Over strings z of the state after
// the first Hadamards, the mean of a word is that of cos(phase), phase = 2 sum of theta_g (-1)^(g.z) over the gates
// that share an odd number of qubits with the word. Source: Van den Nest 2010, arXiv:0911.1624.
#pragma once
#include <cstddef>
#include <cstdint>

namespace qloom {

// Word a, or gate a, acts on qubits[starts[a]] .. qubits[starts[a + 1] - 1].
struct Supports {
    const int64_t* starts;
    const int32_t* qubits;
    size_t count;

    const int32_t* of(size_t a) const { return qubits + starts[a]; }
    size_t size(size_t a) const { return size_t(starts[a + 1] - starts[a]); }
};

// Strings side by side: a row of signs for each qubit, of whole vectors filled up with 0 beyond `count`.
template <class T>
struct Strings {
    const T* signs;
    size_t n_qubits, stride, count;
};

// Means over strings of cos and of its square, from rows of phases (words, stride).
template <class T>
void statistics(const T* phases, size_t words, const Strings<T>&, double* means, double* squares, int threads);

// The loss's slopes by phases in the place of phases, from those by what `statistics` gave.
template <class T>
void phase_slopes(T* phases, size_t words, const Strings<T>&, const double* by_means, const double* by_squares,
                  int threads);

// What follows from slopes by phases: rows that others sum.
template <class T>
struct PairSlopes {
    T* fields;     // (n, stride): by the field of each qubit in each string
    T* couplings;  // (n, n): what pairs within words take off, in both halves
};

// Circuits of gates on one and two qubits as sums of angles: linear (n,) and symmetric couplings (n, n); and back.
template <class T>
void couplings_of(const Supports& gates, size_t n_qubits, const T* angles, T* linear, T* couplings);
template <class T>
void slopes_of_angles(const Supports& gates, size_t n_qubits, const T* by_linear, const T* by_couplings, T* by_angles);

// Phases and slopes of such circuits: `fields` are the symmetric couplings (n, n) times the signs.
template <class T>
void pair_phases(const Supports& words, const Strings<T>&, const T* linear, const T* couplings, const T* fields,
                 T* phases, int threads);
template <class T>
void pair_slopes(const Supports& words, const Strings<T>&, const T* slopes, const PairSlopes<T>&, int threads);

// Circuits of any gates.
template <class T>
void gate_phases(const Supports& words, const Supports& gates, const T* angles, const Strings<T>&, T* phases,
                 int threads);
template <class T>
void gate_slopes(const Supports& words, const Supports& gates, const T* slopes, const Strings<T>&, double* by_angles,
                 int threads);

// How many rows of bits, 64 a number in columns (n, width), have an odd number of ones on each word's qubits.
void odd_rows(const Supports& words, const uint64_t* columns, size_t width, int64_t* odd, int threads);

// sum_x (-1)^|a & x| values[x] for every a, in place, of `rows` arrays of `size` numbers.
template <class T>
void walsh(T* values, size_t rows, size_t size, int threads);

}  // namespace qloom
