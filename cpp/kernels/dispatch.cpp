// The kernels of the chosen instruction set.
#include "kernels/kernels.hpp"
#include "machine/instruction_sets.hpp"

namespace qloom {

extern const Kernels<float>& float_kernels_portable;
extern const Kernels<double>& double_kernels_portable;
#ifdef QLOOM_X86
extern const Kernels<float>&float_kernels_avx2, &float_kernels_avx512;
extern const Kernels<double>&double_kernels_avx2, &double_kernels_avx512;
#endif

template <class T>
static const Kernels<T>& pick(const Kernels<float>& single, const Kernels<double>& twice) {
    if constexpr (sizeof(T) == sizeof(float)) {
        (void)twice;
        return single;
    } else {
        (void)single;
        return twice;
    }
}

template <class T>
static const Kernels<T>& kernels_of(InstructionSet set) {
#ifdef QLOOM_X86
    if (set == InstructionSet::avx512) return pick<T>(float_kernels_avx512, double_kernels_avx512);
    if (set == InstructionSet::avx2) return pick<T>(float_kernels_avx2, double_kernels_avx2);
#endif
    (void)set;
    return pick<T>(float_kernels_portable, double_kernels_portable);
}

template <class T>
const Kernels<T>& kernels() {
    static const Kernels<T>& chosen = kernels_of<T>(chosen_set());
    return chosen;
}

template const Kernels<float>& kernels<float>();
template const Kernels<double>& kernels<double>();

}  // namespace qloom
