// States of a forward walk, kept for the backward one. Their memory is used again by the next walk: memory fresh
// from the system is cleared page by page at the first touch, which takes as long as the walk that fills it.
#pragma once
#include <atomic>
#include <cstddef>

namespace qloom {

class Kept {
public:
    explicit Kept(size_t bytes);
    ~Kept();
    Kept(const Kept&) = delete;
    Kept& operator=(const Kept&) = delete;

    const size_t bytes;
    void* data() const { return memory; }

    // Whether this is the first to ask: where a walk back writes over the states, only one may have them.
    bool take() { return !taken.exchange(true); }

private:
    std::atomic<bool> taken{false};
    void* memory = nullptr;
    size_t capacity = 0;
};

}  // namespace qloom
