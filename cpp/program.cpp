#include "program.hpp"

namespace qloom {

BitMap::BitMap(const std::vector<uint64_t>& rows, uint64_t flips, unsigned bits) {
    auto image = [&](uint64_t index) {
        uint64_t out = 0;
        for (size_t r = 0; r < rows.size(); ++r) out |= uint64_t(__builtin_parityll(index & rows[r])) << r;
        return out;
    };
    const unsigned low_bits = bits < HALF ? bits : HALF, high_bits = bits - low_bits;
    low.resize(size_t(1) << low_bits);
    high.resize(size_t(1) << high_bits);
    for (uint64_t i = 0; i < low.size(); ++i) low[i] = image(i) ^ flips;
    for (uint64_t i = 0; i < high.size(); ++i) high[i] = image(i << HALF);
}

// Index p with zeros put in at two bits, low < high.
static uint64_t spread(uint64_t p, unsigned low, unsigned high) {
    p = ((p >> low) << (low + 1)) | (p & ((uint64_t(1) << low) - 1));
    return ((p >> high) << (high + 1)) | (p & ((uint64_t(1) << high) - 1));
}

void Program::plan_couples(size_t vector_bytes) {
    fours_at.assign(passes.size(), 0);
    in_couple.assign(passes.size(), 0);
    if (n_qubits > MOST_QUBITS_BATCHED) return;
    for (size_t k = 0; k + 1 < passes.size(); ++k) {
        const Pass &a = passes[k], &b = passes[k + 1];
        if (a.count != 1 || b.count != 1 || !a.x || !b.x || a.x == b.x) continue;
        const uint64_t z1 = rotations[a.first].z, z2 = rotations[b.first].z;
        const unsigned p = 63 - __builtin_clzll(a.x), q = 63 - __builtin_clzll(b.x >> p & 1 ? b.x ^ a.x : b.x);
        in_couple[k] = 1, in_couple[k + 1] = 2, fours_at[k] = fours.size();
        for (uint64_t f = 0; f < size() / 4; ++f) {
            const uint64_t i = spread(f, p < q ? p : q, p < q ? q : p);
            fours.push_back(uint32_t(i * vector_bytes | __builtin_parityll(i & z1) | __builtin_parityll(i & z2) << 1));
        }
        ++k;
    }
}

}  // namespace qloom
