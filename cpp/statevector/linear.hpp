// Linear algebra over one bit: masks are vectors, XOR is addition.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace qloom {

using Mask = uint64_t;

inline unsigned parity(Mask bits) { return __builtin_parityll(bits); }

// The span of vectors added one by one; coordinates say which of them sum to a vector.
class Span {
public:
    // False, and nothing is added, where the vector is in the span already.
    bool add(Mask vector);
    bool contains(Mask vector) const { return rest(vector) == 0; }
    // What vectors are that differ by one of the span, the same for all of them.
    Mask rest(Mask vector) const { return reduce(vector).rest; }
    // Bit k for the k-th vector added. The vector must be in the span.
    Mask coordinates(Mask vector) const { return reduce(vector).sum; }
    // A linear form as a mask on coordinates: its value on every vector added.
    Mask form(Mask mask) const;

    const std::vector<Mask>& vectors() const { return added; }
    size_t rank() const { return added.size(); }
    // One bit for each vector; every vector of the whole space is the sum of one of the span and one that is 0 there.
    Mask pivots() const { return all_pivots; }

private:
    struct Row {
        Mask value, sum, pivot;
    };
    struct Reduced {
        Mask rest, sum;
    };
    Reduced reduce(Mask vector) const;

    std::vector<Mask> added;
    std::vector<Row> rows;
    Mask all_pivots = 0;
};

// Index -> index, linear over bits but for a constant: bit r of the image is the parity of (index & rows[r]), then
// flipped.
class BitMap {
public:
    BitMap() = default;
    BitMap(const std::vector<Mask>& rows, Mask flips, unsigned bits);
    Mask operator()(Mask index) const { return low[index & LOW] ^ high[index >> HALF]; }

private:
    static constexpr unsigned HALF = 14;
    static constexpr Mask LOW = (Mask(1) << HALF) - 1;
    std::vector<Mask> low, high;
};

}  // namespace qloom
