// Walks of a call that stay for the way back.
#pragma once
#include "propagation/walk.hpp"

namespace qloom::propagation {

class Walks {
public:
    explicit Walks(size_t bytes) : most_bytes(bytes) {}
    Walks(const Walks&) = delete;
    Walks& operator=(const Walks&) = delete;

    // Those that are kept, null for others; a walk back uses them up.
    std::vector<std::unique_ptr<AnyWalk>> all;
    const size_t most_bytes;
};

}  // namespace qloom::propagation
