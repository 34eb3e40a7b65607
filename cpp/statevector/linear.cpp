#include "statevector/linear.hpp"

namespace qloom {

Span::Reduced Span::reduce(Mask vector) const {
    Mask sum = 0;
    for (const Row& row : rows)
        if (vector & row.pivot) vector ^= row.value, sum ^= row.sum;
    return {vector, sum};
}

bool Span::add(Mask vector) {
    const Reduced left = reduce(vector);
    if (!left.rest) return false;
    const Mask pivot = left.rest & -left.rest;
    rows.push_back({left.rest, left.sum ^ Mask(1) << added.size(), pivot});
    added.push_back(vector);
    all_pivots |= pivot;
    return true;
}

Mask Span::form(Mask mask) const {
    Mask out = 0;
    for (size_t k = 0; k < added.size(); ++k) out |= Mask(parity(added[k] & mask)) << k;
    return out;
}

BitMap::BitMap(const std::vector<Mask>& rows, Mask flips, unsigned bits) {
    auto image = [&](Mask index) {
        Mask out = 0;
        for (size_t r = 0; r < rows.size(); ++r) out |= Mask(parity(index & rows[r])) << r;
        return out;
    };
    // A linear map is known from its values on single bits; the tables double with every bit.
    auto fill = [&](std::vector<Mask>& table, unsigned from, unsigned to) {
        table.assign(1, 0);
        for (unsigned bit = from; bit < to; ++bit) {
            const Mask step = image(Mask(1) << bit);
            const size_t size = table.size();
            for (size_t i = 0; i < size; ++i) table.push_back(table[i] ^ step);
        }
    };
    fill(low, 0, bits < HALF ? bits : HALF);
    fill(high, HALF, bits > HALF ? bits : HALF);
    for (Mask& value : low) value ^= flips;
}

}  // namespace qloom
