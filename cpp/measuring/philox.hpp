// Random numbers found by their place and not by those before: Philox 4x64-10, the same numbers as numpy's.
// Source: Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3".
#pragma once
#include <array>
#include <cstdint>

namespace qloom {

using Block = std::array<uint64_t, 4>;

// The four words at a place.
inline Block philox(Block place, std::array<uint64_t, 2> key) {
    constexpr uint64_t M0 = 0xD2E7470EE14C6C93, M1 = 0xCA5A826395121157;
    constexpr uint64_t STEP0 = 0x9E3779B97F4A7C15, STEP1 = 0xBB67AE8584CAA73B;
    for (int round = 0; round < 10; ++round) {
        const unsigned __int128 a = static_cast<unsigned __int128>(M0) * place[0];
        const unsigned __int128 b = static_cast<unsigned __int128>(M1) * place[2];
        place = {uint64_t(b >> 64) ^ place[1] ^ key[0], uint64_t(b), uint64_t(a >> 64) ^ place[3] ^ key[1],
                 uint64_t(a)};
        key[0] += STEP0, key[1] += STEP1;
    }
    return place;
}

// In [0, 1), from the upper 53 bits.
inline double uniform(uint64_t word) { return double(word >> 11) * 0x1p-53; }

}  // namespace qloom
