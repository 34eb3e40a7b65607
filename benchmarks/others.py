"""What else the machine was doing: figures taken meanwhile are doubtful, above all of systems on OpenMP."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

BUSY = 0.2  # cores


@contextmanager
def noting_others(row: MutableMapping[str, Any]) -> Iterator[None]:
    """Set row["others"]: cores that other processes and other virtual machines used in the meantime."""
    start, before = time.perf_counter(), seconds_of_others()
    yield
    row["others"] = max(0.0, (seconds_of_others() - before) / (time.perf_counter() - start))


def seconds_of_others() -> float:
    """Processor time since the machine started that is neither ours nor our children's; Linux alone tells."""
    try:
        with open("/proc/stat") as file:
            user, nice, system, _, _, irq, soft, steal, *_ = map(int, file.readline().split()[1:])
    except OSError:
        return float("nan")
    own = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    spent = sum(usage.ru_utime + usage.ru_stime for usage in own)
    return (user + nice + system + irq + soft + steal) / os.sysconf("SC_CLK_TCK") - spent
