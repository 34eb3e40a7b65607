#include "lowering/basis_map.hpp"

namespace qloom::lowering {

BasisMap::BasisMap(uint64_t start, const std::vector<Word>& forward)
    : low_bits(forward.size() / 2), low{{start, 0}}, high{{0, 0, 0}} {
    for (size_t bit = 0; bit < low_bits; ++bit)
        for (size_t i = 0, end = low.size(); i < end; ++i) {
            const Word& w = forward[bit];
            const Image from = low[i];
            low.push_back({from.target ^ w.x, from.quarter + w.k + 2 * __builtin_parityll(from.target & w.z)});
        }
    for (size_t bit = low_bits; bit < forward.size(); ++bit)
        for (size_t i = 0, end = high.size(); i < end; ++i) {
            const Word &w = forward[bit], from = high[i];
            high.push_back({from.x ^ w.x, from.z ^ w.z, from.k + w.k + 2 * __builtin_parityll(from.x & w.z)});
        }
}

}  // namespace qloom::lowering
