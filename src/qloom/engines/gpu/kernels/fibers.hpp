// Blocks of CUDA threads on one thread of the host: each is a fiber, which runs until it waits at a barrier. A block's
// fibers run in turn until all are done, and blocks one after the other.
#pragma once

#include <ucontext.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <source_location>
#include <string>
#include <vector>

#include "watched.hpp"

namespace qloom_host {

constexpr unsigned WARP = 32, MOST_FIBERS = 1024, NOBODY = ~0u;
constexpr std::size_t STACK = 256 * 1024;

enum Place : unsigned { RUNNING, AT_BLOCK_BARRIER, AT_WARP_BARRIER, AT_SHUFFLE, FINISHED };

struct Fiber {
    ucontext_t context;
    char* stack = nullptr;
    void* fake_stack = nullptr;
    Seen seen = Seen::current();
    Place place = FINISHED;
    std::source_location line;  // where it waits
    unsigned mask = 0;          // lanes it waits for
    unsigned source = NOBODY;   // lane whose value it wants
    std::uint64_t sent = 0, received = 0;

    ~Fiber() { std::free(stack); }
};

struct Launch {
    void (*run)(void (*)(), const void*) = nullptr;
    void (*kernel)() = nullptr;
    const void* call = nullptr;
    const char* name = "";
    unsigned blocks = 0, threads = 0, block = 0, thread = 0;
    unsigned char* shared = nullptr;
    Fiber* fiber = nullptr;  // that runs
    ucontext_t scheduler;
    void* fake_stack = nullptr;
    const void* stack = nullptr;  // the scheduler's
    std::size_t stack_size = 0;
    Seen seen = Seen::current();
};
inline Launch now;  // one at a time

// --- What fibers call ---

UNSEEN inline void leave(Place place, std::source_location line) {
    Fiber& fiber = *now.fiber;
    fiber.place = place;
    fiber.line = line;
    begin_switch(&fiber.fake_stack, now.stack, now.stack_size);
    swapcontext(&fiber.context, &now.scheduler);
    end_switch(fiber.fake_stack, &now.stack, &now.stack_size);
}

UNSEEN inline void enter() {
    end_switch(nullptr, &now.stack, &now.stack_size);
    for (;;) {  // a fiber is used for thread after thread
        now.run(now.kernel, now.call);
        leave(FINISHED, {});
    }
}

UNSEEN inline void wait_for_warp(unsigned mask, std::source_location line) {
    now.fiber->mask = mask;
    leave(AT_WARP_BARRIER, line);
}

template <typename Value>
UNSEEN inline Value exchange(unsigned mask, Value value, unsigned source, std::source_location line) {
    static_assert(sizeof(Value) <= sizeof(std::uint64_t));
    Fiber& fiber = *now.fiber;
    __builtin_memcpy(&fiber.sent, &value, sizeof(Value));
    fiber.mask = mask;
    fiber.source = source;
    leave(AT_SHUFFLE, line);
    __builtin_memcpy(&value, &fiber.received, sizeof(Value));
    return value;
}

// --- The scheduler ---

class Block {
public:
    // Fills shared memory with NaNs: what was never written shows where it is read.
    Block(Fiber* fibers, std::size_t shared, Ended& ended) : fibers(fibers), ended(ended) {
        now.shared = static_cast<unsigned char*>(std::malloc(shared));
        if (shared) std::memset(now.shared, 0xFF, shared);
        for (unsigned t = 0; t < now.threads; ++t) {
            if (!fibers[t].stack) prepare(fibers[t]);
            fibers[t].seen = Seen::make();
            fibers[t].place = RUNNING;
        }
    }

    // Whoever frees shared memory is to know of all that was done with it. Blocks have no stack in common: what is left
    // of one there is no race with the next.
    ~Block() {
        meet(all());
        fibers[0].seen.free(now.shared);
        for (unsigned t = 0; t < now.threads; ++t) {
            Fiber& fiber = fibers[t];
            if (ARE_THREADS_WATCHED || fiber.place != FINISHED) {
                fiber.seen.free(fiber.stack);
                fiber.stack = nullptr;
            }
            ended.add(fiber.seen);
        }
    }

    // What went wrong, or nothing.
    std::string run() {
        for (;;) {
            bool are_all_done = true;
            for (unsigned t = 0; t < now.threads; ++t) {
                if (fibers[t].place == RUNNING) resume(fibers[t], t);
                are_all_done &= fibers[t].place == FINISHED;
            }
            if (are_all_done) return "";
            const bool do_go_on = let_go();
            if (!error.empty()) return error + in_block();
            if (!do_go_on) return "threads part at a barrier" + in_block() + ": " + who_waits();
        }
    }

private:
    using Group = std::vector<unsigned>;  // threads

    Fiber* fibers;
    Ended& ended;
    std::string error;

    void prepare(Fiber& fiber) {
        fiber.stack = static_cast<char*>(std::malloc(STACK));
        getcontext(&fiber.context);
        fiber.context.uc_stack.ss_sp = fiber.stack;
        fiber.context.uc_stack.ss_size = STACK;
        makecontext(&fiber.context, enter, 0);
        // AddressSanitizer takes all of a stack that it knows for unused whenever it is switched to.
        fiber.context.uc_stack.ss_size = 0;
    }

    UNSEEN void resume(Fiber& fiber, unsigned thread) {
        now.thread = thread;
        now.fiber = &fiber;
        begin_switch(&now.fake_stack, fiber.stack, STACK);
        fiber.seen.become();
        swapcontext(&now.scheduler, &fiber.context);
        now.seen.become();
        end_switch(now.fake_stack, nullptr, nullptr);
    }

    // Whether some can go on that waited.
    bool let_go() {
        if (are_together(all(), AT_BLOCK_BARRIER)) {
            go_on(all());
            return true;
        }
        bool do_go_on = false;
        for (unsigned t = 0; t < now.threads; ++t) do_go_on |= try_warp(t);
        return do_go_on;
    }

    // The warp of a thread that waits for others of it.
    bool try_warp(unsigned thread) {
        const Fiber& fiber = fibers[thread];
        if (fiber.place != AT_WARP_BARRIER && fiber.place != AT_SHUFFLE) return false;
        if (!(fiber.mask >> thread % WARP & 1)) fail(at(thread) + " has a mask that leaves it out");
        const Group group = living(thread, fiber.mask);
        if (!are_together(group, fiber.place)) return false;
        if (fiber.place == AT_SHUFFLE)
            for (unsigned t : group) deliver(t, group);
        go_on(group);
        return true;
    }

    void deliver(unsigned thread, const Group& group) {
        for (unsigned t : group)
            if (t % WARP == fibers[thread].source) {
                fibers[thread].received = fibers[t].sent;
                return;
            }
        fail(at(thread) + " reads lane " + std::to_string(fibers[thread].source) + ", which takes no part");
    }

    void fail(const std::string& what) {
        if (error.empty()) error = what;
    }

    // Whether all wait at one place of the source, for the same threads.
    bool are_together(const Group& group, Place place) const {
        const Fiber& first = fibers[group.front()];
        for (unsigned t : group) {
            const Fiber& fiber = fibers[t];
            if (fiber.place != place || !is_same(fiber.line, first.line)) return false;
            if (place != AT_BLOCK_BARRIER && fiber.mask != first.mask) return false;
        }
        return true;
    }

    static bool is_same(const std::source_location& a, const std::source_location& b) {
        return a.line() == b.line() && std::strcmp(a.file_name(), b.file_name()) == 0;
    }

    void go_on(const Group& group) {
        meet(group);
        for (unsigned t : group) fibers[t].place = RUNNING;
    }

    // From now on each knows of all that the others did so far.
    void meet(const Group& group) {
        if (!ARE_THREADS_WATCHED) return;
        const auto mark = std::make_unique<char>();  // a new one: it knows nothing yet
        for (unsigned t : group) fibers[t].seen.tell(mark.get());
        for (unsigned t : group) fibers[t].seen.learn(mark.get());
    }

    Group all() const {
        Group group(now.threads);
        for (unsigned t = 0; t < now.threads; ++t) group[t] = t;
        return group;
    }

    Group living(unsigned thread, unsigned mask) const {
        Group group;
        const unsigned first = thread / WARP * WARP;
        for (unsigned t = first; t < first + WARP && t < now.threads; ++t)
            if (fibers[t].place != FINISHED && (mask >> (t - first) & 1 || t == thread)) group.push_back(t);
        return group;
    }

    std::string at(unsigned thread) const {
        static const char* const places[] = {"runs", "at __syncthreads", "at __syncwarp", "at a shuffle", "finished"};
        const Fiber& fiber = fibers[thread];
        const std::string told = "thread " + std::to_string(thread) + " " + places[fiber.place];
        if (fiber.place == FINISHED) return told;
        const std::string file = fiber.line.file_name();
        return told + " in " + file.substr(file.rfind('/') + 1) + ":" + std::to_string(fiber.line.line());
    }

    // One of them, and the first that is elsewhere.
    std::string who_waits() const {
        unsigned one = 0;
        while (fibers[one].place == FINISHED) ++one;
        for (unsigned t = 0; t < now.threads; ++t)
            if (fibers[t].place != fibers[one].place || !is_same(fibers[t].line, fibers[one].line))
                return at(one) + ", " + at(t);
        return at(one) + " has a mask that is not that of others";
    }

    std::string in_block() const { return std::string(" in ") + now.name + ", block " + std::to_string(now.block); }
};

// Runs what `now` says; what went wrong, or nothing.
inline std::string run_blocks(std::size_t shared) {
    static Fiber fibers[MOST_FIBERS];  // their stacks are kept from launch to launch
    now.seen = Seen::current();
    Ended ended;
    std::string error;
    for (now.block = 0; now.block < now.blocks && error.empty(); ++now.block)
        error = Block(fibers, shared, ended).run();
    return error;
}

}  // namespace qloom_host
