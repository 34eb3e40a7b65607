// Which compiled set of kernels this processor runs.
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>

#include "kernels/kernels.hpp"

namespace qloom {

extern const Kernels<float>& float_kernels_portable;
extern const Kernels<double>& double_kernels_portable;
#ifdef QLOOM_X86
extern const Kernels<float>&float_kernels_avx2, &float_kernels_avx512;
extern const Kernels<double>&double_kernels_avx2, &double_kernels_avx512;

static bool runs_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
static bool runs_avx512() {
    return runs_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw");
}
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
size_t available_kernels(const Kernels<T>** sets, size_t most) {
    size_t n = 0;
    auto add = [&](const Kernels<T>& set) {
        if (n < most) sets[n++] = &set;
    };
#ifdef QLOOM_X86
    __builtin_cpu_init();
    if (runs_avx512()) add(pick<T>(float_kernels_avx512, double_kernels_avx512));
    if (runs_avx2()) add(pick<T>(float_kernels_avx2, double_kernels_avx2));
#endif
    add(pick<T>(float_kernels_portable, double_kernels_portable));
    return n;
}

template <class T>
static const Kernels<T>& choose() {
    const Kernels<T>* sets[4];
    const size_t n = available_kernels<T>(sets, 4);
    const char* wanted = std::getenv("QLOOM_KERNELS");
    if (!wanted || !*wanted) return *sets[0];
    std::string names;
    for (size_t i = 0; i < n; ++i) {
        if (!std::strcmp(wanted, sets[i]->name)) return *sets[i];
        names += std::string(i ? ", " : "") + sets[i]->name;
    }
    throw std::runtime_error("QLOOM_KERNELS is '" + std::string(wanted) +
                             "', expected one this processor runs: " + names);
}

template <class T>
const Kernels<T>& kernels() {
    static const Kernels<T>& chosen = choose<T>();
    return chosen;
}

template const Kernels<float>& kernels<float>();
template const Kernels<double>& kernels<double>();
template size_t available_kernels<float>(const Kernels<float>**, size_t);
template size_t available_kernels<double>(const Kernels<double>**, size_t);

}  // namespace qloom
