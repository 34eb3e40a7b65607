"""Settings of the whole suite, and its table of what was skipped."""

from __future__ import annotations

import gc
import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# Threads of OpenMP sleep while they wait for one another. By default they spin, and where several processes share the
# cores, as they do here, most of the time goes there. It is read when torch and scikit-learn are loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# The same examples on every run; deadlines mean little on shared machines.
settings.register_profile(
    "qloom",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("qloom")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Of modules and tests nothing is ever garbage: looking through them for it takes a quarter of the collection, and
    time of every test after it."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """How many tests were skipped, and why: a line a reason."""
    reasons = Counter(skip_reason(report.longrepr) for report in terminalreporter.stats.get("skipped", []))
    if not reasons:
        return
    terminalreporter.section(f"{reasons.total()} skipped")
    for reason, count in reasons.most_common():
        terminalreporter.write_line(f"{count:5}  {reason}")


def skip_reason(told: Any) -> str:
    """The reason of a skipped test, as pytest reports it: file, line and reason."""
    return str(told[2] if isinstance(told, tuple) else told).removeprefix("Skipped: ")
