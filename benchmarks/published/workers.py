"""Independent trainings side by side: one process a core."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import Any


def in_parallel(work: Callable[..., Any], arguments: list[tuple[Any, ...]]) -> Iterator[Any]:
    """work(*arguments) for each, as they are done; every process keeps to a core of its own.

    Small circuits are bound by one thread's steps, so two trainings on a core each are faster than one on two.
    """
    context, cores = get_context("spawn"), sorted(os.sched_getaffinity(0))
    free = context.SimpleQueue()
    for core in cores:
        free.put(core)
    with ProcessPoolExecutor(len(cores), mp_context=context, initializer=_keep_to_a_core, initargs=(free,)) as pool:
        for done in as_completed([pool.submit(work, *each) for each in arguments]):
            yield done.result()


def _keep_to_a_core(free: Any) -> None:
    os.sched_setaffinity(0, {free.get()})
