// Where words stand: an open table of their hashes. Words are numbered as they come; the last can be taken out again.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "machine/memory.hpp"

namespace qloom::propagation {

class Index {
public:
    static constexpr uint32_t NONE = ~uint32_t(0);

    // Empty, with room for so many.
    void clear(size_t count) {
        size_t capacity = 64;
        while (capacity < 2 * count) capacity *= 2;
        entries.assign(capacity, {0, NONE});
        used = 0;
    }
    bool is_full() const { return 2 * (used + 1) > entries.size(); }
    void insert(uint64_t hash, uint32_t slot) {
        size_t at = place(hash);
        while (entries[at].slot != NONE) at = next(at);
        entries[at] = {tag(hash), slot};
        ++used;
    }
    // Of the word that came last.
    void remove_last(uint64_t hash, uint32_t slot) {
        size_t at = place(hash);
        while (entries[at].slot != slot) at = next(at);
        entries[at].slot = NONE;
        --used;
    }
    void prefetch(uint64_t hash) const { __builtin_prefetch(&entries[place(hash)]); }
    // The slot with this hash for which same(slot); NONE if there is none.
    template <class F>
    uint32_t find(uint64_t hash, F same) const {
        for (size_t at = place(hash); entries[at].slot != NONE; at = next(at))
            if (entries[at].tag == tag(hash) && same(entries[at].slot)) return entries[at].slot;
        return NONE;
    }
    // The first slot whose tag fits: a guess that `find` will most often confirm.
    uint32_t guess(uint64_t hash) const {
        return find(hash, [](uint32_t) { return true; });
    }
    size_t bytes() const { return entries.size() * sizeof(Entry); }

private:
    struct Entry {
        uint32_t tag, slot;
    };
    static uint32_t tag(uint64_t hash) { return uint32_t(hash >> 32); }
    size_t place(uint64_t hash) const { return hash & (entries.size() - 1); }
    size_t next(size_t at) const { return (at + 1) & (entries.size() - 1); }

    std::vector<Entry, Paged<Entry>> entries;
    size_t used = 0;
};

}  // namespace qloom::propagation
