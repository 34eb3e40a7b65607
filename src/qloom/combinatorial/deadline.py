"""Until when: a time that stages share, seen by all that runs within it, down into native searches."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from math import inf

_end: ContextVar[float] = ContextVar("end", default=inf)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """What runs here is to end in so many seconds, or with the time it is part of if that is earlier.

    Searches leave what they have by then; what cannot be cut short counts first what it takes, and asks `left`.
    """
    token = _end.set(min(_end.get(), time.perf_counter() + seconds))
    try:
        yield
    finally:
        _end.reset(token)


def left() -> float:
    """Seconds to the deadline, at least 0; infinite where there is none."""
    return max(_end.get() - time.perf_counter(), 0.0)
