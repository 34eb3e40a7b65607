#include "networks/shared_sums.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <stdexcept>
#include <thread>

#ifndef _WIN32
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>
#endif
#ifdef __linux__
#include <linux/futex.h>
#include <sys/syscall.h>
#endif

#include "machine/memory.hpp"

namespace qloom {

// A line of the cache each.
struct alignas(LINE_BYTES) SharedSums::Counter {
    std::atomic<uint32_t> brought, waiting;
    std::atomic<int64_t> process;  // its number; 0 until it is there
};
static_assert(std::atomic<uint32_t>::is_always_lock_free);

size_t SharedSums::bytes(size_t count) { return count * (sizeof(Counter) + 2 * PIECE * sizeof(float)); }
SharedSums::Counter& SharedSums::counter(size_t of) const { return reinterpret_cast<Counter*>(memory)[of]; }
float* SharedSums::place(size_t of) const {
    return reinterpret_cast<float*>(memory + count * sizeof(Counter)) + ((sums & 1) * count + of) * PIECE;
}

#ifdef _WIN32
SharedSums::SharedSums(const std::string&, size_t rank, size_t count) : rank(rank), count(count) {
    throw std::invalid_argument("memory is shared between processes on Linux and macOS alone");
}
SharedSums::~SharedSums() = default;
void SharedSums::check_all_live() const {}
#else
SharedSums::SharedSums(const std::string& path, size_t rank, size_t count) : rank(rank), count(count) {
    if (rank >= count) throw std::invalid_argument("rank must be below count");
    const int file = open(path.c_str(), O_RDWR);
    if (file < 0) throw std::invalid_argument(path + " cannot be opened");
    const bool whole = lseek(file, 0, SEEK_END) >= off_t(bytes(count));
    void* found = whole ? mmap(nullptr, bytes(count), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0) : MAP_FAILED;
    close(file);
    if (found == MAP_FAILED) throw std::invalid_argument(path + " cannot be mapped");
    memory = static_cast<char*>(found);
    counter(rank).process.store(getpid());
}
SharedSums::~SharedSums() { munmap(memory, bytes(count)); }
void SharedSums::check_all_live() const {
    for (size_t of = 0; of < count; ++of) {
        const int64_t process = counter(of).process.load();
        if (process && kill(pid_t(process), 0) && errno == ESRCH)
            throw std::runtime_error("process " + std::to_string(process) + " has ended");
    }
}
#endif

// Until the counter has another value, somebody wakes us, or so long.
static void sleep_on(std::atomic<uint32_t>& counter, uint32_t value, std::chrono::microseconds time) {
#ifdef __linux__
    const auto parts = std::lldiv(time.count(), 1000000);
    const timespec until{time_t(parts.quot), long(parts.rem * 1000)};
    syscall(SYS_futex, reinterpret_cast<uint32_t*>(&counter), FUTEX_WAIT, value, &until, nullptr, 0);
#else
    if (counter.load() == value) std::this_thread::sleep_for(std::min(time, std::chrono::microseconds(50)));
#endif
}

static void wake(std::atomic<uint32_t>& counter) {
#ifdef __linux__
    syscall(SYS_futex, reinterpret_cast<uint32_t*>(&counter), FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
#else
    (void)counter;
#endif
}

void SharedSums::bring(const float* numbers, size_t n) {
    ++sums;
    std::copy_n(numbers, n, place(rank));
    Counter& own = counter(rank);
    own.brought.store(sums);
    if (own.waiting.load()) wake(own.brought);  // whoever looks later sees the new value and does not sleep
}

bool SharedSums::wait(std::chrono::milliseconds time) {
    constexpr int LOOKS = 1000;  // some microseconds: less than falling asleep and being woken
    const auto end = std::chrono::steady_clock::now() + time;
    for (size_t of = 0; of < count; ++of) {
        Counter& other = counter(of);
        const auto has_come = [&] { return int32_t(other.brought.load(std::memory_order_acquire) - sums) >= 0; };
        for (int looks = 0; looks < LOOKS && !has_come(); ++looks) std::atomic_signal_fence(std::memory_order_seq_cst);
        while (!has_come()) {
            const auto left =
                std::chrono::duration_cast<std::chrono::microseconds>(end - std::chrono::steady_clock::now());
            if (left.count() <= 0) return false;
            other.waiting.fetch_add(1);
            const uint32_t seen = other.brought.load();
            if (int32_t(seen - sums) < 0) sleep_on(other.brought, seen, left);
            other.waiting.fetch_sub(1);
        }
    }
    return true;
}

void SharedSums::take(float* numbers, size_t n) const {
    std::copy_n(place(0), n, numbers);
    for (size_t of = 1; of < count; ++of) {
        const float* theirs = place(of);
        for (size_t i = 0; i < n; ++i) numbers[i] += theirs[i];
    }
}

}  // namespace qloom
