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

// A thread as ThreadSanitizer sees it. It knows of all that its maker did before, and of nothing else.
struct Seen {
#ifdef __SANITIZE_THREAD__
    void* fiber = nullptr;
    void make() { fiber = __tsan_create_fiber(0); }
    void find() { fiber = __tsan_get_current_fiber(); }
    void drop() { __tsan_destroy_fiber(fiber); }
    // From here on, what is done is done by this one; becoming it orders nothing.
    UNSEEN void become() const { __tsan_switch_to_fiber(fiber, __tsan_switch_to_fiber_no_sync); }
    // Done by this one, for which the scheduler steps in.
    UNSEEN void tell(void* mark) const {
        const Seen scheduler = step_in();
        __tsan_release(mark);
        scheduler.become();
    }
    UNSEEN void learn(void* mark) const {
        const Seen scheduler = step_in();
        __tsan_acquire(mark);
        scheduler.become();
    }
    UNSEEN void free(void* memory) const {
        const Seen scheduler = step_in();
        std::free(memory);
        scheduler.become();
    }

private:
    UNSEEN Seen step_in() const {
        Seen scheduler;
        scheduler.fiber = __tsan_get_current_fiber();
        become();
        return scheduler;
    }
#else
    void make() {}
    void find() {}
    void drop() {}
    void become() const {}
    void tell(void*) const {}
    void learn(void*) const {}
    void free(void* memory) const { std::free(memory); }
#endif
};

}  // namespace qloom_host
