"""Work on a GPU and its times; `gpu_floor` says what they are held against."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

from qloom.benchmarking.timing import Timing
from qloom.engines.gpu import GpuEngine
from qloom.engines.gpu.cuda import check_device, describe

WARM_UP = 3

Function = Callable[[], Any]


@dataclass(frozen=True)
class Place:
    """Where work runs, and how it is timed there.

    Attributes:
        name: for people.
        device: of tensors.
        engine: a GpuEngine, or what stands in for one.
        times: seconds of each of so many calls of a function, one after the other.
        captured: a function that does again what a function did, as one piece; and what its results are in.
        memory: bytes.
    """

    name: str
    device: torch.device
    engine: GpuEngine
    times: Callable[[Function, int], list[float]]
    captured: Callable[[Function], tuple[Function, Any]]
    memory: int


def gpu_place(device_index: int = 0) -> Place:
    """A GPU, timed by its own events.

    Raises:
        UnsupportedError: if there is none.
    """
    check_device(device_index)
    device = torch.device("cuda", device_index)
    facts = describe(device_index)
    return Place(
        facts["name"], device, GpuEngine(device), lambda function, repeats: event_times(device, function, repeats),
        lambda function: captured(device, function), facts["memory"],
    )  # fmt: skip


def event_times(device: torch.device, function: Function, repeats: int) -> list[float]:
    """Seconds between events in the device's own queue. Nothing waits between calls, as in a training."""
    with torch.cuda.device(device):
        marks = [[torch.cuda.Event(enable_timing=True) for _ in range(2)] for _ in range(repeats)]
        torch.cuda.synchronize()
        for first, last in marks:
            first.record()
            function()
            last.record()
        torch.cuda.synchronize()
    return [first.elapsed_time(last) / 1e3 for first, last in marks]


def host_times(function: Function, repeats: int) -> list[float]:
    """Seconds by the host's clock; of functions that come back when they are done."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return times


def captured(device: torch.device, function: Function) -> tuple[Function, Any]:
    """A CUDA graph of a function's launches: what replays it, and the tensors that it fills each time.

    A graph knows addresses alone: what it reads lives as long as what replays it.
    """
    with torch.cuda.device(device):
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):  # as torch asks for: what is made once is made before
            for _ in range(WARM_UP):
                function()
        torch.cuda.current_stream().wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            found = function()
    return partial(_replay, graph, (function, found)), found


def _replay(graph: torch.cuda.CUDAGraph, kept: Any) -> None:
    graph.replay()


@contextmanager
def counted_launches(place: Place) -> Iterator[list[str]]:
    """Names of the kernels that the engine launches meanwhile; torch's own are not among them."""
    machine: Any = place.engine.machine
    launched: list[str] = []
    launch = machine.launch

    def counting(kernel: str, *rest: Any) -> None:
        launched.append(kernel)
        launch(kernel, *rest)

    machine.launch = counting
    try:
        yield launched
    finally:
        del machine.launch


def measure_there(
    place: Place, function: Function, fma_rate: float = float("nan"), seconds: float = 1.0, least: int = 5,
    most: int = 2000,
) -> Timing:  # fmt: skip
    """Time a function for about so many seconds, after calls that compile kernels and take memory."""
    place.times(function, WARM_UP)
    once = float(np.median(place.times(function, WARM_UP)))
    times = place.times(function, int(min(most, max(least, seconds / max(once, 1e-9)))))
    low, median, high = np.quantile(times, (0.25, 0.5, 0.75))
    return Timing(float(median), min(times), float((high - low) / median), len(times), fma_rate)
