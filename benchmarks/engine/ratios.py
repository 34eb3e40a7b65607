"""What double precision, inputs in every layer and a second thread cost or gain, each pair measured in turn.

A machine whose speed changes from minute to minute says little about two figures taken one after the other. So the two
sides of a ratio alternate, a few milliseconds each, and the median of the pairs counts. A second thread is judged by
what it gains a loop that only computes, or only copies for states larger than the caches, measured in the same turns.

Run: python -m benchmarks.engine.ratios
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch

from benchmarks.cases import Case, run
from benchmarks.engine.training_step import DOUBLE, FORWARD, GOALS, REUPLOADING, prepare
from qloom.benchmarking import Work, copy_rate, fma_rate

Function = Callable[[], Any]
BLOCK = 0.005  # seconds a side and turn, at least
TURNS, MOST_SECONDS = 101, 4.0
# Two measurements of one function differ by this much.
NEVER_SLOWER = 1.02
# A gain within a tenth of the loop's.
GAIN_GOAL = round(1 / 0.9, 2)


def block_of(function: Function) -> Callable[[], float]:
    """Seconds of a call, from as many of them as fill a block."""
    function()
    start = time.perf_counter()
    function()
    calls = 1 + int(BLOCK / (time.perf_counter() - start))

    def block() -> float:
        start = time.perf_counter()
        for _ in range(calls):
            function()
        return (time.perf_counter() - start) / calls

    return block


def in_turn(*sides: Callable[[], float]) -> np.ndarray:
    """Figures (turns, sides), one of each side a turn."""
    end, turns = time.perf_counter() + MOST_SECONDS, []
    while len(turns) < TURNS and (len(turns) < 5 or time.perf_counter() < end):
        turns.append([side() for side in sides])
    return np.array(turns)


def ratio(first: Function, second: Function) -> float:
    """Of the first's time to the second's."""
    times = in_turn(block_of(first), block_of(second))
    return float(np.median(times[:, 0] / times[:, 1]))


def loop_gain_to_ours(one: Function, two: Function, in_memory: bool) -> float:
    """The gain of a loop by a second thread as a multiple of ours: 1 where both gain the same."""
    rate = partial(copy_rate, seconds=BLOCK) if in_memory else partial(fma_rate, seconds=BLOCK)
    seen = in_turn(block_of(one), block_of(two), partial(rate, 1), partial(rate, 2))
    ours, loop = np.median(seen[:, 0] / seen[:, 1]), np.median(seen[:, 3] / seen[:, 2])
    return float(loop / ours)


def step(work: Work, threads: int = 2, dtype: torch.dtype = torch.float32, forward: bool = False) -> Function:
    """The checked step or forward walk."""
    return prepare(work, threads, dtype, forward)


def double(size: tuple[int, int, int]) -> Function:
    """float64 to float32."""
    return partial(ratio, step(Work(*size), dtype=torch.float64), step(Work(*size)))


def reuploading(size: tuple[int, int, int]) -> Function:
    """Inputs in every layer to inputs once."""
    return partial(ratio, step(Work(*size, reuploading=True)), step(Work(*size)))


def two_threads(size: tuple[int, int, int], forward: bool) -> Function:
    """The time with two threads to that with one."""
    return partial(ratio, *(step(Work(*size), threads, forward=forward) for threads in (2, 1)))


def gain(size: tuple[int, int, int], forward: bool) -> Function:
    """The loop's gain to ours; states of 20 qubits and more are larger than the caches."""
    one, two = (step(Work(*size), threads, forward=forward) for threads in (1, 2))
    return partial(loop_gain_to_ours, one, two, size[0] >= 20)


def make_case(name: str, size: tuple[int, int, int], measured: Callable[[], Function], goal: float) -> Case:
    n, batch, layers = size
    return Case(name, {"n": n, "batch": batch, "layers": layers}, measured, unit="times", goal=goal)


def thread_cases(name: str, size: tuple[int, int, int]) -> list[Case]:
    forward = name == "forward"
    return [
        make_case(f"{name}, two threads to one", size, partial(two_threads, size, forward), NEVER_SLOWER),
        make_case(f"{name}, loop's gain to ours", size, partial(gain, size, forward), GAIN_GOAL),
    ]


CASES = [
    *(make_case("float64 to float32", size, partial(double, size), 2.2) for size in DOUBLE),
    *(make_case("inputs in every layer to once", size, partial(reuploading, size), 1.5) for size in REUPLOADING),
    *(case for size in GOALS for case in thread_cases("training step", size)),
    *(case for size in FORWARD for case in thread_cases("forward", size)),
]

if __name__ == "__main__":
    run("ratios", CASES)
