// Instruction sets that kernels are compiled for, and which of them is used.
#pragma once
#include <vector>

namespace qloom {

enum class InstructionSet { portable, avx2, avx512 };

const char* name_of(InstructionSet);

// Those this processor runs, best first.
std::vector<InstructionSet> available_sets();

// The best, or the one named by QLOOM_KERNELS (read once).
InstructionSet chosen_set();

}  // namespace qloom
