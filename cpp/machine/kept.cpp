#include "machine/kept.hpp"

#include <mutex>
#include <vector>

#include "machine/memory.hpp"

namespace qloom {
namespace {

constexpr size_t MOST_SPARE_BLOCKS = 8, MOST_SPARE_BYTES = size_t(1) << 27;

struct Block {
    void* memory;
    size_t capacity;
};

// Blocks nobody uses, the most recent last. Never destroyed: Python may let go of states after main has ended.
struct Spare {
    std::mutex guard;
    std::vector<Block> blocks;
    size_t bytes = 0;

    static Spare& all() {
        static Spare* const spare = new Spare;
        return *spare;
    }

    // A block of at least so many bytes and not above twice as many; null memory if there is none.
    Block take(size_t wanted) {
        for (size_t k = blocks.size(); k-- > 0;) {
            const Block found = blocks[k];
            if (found.capacity < wanted || found.capacity > 2 * wanted) continue;
            blocks.erase(blocks.begin() + static_cast<std::ptrdiff_t>(k));
            bytes -= found.capacity;
            return found;
        }
        return {nullptr, 0};
    }

    void give(Block block) {
        blocks.push_back(block);
        bytes += block.capacity;
        while (blocks.size() > MOST_SPARE_BLOCKS || bytes > MOST_SPARE_BYTES) {
            bytes -= blocks.front().capacity;
            std::free(blocks.front().memory);
            blocks.erase(blocks.begin());
        }
    }
};

}  // namespace

// A lock that is taken, by another thread or by one a forked child has not got, is not waited for.
Kept::Kept(size_t wanted) : bytes(wanted) {
    Spare& spare = Spare::all();
    if (std::unique_lock<std::mutex> mine(spare.guard, std::try_to_lock); mine.owns_lock()) {
        const Block found = spare.take(wanted);
        memory = found.memory, capacity = found.capacity;
    }
    if (memory) return;
    memory = allocate(wanted);
    capacity = wanted;
}

Kept::~Kept() {
    Spare& spare = Spare::all();
    if (std::unique_lock<std::mutex> mine(spare.guard, std::try_to_lock); mine.owns_lock())
        spare.give({memory, capacity});
    else
        std::free(memory);
}

}  // namespace qloom
