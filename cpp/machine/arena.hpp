// Scratch memory of one thread: kept between calls while small, so that a small call allocates nothing.
#pragma once
#include <vector>

#include "machine/memory.hpp"

namespace qloom {

class Arena {
public:
    ~Arena() { release(); }
    Arena() = default;
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;

    // `count` numbers aligned to a vector, alive until the Scratch that took them ends.
    template <class T>
    T* take(size_t count) {
        const size_t bytes = (count * sizeof(T) + LINE_BYTES - 1) / LINE_BYTES * LINE_BYTES;
        if (used + bytes <= capacity) {
            T* out = reinterpret_cast<T*>(base + used);
            used += bytes;
            return out;
        }
        extra.reserve(extra.size() + 1);
        extra.push_back({allocate(bytes), bytes});
        overflow += bytes;
        most = overflow > most ? overflow : most;
        return reinterpret_cast<T*>(extra.back().memory);
    }

private:
    friend class Scratch;
    struct Block {
        char* memory;
        size_t bytes;
    };
    static constexpr size_t KEEP_AT_MOST = size_t(1) << 24;

    // Frees what overflowed beyond the first `keep` blocks.
    void drop(size_t keep) {
        for (; extra.size() > keep; extra.pop_back()) {
            overflow -= extra.back().bytes;
            std::free(extra.back().memory);
        }
    }

    void release() {
        drop(0);
        std::free(base);
        base = nullptr;
        capacity = 0;
    }

    // After the outermost user: give back what overflowed and, while it stays small, make room for as much next time.
    void settle() {
        if (!most) return;
        const size_t wanted = capacity + most;
        release();
        most = 0;
        try {
            if (wanted <= KEEP_AT_MOST) base = allocate(wanted), capacity = wanted;
        } catch (const std::bad_alloc&) {  // the next user will ask again, and be told
        }
    }

    char* base = nullptr;
    size_t capacity = 0, used = 0, overflow = 0, most = 0;  // most: the largest overflow since the last settling
    std::vector<Block> extra;
    int users = 0;
};

// Opens the thread's arena for a scope.
class Scratch {
public:
    Scratch() : arena(mine()), mark(arena.used), blocks(arena.extra.size()) { ++arena.users; }
    ~Scratch() {
        arena.used = mark;
        arena.drop(blocks);
        if (--arena.users == 0) arena.settle();
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

    template <class T>
    T* take(size_t count) {
        return arena.take<T>(count);
    }

private:
    static Arena& mine() {
        thread_local Arena arena;
        return arena;
    }
    Arena& arena;
    size_t mark, blocks;
};

}  // namespace qloom
