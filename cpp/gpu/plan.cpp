#include "gpu/plan.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <numeric>

#include "program.h"

namespace qloom {
namespace {

// How far ahead a block looks for rotations that can be done now.
constexpr size_t WINDOW = 64;

struct BlockLimits {
    unsigned bits, dims;
    unsigned low;  // so many of the lowest unit vectors are in every block
    size_t most;   // rotations
};

bool commute(const Word& v, const Word& w) { return parity(v.x & w.z) == parity(v.z & w.x); }

// The basis of a span that the pivots belong to.
void set_columns(Block& block, const std::vector<Mask>& vectors) {
    for (Mask vector : vectors) {
        for (Mask column : block.columns)
            if (vector & std::bit_floor(column)) vector ^= column;
        const Mask pivot = std::bit_floor(vector);
        for (Mask& column : block.columns)
            if (column & pivot) column ^= vector;
        block.columns.push_back(vector);
        block.pivots |= pivot;
    }
    std::sort(block.columns.begin(), block.columns.end());
}

// Blocks of rotations, each with those that can be done as soon as it is its turn: that commute with all that it leaves
// for later before them, and whose x masks are in its span or find room there.
std::vector<Block> cut_into_blocks(const std::vector<Word>& words, const BlockLimits& limits) {
    std::vector<Block> out;
    std::vector<uint32_t> waiting;  // looked at, and left for later; the others start at `next`
    for (uint32_t next = 0; next < words.size() || !waiting.empty();) {
        Block& block = out.emplace_back();
        Span span;
        for (unsigned bit = 0; bit < limits.low; ++bit) span.add(Mask(1) << bit);
        std::vector<uint32_t> later;
        size_t seen = 0;
        while (block.rotations.size() < limits.most && later.size() < WINDOW &&
               (seen < waiting.size() || next < words.size())) {
            const uint32_t r = seen < waiting.size() ? waiting[seen++] : next++;
            bool now = std::all_of(later.begin(), later.end(),
                                   [&](uint32_t other) { return commute(words[r], words[other]); });
            now = now && (span.contains(words[r].x) || (span.rank() < limits.dims && span.add(words[r].x)));
            (now ? block.rotations : later).push_back(r);
        }
        later.insert(later.end(), waiting.begin() + std::ptrdiff_t(seen), waiting.end());
        waiting = std::move(later);
        for (unsigned bit = limits.bits; bit-- > 0 && span.rank() < limits.dims;) span.add(Mask(1) << bit);
        set_columns(block, span.vectors());
    }
    return out;
}

Block whole_state(unsigned bits, size_t n_rotations) {
    Block out;
    for (unsigned bit = 0; bit < bits; ++bit) out.columns.push_back(Mask(1) << bit);
    out.pivots = (Mask(1) << bits) - 1;
    out.rotations.resize(n_rotations);
    std::iota(out.rotations.begin(), out.rotations.end(), 0u);
    return out;
}

// Sweeps in order, as many a stage as it has room for.
std::vector<std::vector<Block>> stages_of(const Block& tile, const std::vector<Word>& words, unsigned register_bits) {
    std::vector<Word> within;
    for (uint32_t r : tile.rotations) {
        within.push_back(words[r]);
        within.back().x = tile.coordinates(words[r].x);
        within.back().z = tile.form(words[r].z);
    }
    std::vector<std::vector<Block>> out;
    size_t room = 0;
    for (Block& sweep :
         cut_into_blocks(within, {unsigned(tile.columns.size()), register_bits, 0, qloom_gpu::MOST_IN_SWEEP})) {
        for (uint32_t& r : sweep.rotations) r = tile.rotations[r];
        if (room < sweep.rotations.size()) {
            out.emplace_back();
            room = qloom_gpu::MOST_IN_STAGE;
        }
        room -= sweep.rotations.size();
        out.back().push_back(std::move(sweep));
    }
    return out;
}

}  // namespace

Mask Block::coordinates(Mask vector) const {
    Mask out = 0;
    for (size_t k = 0; k < columns.size(); ++k) out |= Mask((vector & std::bit_floor(columns[k])) != 0) << k;
    return out;
}

Mask Block::form(Mask mask) const {
    Mask out = 0;
    for (size_t k = 0; k < columns.size(); ++k) out |= Mask(parity(columns[k] & mask)) << k;
    return out;
}

std::vector<TilePlan> plan_tiles(const std::vector<Word>& rotations, const DeviceShape& shape) {
    std::vector<Block> blocks;
    if (shape.bits <= shape.whole_bits)
        blocks.push_back(whole_state(shape.bits, rotations.size()));
    else
        blocks =
            cut_into_blocks(rotations, {shape.bits, shape.tile_bits, LOW_BITS, std::numeric_limits<size_t>::max()});
    std::vector<TilePlan> out;
    for (Block& block : blocks) {
        std::vector<std::vector<Block>> stages = stages_of(block, rotations, shape.register_bits);
        out.push_back({std::move(block), std::move(stages)});
    }
    return out;
}

}  // namespace qloom
