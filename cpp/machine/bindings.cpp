// The machine, for Python: its limits, its threads, its signals.
#include <nanobind/nanobind.h>

#include <stdexcept>

#include "machine/kept.hpp"
#include "machine/limits.hpp"
#include "machine/signals.hpp"
#include "machine/threads.hpp"

namespace nb = nanobind;

static void check(int threads, double seconds) {
    if (threads < 1 || !(seconds > 0))
        throw std::invalid_argument("threads and seconds must be above 0; give at least one thread and 0.001 s");
}

void bind_machine(nb::module_& m) {
    m.def(
        "fma_rate",
        [](int threads, double seconds) {
            check(threads, seconds);
            nb::gil_scoped_release unlocked;
            return qloom::fma_rate(threads, seconds);
        },
        nb::arg("threads"), nb::arg("seconds"), "Float32 fused multiply-adds a second, in registers.");
    m.def(
        "copy_rate",
        [](size_t bytes, int threads, double seconds) {
            check(threads, seconds);
            if (bytes < 2) throw std::invalid_argument("bytes must be 2 or more; half is copied to the other half");
            nb::gil_scoped_release unlocked;
            return qloom::copy_rate(bytes, threads, seconds);
        },
        nb::arg("bytes"), nb::arg("threads"), nb::arg("seconds"),
        "Bytes a second, read and written, in `bytes` of memory for each thread.");
    m.def("available_threads", &qloom::available_threads);
    nb::class_<qloom::Kept>(m, "Kept", "States of a forward walk, for the backward one.").def(nb::init<size_t>());
    watch_signals();
}
