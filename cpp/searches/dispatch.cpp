// The searches' kernels of the chosen instruction set.
#include "machine/instruction_sets.hpp"
#include "searches/kernels.hpp"

namespace qloom {

extern const SearchKernels& search_kernels_portable;
#ifdef QLOOM_X86
extern const SearchKernels &search_kernels_avx2, &search_kernels_avx512;
#endif

static const SearchKernels& kernels_of(InstructionSet set) {
#ifdef QLOOM_X86
    if (set == InstructionSet::avx512) return search_kernels_avx512;
    if (set == InstructionSet::avx2) return search_kernels_avx2;
#endif
    (void)set;
    return search_kernels_portable;
}

const SearchKernels& search_kernels() {
    static const SearchKernels& chosen = kernels_of(chosen_set());
    return chosen;
}

}  // namespace qloom
