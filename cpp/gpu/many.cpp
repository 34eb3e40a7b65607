#include "gpu/many.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace qloom {

using qloom_gpu::MOST_TILE_BITS;

// A warp.
constexpr unsigned LEAST_THREAD_BITS = 5;

PackedPrograms pack_programs(const Programs& programs, unsigned register_bits) {
    constexpr uint64_t nowhere = ~uint64_t(0);
    PackedPrograms out;
    out.work.assign(2 * programs.n_circuits, nowhere);
    unsigned most = 0;
    for (const Member& member : programs.all()) {
        const Coordinates& at = member.program.coordinates();
        if (at.bits > MOST_TILE_BITS)
            throw std::invalid_argument("a circuit's state has " + std::to_string(at.bits) +
                                        " bits, expected at most " + std::to_string(MOST_TILE_BITS));
        most = std::max(most, at.bits);
        out.any_real |= at.is_real, out.all_real &= at.is_real;
    }
    // Threads are as many as the smallest state has work for: the others' threads would have to do with few.
    const unsigned least = std::min(most, register_bits + LEAST_THREAD_BITS);
    for (const Member& member : programs.all()) {
        const PackedProgram packed = pack(member.program, {least, register_bits, MOST_TILE_BITS, MOST_TILE_BITS},
                                          {member.inputs, member.weights}, out.all_real, false);
        for (size_t s = 0; s < member.circuits.size(); ++s) {
            out.work[2 * member.circuits[s]] = out.table.size();
            out.work[2 * member.circuits[s] + 1] = out.numbers.size() + s * member.n_numbers();
        }
        out.table.insert(out.table.end(), packed.table.begin(), packed.table.end());
        out.numbers.insert(out.numbers.end(), member.numbers.begin(), member.numbers.end());
        out.least_bits = std::min(out.least_bits, packed.head().bits);
        out.most_bits = std::max(out.most_bits, packed.head().bits);
        out.most_rotations = std::max<size_t>(out.most_rotations, packed.head().n_rotations);
    }
    if (std::find(out.work.begin(), out.work.end(), nowhere) != out.work.end())
        throw std::invalid_argument("a circuit of the batch has no program");
    return out;
}

}  // namespace qloom
