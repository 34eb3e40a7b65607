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

}  // namespace qloom
