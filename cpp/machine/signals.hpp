// Calls that leave the interpreter lock to others while they compute, and end when a signal's handler raises (Ctrl-C).
#pragma once
#include <nanobind/nanobind.h>

#include "machine/interrupt.hpp"

// To be called once by each module, when it is loaded.
void watch_signals();

// The question for a watched call: null outside Python's main thread, where no handler runs.
qloom::Watch::Question signal_question();

// The work's deadline is `seconds` away.
template <class F>
void run_unlocked(F work, double seconds = INFINITY) {
    qloom::Watch watch(signal_question(), seconds);
    {
        nanobind::gil_scoped_release unlocked;
        try {
            work();
        } catch (const qloom::Interrupted&) {
        }
    }
    if (watch.interrupted()) throw nanobind::python_error();
}
