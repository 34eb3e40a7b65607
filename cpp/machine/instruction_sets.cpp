#include "machine/instruction_sets.hpp"

#include <cstdlib>
#include <stdexcept>
#include <string>

namespace qloom {

const char* name_of(InstructionSet set) {
    switch (set) {
        case InstructionSet::avx512:
            return "avx512";
        case InstructionSet::avx2:
            return "avx2";
        default:
            return "portable";
    }
}

std::vector<InstructionSet> available_sets() {
    std::vector<InstructionSet> sets;
#ifdef QLOOM_X86
    __builtin_cpu_init();
    const bool runs_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (runs_avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw"))
        sets.push_back(InstructionSet::avx512);
    if (runs_avx2) sets.push_back(InstructionSet::avx2);
#endif
    sets.push_back(InstructionSet::portable);
    return sets;
}

static InstructionSet choose() {
    const std::vector<InstructionSet> sets = available_sets();
    const char* wanted = std::getenv("QLOOM_KERNELS");
    if (!wanted || !*wanted) return sets.front();
    std::string names;
    for (InstructionSet set : sets) {
        if (std::string(wanted) == name_of(set)) return set;
        names += (names.empty() ? "" : ", ") + std::string(name_of(set));
    }
    throw std::runtime_error("QLOOM_KERNELS is '" + std::string(wanted) +
                             "', expected one this processor runs: " + names);
}

InstructionSet chosen_set() {
    static const InstructionSet chosen = choose();
    return chosen;
}

}  // namespace qloom
