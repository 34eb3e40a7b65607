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

// Rotations that wait for their turn.
class Waiting {
public:
    explicit Waiting(const std::vector<Word>& all) : words(&all) {}

    bool empty() const { return left.empty() && next == words->size(); }

    // Those that can be done now, that commute with all that is left for later before them, and that `fits` takes.
    template <class Fits>
    std::vector<uint32_t> take(size_t most, const Fits& fits) {
        std::vector<uint32_t> taken, later;
        size_t seen = 0;
        while (taken.size() < most && later.size() < WINDOW && (seen < left.size() || next < words->size())) {
            const uint32_t r = seen < left.size() ? left[seen++] : next++;
            const bool now = std::all_of(later.begin(), later.end(),
                                         [&](uint32_t other) { return commute((*words)[r], (*words)[other]); });
            (now && fits(r) ? taken : later).push_back(r);
        }
        later.insert(later.end(), left.begin() + std::ptrdiff_t(seen), left.end());
        left = std::move(later);
        return taken;
    }

private:
    const std::vector<Word>* words;
    std::vector<uint32_t> left;  // looked at, and left for later; the others start at `next`
    uint32_t next = 0;
};

// A block of rotations that are allowed, and whose x masks are in its span or find room there.
template <class Allowed>
Block next_block(Waiting& waiting, const std::vector<Word>& words, const BlockLimits& limits, const Allowed& allowed) {
    Block block;
    Span span;
    for (unsigned bit = 0; bit < limits.low; ++bit) span.add(Mask(1) << bit);
    block.rotations = waiting.take(limits.most, [&](uint32_t r) {
        if (!allowed(r)) return false;
        return span.contains(words[r].x) || (span.rank() < limits.dims && span.add(words[r].x));
    });
    for (unsigned bit = limits.bits; bit-- > 0 && span.rank() < limits.dims;) span.add(Mask(1) << bit);
    set_columns(block, span.vectors());
    return block;
}

// Tables come when nothing else can: then most diagonal rotations have met.
std::vector<Block> cut_into_blocks(const std::vector<Word>& words, const std::vector<bool>& in_tables,
                                   const BlockLimits& limits) {
    std::vector<Block> out;
    const auto in_table = [&](uint32_t r) { return !in_tables.empty() && in_tables[r] && words[r].x == 0; };
    for (Waiting waiting(words); !waiting.empty();) {
        Block block = next_block(waiting, words, limits, [&](uint32_t r) { return !in_table(r); });
        if (block.rotations.empty()) {
            const Waiting before = waiting;
            BlockLimits of_table = limits;
            of_table.most = qloom_gpu::MOST_IN_STAGE;
            block = next_block(waiting, words, of_table, in_table);
            block.is_table = block.rotations.size() >= LEAST_IN_TABLE;
            if (!block.is_table) {
                waiting = before;
                block = next_block(waiting, words, limits, [](uint32_t) { return true; });
            }
        }
        out.push_back(std::move(block));
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
std::vector<std::vector<Block>> stages_of(const Block& tile, const std::vector<Word>& words,
                                          const std::vector<bool>& in_tables, unsigned register_bits) {
    std::vector<Word> within;
    for (uint32_t r : tile.rotations) {
        within.push_back(words[r]);
        within.back().x = tile.coordinates(words[r].x);
        within.back().z = tile.form(words[r].z);
    }
    std::vector<std::vector<Block>> out;
    size_t room = 0;
    const BlockLimits limits{unsigned(tile.columns.size()), register_bits, 0, qloom_gpu::MOST_IN_SWEEP};
    for (Block& sweep : cut_into_blocks(within, in_tables, limits)) {
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

std::vector<TilePlan> plan_tiles(const std::vector<Word>& rotations, const std::vector<bool>& in_tables,
                                 const DeviceShape& shape) {
    const bool is_whole = shape.bits <= shape.whole_bits;
    std::vector<Block> blocks;
    if (is_whole)
        blocks.push_back(whole_state(shape.bits, rotations.size()));
    else
        blocks =
            cut_into_blocks(rotations, {}, {shape.bits, shape.tile_bits, LOW_BITS, std::numeric_limits<size_t>::max()});
    std::vector<TilePlan> out;
    for (Block& block : blocks) {
        std::vector<std::vector<Block>> stages =
            stages_of(block, rotations, is_whole ? in_tables : std::vector<bool>(), shape.register_bits);
        out.push_back({std::move(block), std::move(stages)});
    }
    return out;
}

}  // namespace qloom
