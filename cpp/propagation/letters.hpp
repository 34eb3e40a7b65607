// Products of Pauli words, letter by letter. Letters are x + 2 z.
#pragma once
#include <cstdint>

namespace qloom::propagation {

constexpr unsigned x_of(unsigned letter) { return letter & 1; }
constexpr unsigned z_of(unsigned letter) { return letter >> 1; }

// Of a word's letter w and a rotation's letter p, what -i W P has as a power of i beside the Hermitian word; 3 more for
// the -i itself.
constexpr unsigned quarters_of(unsigned w, unsigned p) {
    const unsigned product = w ^ p;
    return (x_of(p) & z_of(p)) + 2 * (z_of(w) & x_of(p)) + (x_of(w) & z_of(w)) + 4 - (x_of(product) & z_of(product));
}
// How much heavier the product is.
constexpr int heavier(unsigned w, unsigned p) { return int((w ^ p) != 0) - int(w != 0); }

// A number for every bit of every qubit, by chance: a word's hash is the sum of those of its bits, so that a product's
// hash is the sum of the factors'. Two words share all 64 bits once in 2^64 pairs.
uint64_t hash_of(unsigned qubit, unsigned letter);

}  // namespace qloom::propagation
