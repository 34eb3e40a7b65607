#include "machine/signals.hpp"

#include <atomic>
#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#define QLOOM_HAS_FORK
#endif

namespace nb = nanobind;

static std::atomic<unsigned long> main_thread{0};

// The handler's exception stays with the thread until the call has ended.
static bool signal_raised() {
    nb::gil_scoped_acquire locked;
    return PyErr_CheckSignals() != 0;
}

qloom::Watch::Question signal_question() {
    return PyThread_get_thread_ident() == main_thread.load() ? signal_raised : nullptr;
}

void watch_signals() {
    main_thread = nb::cast<unsigned long>(nb::module_::import_("threading").attr("main_thread")().attr("ident"));
#ifdef QLOOM_HAS_FORK  // a child's main thread is the one that forked
    pthread_atfork(nullptr, nullptr, [] { main_thread = PyThread_get_thread_ident(); });
#endif
}
