"""What torch holds once for the whole process, its number of threads, set for a while."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from threadpoolctl import threadpool_limits

_counting = threading.Lock()
_inside: list[int] = []  # of the blocks that run now, the number of threads before the first


@contextmanager
def torch_threads(n_threads: int) -> Iterator[None]:
    """Run torch on so many threads inside the block, and on as many as before after it.

    Layers of some dozen units take microseconds, less than waking a second thread; sums are added in one order on
    one thread, so results do not depend on the machine's number of cores. Where several threads are inside, the last
    one to leave puts back what the first one found.
    """
    with _counting:
        _inside.append(_inside[0] if _inside else torch.get_num_threads())
        torch.set_num_threads(n_threads)
    try:
        yield
    finally:
        with _counting:
            before = _inside.pop()
            if not _inside:
                torch.set_num_threads(before)


@contextmanager
def numeric_threads(n_threads: int) -> Iterator[None]:
    """Run torch, and the libraries below numpy and scikit-learn, on so many threads inside the block."""
    with torch_threads(n_threads), threadpool_limits(n_threads):
        yield
