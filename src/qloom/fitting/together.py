"""The one loop: trainings epoch by epoch, those of one kind as one, until all are done."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

from qloom.fitting.loop import Loop
from qloom.fitting.stepper import Stepper


def run_together(loops: Sequence[Loop], watch: Callable[[int, Any], None] | None = None) -> None:
    """Train side by side until all are done, those of one kind as one; each ends as it would alone.

    Args:
        loops: trainings, whatever their epochs are.
        watch: called after every epoch of each with its number, from 0, when its state is whole.

    Raises:
        ConfigError: if a loss becomes infinite or NaN.
    """
    steppers: dict[tuple[int, ...], Stepper] = {}
    try:
        while waiting := [k for k, loop in enumerate(loops) if not loop.finished]:
            epoch = min(loops[k].epoch for k in waiting)
            for group in _groups({k: loops[k].kind() for k in waiting if loops[k].epoch == epoch}):
                _run_epoch(group, [loops[k] for k in group], steppers)
                if watch is not None:
                    for k in group:
                        watch(k, loops[k])
    finally:
        for stepper in steppers.values():
            stepper.release()
    for loop in loops:
        loop.finish()


def _groups(kinds: Mapping[int, Hashable | None]) -> list[tuple[int, ...]]:
    """Numbers of one kind together."""
    found: dict[Hashable, list[int]] = {}
    for k, kind in kinds.items():
        found.setdefault(("alone", k) if kind is None else kind, []).append(k)
    return [tuple(group) for group in found.values()]


def _run_epoch(group: tuple[int, ...], loops: Sequence[Loop], steppers: dict[tuple[int, ...], Stepper]) -> None:
    """One epoch of a group, by the stepper it had before if it had one."""
    start, changed = time.perf_counter(), [loop.begin_epoch() for loop in loops]
    if any(changed) or group not in steppers:
        for other in [other for other in steppers if set(other) & set(group)]:
            steppers.pop(other).release()
        steppers[group] = loops[0].stepper(loops)
    steps = steppers[group].run()
    seconds = (time.perf_counter() - start) / len(group)
    for loop, taken in zip(loops, steps, strict=True):
        loop.end_epoch(taken, seconds)
