"""Until when: a time that stages share, seen by all that runs within it, down into native searches."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from math import inf

# When the parts end that each other contain, the whole first.
_ends: ContextVar[tuple[float, ...]] = ContextVar("ends", default=(inf,))


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """What runs here is to end in so many seconds, or with the time it is part of if that is earlier.

    Searches leave what they have by then; what cannot be cut short counts first what it takes, and asks `left`.
    """
    ends = _ends.get()
    end = min(ends[-1], time.perf_counter() + seconds)
    token = _ends.set((*ends, end) if ends != (inf,) else (end,))
    try:
        yield
    finally:
        _ends.reset(token)


def left() -> float:
    """Seconds to the deadline, at least 0; infinite where there is none."""
    return max(_ends.get()[-1] - time.perf_counter(), 0.0)


def left_of_all() -> float:
    """Seconds to the end of the whole, for what may take some of the time of later parts."""
    return max(_ends.get()[0] - time.perf_counter(), 0.0)
