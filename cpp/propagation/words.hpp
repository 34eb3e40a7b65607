// Pauli words on up to 64 N qubits, and rotations about them.
#pragma once
#include <algorithm>
#include <array>
#include <bit>
#include <vector>

#include "kernels/kernels.hpp"
#include "propagation/letters.hpp"
#include "propagation/program.hpp"

namespace qloom::propagation {

template <int N>
struct Word {
    std::array<uint64_t, 2 * N> bits{};

    Word() = default;
    explicit Word(const Mask& mask) {
        std::copy_n(mask.x.begin(), N, bits.begin());
        std::copy_n(mask.z.begin(), N, bits.begin() + N);
    }
    unsigned letter(unsigned qubit) const {
        return unsigned(bits[qubit / 64] >> qubit % 64 & 1) | unsigned(bits[N + qubit / 64] >> qubit % 64 & 1) << 1;
    }
    void multiply(unsigned qubit, unsigned letter) {
        bits[qubit / 64] ^= uint64_t(x_of(letter)) << qubit % 64;
        bits[N + qubit / 64] ^= uint64_t(z_of(letter)) << qubit % 64;
    }
    // Up to its phase.
    Word& operator*=(const Word& other) {
        for (size_t k = 0; k < 2 * N; ++k) bits[k] ^= other.bits[k];
        return *this;
    }
    friend Word operator*(Word a, const Word& b) { return a *= b; }
    bool operator==(const Word& other) const {
        uint64_t apart = 0;
        for (size_t k = 0; k < 2 * N; ++k) apart |= bits[k] ^ other.bits[k];
        return apart == 0;
    }
};

// What anticommutes with a word: those that have an odd number of bits under these masks.
template <int N>
struct Anticommuting {
    std::vector<WordPart> parts;

    Anticommuting() = default;
    explicit Anticommuting(const Word<N>& word) {
        for (size_t k = 0; k < 2 * N; ++k)
            if (word.bits[k]) parts.push_back({uint32_t((k + N) % (2 * N)), word.bits[k]});
    }
    bool has(const Word<N>& other) const {
        uint64_t odd = 0;
        for (const WordPart& part : parts) odd ^= other.bits[part.offset] & part.mask;
        return std::popcount(odd) & 1;
    }
};

// A rotation's word as walks need it.
template <int N>
struct Turned {
    Word<N> word;
    uint64_t hash = 0;
    Anticommuting<N> those;
    const Letter* letters;
    size_t n_letters;
    size_t pivot_number;  // of two words that are turned into each other one has this bit
    uint64_t pivot;

    Turned(const Letter* l, size_t n) : letters(l), n_letters(n) {
        for (size_t k = 0; k < n; ++k) {
            word.multiply(l[k].qubit, l[k].letter);
            hash ^= hash_of(l[k].qubit, l[k].letter);
        }
        those = Anticommuting<N>(word);
        pivot_number = (those.parts.front().offset + N) % (2 * N);
        pivot = word.bits[pivot_number] & -word.bits[pivot_number];
    }
    // The sign of -i W P beside the Hermitian word.
    double sign(const Word<N>& other) const {
        unsigned quarters = 3;
        for (size_t k = 0; k < n_letters; ++k)
            quarters += quarters_of(other.letter(letters[k].qubit), letters[k].letter);
        return quarters & 2 ? -1 : 1;
    }
    int heavier(const Word<N>& other) const {
        int more = 0;
        for (size_t k = 0; k < n_letters; ++k)
            more += propagation::heavier(other.letter(letters[k].qubit), letters[k].letter);
        return more;
    }
};

// make.operator()<N>() for the words of so many qubits.
template <class F>
auto of_width(unsigned n_qubits, F make) {
    if (n_qubits <= 64) return make.template operator()<1>();
    if (n_qubits <= 128) return make.template operator()<2>();
    if (n_qubits <= 256) return make.template operator()<4>();
    return make.template operator()<16>();
}

}  // namespace qloom::propagation
