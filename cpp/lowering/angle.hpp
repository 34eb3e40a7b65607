// What a rotation turns by: a number, or a multiple of a slot of the inputs or the weights.
#pragma once
#include <cmath>
#include <cstdint>

namespace qloom {

enum class Source : int8_t { number = 0, input = 1, weight = 2 };

// scale * slot + offset, radians; and `turn`, added when the rest has been taken to what it is within a turn. Rotations
// by numbers are merged into it: what is added to a large angle before that is lost.
struct Angle {
    Source source;
    int32_t index;
    double scale, offset, turn = 0;
};

// A half angle between -pi and pi, so that nothing is lost when it is rounded to float. The angle is taken for the
// exact number it is, at any size: the library's sine and cosine reduce it with as many digits of pi as that takes.
inline double whole_turns_off(double half) {
    constexpr double TURN = 6.283185307179586476925286766559, EXACT_BELOW = 64;
    if (std::abs(half) <= TURN / 2) return half;
    if (std::abs(half) < EXACT_BELOW) return half - TURN * std::nearbyint(half / TURN);
    return std::atan2(std::sin(half), std::cos(half));
}

// Half of an angle, between -pi and pi, when the slot has been given its value.
inline double half_of(const Angle& angle, double value) {
    const double half = whole_turns_off((angle.scale * value + angle.offset) / 2);
    return angle.turn == 0 ? half : whole_turns_off(half + angle.turn / 2);
}

}  // namespace qloom
