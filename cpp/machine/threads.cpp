#include "machine/threads.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "machine/interrupt.hpp"
#if defined(__linux__)
#include <sched.h>
#endif
#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#define QLOOM_HAS_FORK
#endif

namespace qloom {
namespace {

struct Job {
    const std::function<void(size_t)>* task = nullptr;
    size_t n = 0;
    std::atomic<size_t> next{0};
    std::exception_ptr error;
    std::mutex error_guard;
    Watch* const watch = Watch::mine();

    void work() {
        for (size_t i = next.fetch_add(1); i < n; i = next.fetch_add(1)) {
            try {
                (*task)(i);
            } catch (...) {
                std::lock_guard<std::mutex> hold(error_guard);
                if (!error) error = std::current_exception();
                next.store(n);
            }
        }
    }
};

class Pool {
public:
    // One job at a time; false when the pool is busy with another caller's.
    bool run(Job& job, int threads) {
        std::unique_lock<std::mutex> mine(caller, std::try_to_lock);
        if (!mine.owns_lock()) return false;
        const size_t helpers = static_cast<size_t>(threads - 1);
        while (workers < helpers) {
            std::thread([this, index = workers] { serve(index); }).detach();
            ++workers;
        }
        {
            std::lock_guard<std::mutex> hold(guard);
            current = &job;
            wanted = helpers;
            turn.fetch_add(1);
        }
        wake.notify_all();
        job.work();
        std::unique_lock<std::mutex> hold(guard);
        current = nullptr;  // a helper that has not come by now is not waited for
        hold.unlock();
        spin_until([&] { return inside.load(std::memory_order_acquire) == 0; });
        hold.lock();
        while (!done.wait_for(hold, Watch::PERIOD, [&] { return inside.load() == 0; })) {
            hold.unlock();
            if (job.watch) job.watch->look();
            hold.lock();
        }
        return true;
    }

private:
    // Sleeping and waking costs more than most calls take: look for a while first, leaving the core to its other
    // thread, then to other work. The while is what a training step spends outside the engine between two calls.
    template <class F>
    static bool spin_until(F ready) {
        const auto start = std::chrono::steady_clock::now();
        for (;;) {
            for (int i = 0; i < 16; ++i) {
                if (ready()) return true;
                rest();
            }
            const auto spun = std::chrono::steady_clock::now() - start;
            if (spun > std::chrono::microseconds(2000)) return false;
            if (spun > std::chrono::microseconds(100)) std::this_thread::yield();
        }
    }

    static void rest() {
#if defined(__x86_64__) || defined(__i386__)
        __builtin_ia32_pause();
#elif defined(__aarch64__)
        asm volatile("yield");
#endif
    }

    void serve(size_t index) {
        for (size_t seen = 0;;) {
            spin_until([&] { return turn.load(std::memory_order_acquire) != seen; });
            Job* job;
            {
                std::unique_lock<std::mutex> hold(guard);
                wake.wait(hold, [&] { return turn.load() != seen; });
                seen = turn.load();
                if (index >= wanted || !current) continue;
                job = current;
                inside.fetch_add(1);
            }
            {
                const Watch::Share watched(job->watch);
                job->work();
            }
            if (inside.fetch_sub(1) == 1) {
                std::lock_guard<std::mutex> hold(guard);
                done.notify_one();
            }
        }
    }

    std::mutex caller, guard;
    std::condition_variable wake, done;
    Job* current = nullptr;
    size_t workers = 0, wanted = 0;
    std::atomic<size_t> turn{0}, inside{0};
};

// The pool is never destroyed: its threads may outlive main. A forked child has none of the threads and starts afresh.
std::atomic<Pool*> current_pool{nullptr};

Pool& pool() {
#ifdef QLOOM_HAS_FORK
    static const int registered = pthread_atfork(nullptr, nullptr, [] { current_pool.store(new Pool); });
    (void)registered;
#endif
    Pool* mine = current_pool.load();
    if (mine) return *mine;
    Pool* fresh = new Pool;
    if (current_pool.compare_exchange_strong(mine, fresh)) return *fresh;
    delete fresh;
    return *mine;
}

}  // namespace

void parallel_for(size_t n, int threads, const std::function<void(size_t)>& task) {
    Job job;
    job.task = &task;
    job.n = n;
    if (static_cast<size_t>(threads) > n) threads = static_cast<int>(n);
    if (threads <= 1 || !pool().run(job, threads)) job.work();
    if (job.error) std::rethrow_exception(job.error);
}

int available_threads() {
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
    const unsigned n = std::thread::hardware_concurrency();
    return n ? static_cast<int>(n) : 1;
}

}  // namespace qloom
