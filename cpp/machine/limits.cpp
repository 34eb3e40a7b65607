#include "machine/limits.hpp"

#include <barrier>
#include <chrono>
#include <cstring>
#include <thread>
#include <vector>

namespace qloom {
namespace {

// Twelve independent sums: two units with a latency of four cycles need eight, and sixteen registers hold no more.
constexpr size_t SUMS = 12;

// Runs SUMS * rounds fused multiply-adds a lane; the value returned keeps the compiler from dropping them. A macro,
// because vectors are lowered for the target of the very function that declares them.
#define QLOOM_FMA_LOOP(name, bytes, ...)                                           \
    __VA_ARGS__ float name(size_t rounds) {                                        \
        typedef float Vector __attribute__((vector_size(bytes)));                  \
        const Vector factor = 0.999f - Vector{}, addend = 0.001f - Vector{};       \
        Vector sums[SUMS];                                                         \
        for (size_t k = 0; k < SUMS; ++k) sums[k] = float(k) - Vector{};           \
        for (size_t r = 0; r < rounds; ++r)                                        \
            for (size_t k = 0; k < SUMS; ++k) sums[k] = sums[k] * factor + addend; \
        for (size_t k = 1; k < SUMS; ++k) sums[0] += sums[k];                      \
        return sums[0][0];                                                         \
    }

struct FmaLoop {
    float (*run)(size_t rounds);
    size_t lanes;
};

QLOOM_FMA_LOOP(fma_loop_portable, 16)
#ifdef QLOOM_X86
QLOOM_FMA_LOOP(fma_loop_avx2, 32, __attribute__((target("avx2,fma"))))
QLOOM_FMA_LOOP(fma_loop_avx512, 64, __attribute__((target("avx512f"))))
#endif

FmaLoop widest_loop() {
#ifdef QLOOM_X86
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f")) return {fma_loop_avx512, 16};
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return {fma_loop_avx2, 8};
#endif
    return {fma_loop_portable, 4};
}

// Work a second when every thread calls round(thread), which returns the work done, again and again.
template <class Round>
double summed_rate(int threads, double seconds, Round round) {
    using Clock = std::chrono::steady_clock;
    std::barrier<> start(threads);
    std::vector<double> rates(threads);
    auto work = [&](int thread) {
        round(thread);
        start.arrive_and_wait();
        const auto begin = Clock::now();
        double done = 0, passed = 0;
        while (passed < seconds) {
            done += round(thread);
            passed = std::chrono::duration<double>(Clock::now() - begin).count();
        }
        rates[thread] = done / passed;
    };
    std::vector<std::thread> others;
    for (int thread = 1; thread < threads; ++thread) others.emplace_back(work, thread);
    work(0);
    for (std::thread& other : others) other.join();
    double total = 0;
    for (double rate : rates) total += rate;
    return total;
}

}  // namespace

double fma_rate(int threads, double seconds) {
    constexpr size_t ROUNDS = 1 << 12;
    const FmaLoop loop = widest_loop();
    return summed_rate(threads, seconds, [&](int) {
        volatile float kept = loop.run(ROUNDS);
        (void)kept;
        return double(ROUNDS * SUMS * loop.lanes);
    });
}

double copy_rate(size_t bytes, int threads, double seconds) {
    const size_t half = bytes / 2, repeats = 1 + (size_t(1) << 20) / bytes;  // the clock is looked at once a MiB
    std::vector<char> memory(2 * half * threads);
    return summed_rate(threads, seconds, [&](int thread) {
        char* source = memory.data() + 2 * half * thread;
        for (size_t r = 0; r < repeats; ++r) {
            std::memcpy(source + half, source, half);
            asm volatile("" : : "r"(source) : "memory");
        }
        return double(2 * half * repeats);
    });
}

}  // namespace qloom
