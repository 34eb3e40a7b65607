"""A case on a GPU: what is measured there, how it is checked, and the least time that the GPU's rates allow."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from benchmarks.results import provenance
from qloom.benchmarking.gpu import Function, Place, measure_there
from qloom.benchmarking.gpu_floor import Floor, Limits
from qloom.errors import QloomError


@dataclass(frozen=True)
class Checked:
    """What is timed, once it has been checked.

    Attributes:
        floor: the least time; None where none is known.
        over: seconds of what it is set beside: then the figure is how many times longer that takes.
        note: what else was found, in a few words.
    """

    function: Function
    floor: Floor | None = None
    over: float | None = None
    note: str = ""


@dataclass(frozen=True)
class GpuCase:
    """A case.

    Attributes:
        name: of the work, a few words.
        size: letters and numbers, such as {"n": 8, "batch": 256, "layers": 4}.
        prepare: makes what is needed, checks the result and gives the work.
        goal: milliseconds at most; for works set beside another, how many times longer that takes at least.
        goal_fraction: of the floor, at least.
        room: bytes of the GPU's memory that it takes.
        seconds: to go on timing for.
    """

    name: str
    size: Mapping[str, int]
    prepare: Callable[[Place, Limits], Checked]
    goal: float | None = None
    goal_fraction: float | None = None
    room: int = 0
    seconds: float = 1.0

    @property
    def size_text(self) -> str:
        return " ".join(f"{name}={value}" for name, value in self.size.items())

    @property
    def hash(self) -> str:
        """Eight digits that stay the same as long as the same thing is measured."""
        return hashlib.sha256(json.dumps([self.name, self.size_text]).encode()).hexdigest()[:8]


def run_case(case: GpuCase, place: Place, limits: Limits) -> dict[str, Any]:
    """Prepare, check and measure a case: a row of results. What has no room or is refused is a row too."""
    row: dict[str, Any] = {
        "case": case.hash, "name": case.name, "size": case.size_text, "precision": "float32", "unit": "ms",
        "median": None, "minimum": None, "spread": None, "repeats": None, "goal": case.goal,
        "goal_fraction": case.goal_fraction, "floor": None, "binds": "", "fraction": None, "status": "ok", "note": "",
        "multiply_adds": limits.multiply_adds, "shared_bytes": limits.shared_bytes, "copy_rate": limits.memory_bytes,
        "device": place.name, "torch": torch.__version__, **provenance(),
    }  # fmt: skip
    if case.room > place.memory:
        return {**row, "status": f"skipped: takes {case.room / 1e9:.0f} GB, there are {place.memory / 1e9:.0f}"}
    try:
        work = case.prepare(place, limits)
    except (QloomError, AssertionError, torch.cuda.OutOfMemoryError) as error:
        kind = "wrong" if isinstance(error, AssertionError) else "refused"
        return {**row, "status": f"{kind}: {' '.join(str(error).split())[:200]}"}
    return {**row, **_measured(case, work, place, limits)}


def _measured(case: GpuCase, work: Checked, place: Place, limits: Limits) -> dict[str, Any]:
    timing = measure_there(place, work.function, limits.multiply_adds, case.seconds)
    figures: dict[str, Any] = {"spread": timing.spread, "repeats": timing.repeats, "note": work.note}
    if work.over is not None:
        times = work.over / timing.median
        return {**figures, "unit": "times", "median": times, "minimum": times}
    figures |= {"median": 1e3 * timing.median, "minimum": 1e3 * timing.minimum}
    if work.floor is None:
        return figures
    seconds, binds = work.floor
    return {**figures, "floor": 1e3 * seconds, "binds": binds, "fraction": seconds / timing.median}


def check_near(found: Any, right: Any, tolerance: float = 1e-4) -> float:
    """The largest error, relative to the largest entry of each array where that is above 1.

    Raises:
        AssertionError: above the tolerance.
    """
    worst = 0.0
    for mine, truth in zip(found, right, strict=True):
        mine, truth = (
            np.asarray(array.detach().cpu() if hasattr(array, "detach") else array) for array in (mine, truth)
        )
        worst = float(np.fmax(worst, np.abs(mine - truth).max() / max(1.0, np.abs(truth).max())))
        assert np.isfinite(mine).all(), "some numbers are not finite"
    assert worst <= tolerance, f"off by {worst:.1e}, expected at most {tolerance:.0e}"
    return worst
