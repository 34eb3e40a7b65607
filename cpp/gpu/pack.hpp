// Programs as kernels read them: one buffer of plain structures each, src/qloom/engines/gpu/kernels/program.h.
#pragma once
#include "gpu/plan.hpp"
#include "program.h"

namespace qloom {

// Of each of a program's slots its place among those of the call. Inputs beyond these are a circuit's own numbers.
struct SlotPlaces {
    std::vector<uint32_t> inputs, weights;
};

// All other bytes than those of its structures are 0: equal programs are equal buffers.
struct PackedProgram {
    std::vector<uint8_t> table;

    const qloom_gpu::Program& head() const { return *at<qloom_gpu::Program>(0); }
    template <class T>
    const T* at(size_t offset) const {
        return reinterpret_cast<const T*>(table.data() + offset);
    }
};

// The bits of a shape are the program's, or more, of which those further on stay 0. Tables are for calls whose samples
// share their weights. `real` states have no imaginary parts; only where the program's are. Raises
// std::invalid_argument where a shape is none that kernels have room for.
PackedProgram pack(const Program&, DeviceShape, const SlotPlaces&, bool real, bool with_tables);
// Of every slot its own place.
SlotPlaces own_places(const Program&);

}  // namespace qloom
