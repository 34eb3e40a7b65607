// The ways out of a long call. The thread that made the call puts a question now and then, between two pieces of work;
// when the answer is yes, every thread of the call leaves its piece by an exception. It looks at the clock too: where a
// deadline has passed a search ends its walk and leaves what it has.
#pragma once
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <thread>

namespace qloom {

// Thrown where a watched call is to end.
struct Interrupted {};

// Watches what its thread calls while it lives. The question is put on that thread alone, every PERIOD.
class Watch {
public:
    using Question = bool (*)();
    static constexpr std::chrono::milliseconds PERIOD{50};

    // Null: nobody asks. `seconds` from now is the deadline, infinite for none.
    explicit Watch(Question, double seconds = INFINITY);
    ~Watch() { current = nullptr; }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    bool interrupted() const { return stop.load(std::memory_order_relaxed); }
    // Before a piece of work that touches about so many numbers: throws Interrupted.
    static void check(size_t numbers) {
        if (current) current->spend(numbers);
    }
    // Whether the deadline has passed, as seen at the last check.
    static bool late() { return current && current->passed.load(std::memory_order_relaxed); }
    // While the call waits for its other threads: puts the question if it is time.
    void look();

    static Watch* mine() { return current; }
    // A thread that works for a watched call.
    class Share {
    public:
        explicit Share(Watch* watch) { current = watch; }
        ~Share() { current = nullptr; }
    };

private:
    void spend(size_t numbers);

    static constinit thread_local Watch* current;
    const Question asked;
    const std::thread::id owner = std::this_thread::get_id();
    std::chrono::steady_clock::time_point next{};  // the owner's, like `spent`; not set before the first look
    std::chrono::steady_clock::time_point end = std::chrono::steady_clock::time_point::max();
    size_t spent = 0;
    std::atomic<bool> stop{false}, passed{false};
};

}  // namespace qloom
