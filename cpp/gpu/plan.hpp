// Which rotations a device does together: in tiles, parts of the state that one block of threads has in its memory, and
// within them in sweeps over the few amplitudes that one thread has in registers.
#pragma once
#include "statevector/coordinates.hpp"

namespace qloom {

// Tiles have whole runs of 2^LOW_BITS neighbouring amplitudes, which memory gives at once.
constexpr unsigned LOW_BITS = 5, LEAST_TILE_BITS = LOW_BITS + 1;

// How many bits an amplitude's index has, and those of its parts. States of up to whole_bits are one tile.
struct DeviceShape {
    unsigned bits, register_bits, tile_bits, whole_bits;
};

// Diagonal rotations that all samples share are done together, by a table of phases, where there are so many.
constexpr size_t LEAST_IN_TABLE = 3;

// Rotations that stay within base ^ (span of the columns), whatever the base.
struct Block {
    std::vector<Mask> columns;        // column k has the k-th lowest of the pivots, and no other
    Mask pivots = 0;                  // highest bits of the columns
    std::vector<uint32_t> rotations;  // in the order they are done
    bool is_table = false;

    // Which columns sum to a vector of the span.
    Mask coordinates(Mask vector) const;
    // A linear form as a mask on coordinates.
    Mask form(Mask mask) const;
};

// Rotations count among the program's also in the blocks of the stages, whose columns are sums of the tile's.
struct TilePlan {
    Block block;
    std::vector<std::vector<Block>> stages;  // of sweeps
};

// Rotations of which `in_tables` is true may be done by tables, where the whole state is one tile.
std::vector<TilePlan> plan_tiles(const std::vector<Word>& rotations, const std::vector<bool>& in_tables,
                                 const DeviceShape&);

}  // namespace qloom
