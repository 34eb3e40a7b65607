// Many circuits as kernels read them: the programs of all in one buffer, each a tile by itself.
#pragma once
#include "gpu/pack.hpp"
#include "statevector/many.hpp"

namespace qloom {

// Slots are those of the batch.
struct PackedPrograms {
    std::vector<uint8_t> table;
    std::vector<uint64_t> work;   // (circuits, 2): where a circuit's program is in the table, its numbers among these
    std::vector<double> numbers;  // that circuits have of their own
    unsigned least_bits = ~0u, most_bits = 0;
    size_t most_rotations = 0;
    bool any_real = false, all_real = true;  // states have no imaginary parts only where all are real
};

// Raises std::invalid_argument where a state is larger than a tile, or a circuit has no program.
PackedPrograms pack_programs(const Programs&, unsigned register_bits);

}  // namespace qloom
