// Random numbers of one restart.
#pragma once
#include <cstdint>

namespace qloom {

// A number for every number, by chance: splitmix64 of Steele, Lea and Flood 2014 after its step.
constexpr uint64_t mixed(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
}
constexpr uint64_t MIXED_STEP = 0x9E3779B97F4A7C15;

// xoshiro128+ of Blackman and Vigna 2018.
class Random {
public:
    explicit Random(uint64_t seed) {
        for (uint32_t& part : state) part = uint32_t(mixed(seed += MIXED_STEP) >> 16);
    }
    // In [0, 1), from the upper 24 bits.
    float uniform() { return float(next() >> 8) * 0x1p-24f; }
    // In 0 .. end - 1.
    uint32_t below(uint32_t end) { return uint32_t(uint64_t(next()) * end >> 32); }

    // 32 of them.
    uint32_t bits() { return next(); }

private:
    uint32_t next() {
        const uint32_t out = state[0] + state[3], moved = state[1] << 9;
        state[2] ^= state[0], state[3] ^= state[1], state[1] ^= state[2], state[0] ^= state[3];
        state[2] ^= moved;
        state[3] = (state[3] << 11) | (state[3] >> 21);
        return out;
    }
    uint32_t state[4];
};

}  // namespace qloom
