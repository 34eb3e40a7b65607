// What sanitizers are told of fibers; without them, nothing. ThreadSanitizer takes each fiber for a thread of its own.
#pragma once

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__
#endif
#if __has_feature(thread_sanitizer)
#define __SANITIZE_THREAD__
#endif
#endif

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
// Of functions that fibers call: what these read and write is the scheduler's, which has no races.
#define UNSEEN __attribute__((no_sanitize("thread")))
constexpr bool ARE_THREADS_WATCHED = true;
#else
#define UNSEEN
constexpr bool ARE_THREADS_WATCHED = false;
#endif

#include <cstddef>
#include <cstdlib>
#include <deque>
#include <memory>

namespace qloom_host {

// AddressSanitizer: the stack changes. Both sides of a switch call one each, `begin` before and `end` after it.
UNSEEN inline void begin_switch([[maybe_unused]] void** fake, [[maybe_unused]] const void* bottom,
                                [[maybe_unused]] std::size_t size) {
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_start_switch_fiber(fake, bottom, size);
#endif
}

UNSEEN inline void end_switch([[maybe_unused]] void* fake, [[maybe_unused]] const void** bottom,
                              [[maybe_unused]] std::size_t* size) {
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_finish_switch_fiber(fake, bottom, size);
#endif
}

#ifdef __SANITIZE_THREAD__

// A thread as ThreadSanitizer sees it. It knows of all that its maker did before, and of nothing else.
class Seen {
public:
    static Seen make() { return Seen(__tsan_create_fiber(0)); }
    UNSEEN static Seen current() { return Seen(__tsan_get_current_fiber()); }
    void forget() { __tsan_destroy_fiber(fiber); }
    // From here on, what is done is done by this one; becoming it orders nothing.
    UNSEEN void become() const { __tsan_switch_to_fiber(fiber, __tsan_switch_to_fiber_no_sync); }

    // Done by this one, for which another steps in.
    UNSEEN void tell(void* mark) const {
        const Seen other = step_in();
        __tsan_release(mark);
        other.become();
    }
    UNSEEN void learn(void* mark) const {
        const Seen other = step_in();
        __tsan_acquire(mark);
        other.become();
    }
    UNSEEN void free(void* memory) const {
        const Seen other = step_in();
        std::free(memory);
        other.become();
    }

private:
    void* fiber;

    UNSEEN explicit Seen(void* fiber) : fiber(fiber) {}
    UNSEEN Seen step_in() const {
        const Seen other = current();
        become();
        return other;
    }
};

#else

struct Seen {
    static Seen make() { return {}; }
    static Seen current() { return {}; }
    void forget() {}
    void become() const {}
    void tell(void*) const {}
    void learn(void*) const {}
    void free(void* memory) const { std::free(memory); }
};

#endif

// Threads of a launch that have ended. Of all they did, who starts the launch is told at its end: told before, it would
// tell the next block, and blocks are not to know of each other. ThreadSanitizer does not see a race of a new thread
// with one that was forgotten, as it may take them for the same: it forgets late.
class Ended {
public:
    void add(Seen thread) {
        if (!ARE_THREADS_WATCHED) return;
        thread.tell(mark.get());
        threads.push_back(thread);
        if (threads.size() > MOST_REMEMBERED) forget();
    }
    ~Ended() {
        Seen::current().learn(mark.get());
        while (!threads.empty()) forget();
    }

private:
    static constexpr std::size_t MOST_REMEMBERED = 2048;  // there can be 8128 at once

    std::unique_ptr<char> mark = std::make_unique<char>();
    std::deque<Seen> threads;

    void forget() {
        threads.front().forget();
        threads.pop_front();
    }
};

}  // namespace qloom_host
