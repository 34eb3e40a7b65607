"""The number of threads torch uses, for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def torch_threads(n_threads: int) -> Iterator[None]:
    """Run torch on so many threads inside the block, and on as many as before after it.

    Layers of some dozen units take microseconds, less than waking a second thread; sums are added in one order on
    one thread, so results do not depend on the machine's number of cores.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(n_threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
