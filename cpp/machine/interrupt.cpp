#include "machine/interrupt.hpp"

namespace qloom {
namespace {

// Looking at the clock takes as long as touching some hundred numbers: it is done after this many.
constexpr size_t LEAST_SPENT = size_t(1) << 18;
// Seconds that are no deadline: no clock counts on for so long.
constexpr double FARTHEST = 1e8;

}  // namespace

constinit thread_local Watch* Watch::current = nullptr;

Watch::Watch(Question question, double seconds) : asked(question) {
    const auto now = std::chrono::steady_clock::now();
    if (seconds < FARTHEST)
        end = now + std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                        std::chrono::duration<double>(std::fmax(seconds, 0.0)));
    passed.store(end <= now, std::memory_order_relaxed);
    current = question || seconds < FARTHEST ? this : nullptr;
}

void Watch::spend(size_t numbers) {
    if (owner == std::this_thread::get_id() && (spent += numbers) >= LEAST_SPENT) {
        spent = 0;
        look();
    }
    if (interrupted()) throw Interrupted{};
}

void Watch::look() {
    const auto now = std::chrono::steady_clock::now();
    if (now >= end) passed.store(true, std::memory_order_relaxed);
    if (!asked || interrupted() || now < next) return;
    if (next != std::chrono::steady_clock::time_point{} && asked()) stop.store(true, std::memory_order_relaxed);
    next = now + PERIOD;
}

}  // namespace qloom
