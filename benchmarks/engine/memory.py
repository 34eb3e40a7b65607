"""Memory of a step, forward and backward: what the process grows by at its peak beyond inputs and outputs.

Each case runs in a process of its own. Linux alone tells the peak since a given moment.

Run: python -m benchmarks.engine.memory
"""

from __future__ import annotations

import ctypes
import multiprocessing
import re
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import torch

from benchmarks.cases import Case, run
from benchmarks.checks import check_step
from qloom.benchmarking import Work

LARGE_BATCH = Work(12, 200_000, 1)
LARGE_STATE = Work(26, 1, 1)
STATE_BYTES = 8 * LARGE_STATE.amplitudes  # float32, real and imaginary


def growth(work: Work, threads: int) -> float:
    """Bytes of a forward and a backward walk at their peak, without inputs, outputs and gradients."""
    torch.set_num_threads(threads)
    layer, (x, cotangents) = work.layer(threads), work.tensors()
    if work.batch > 1:
        layer(x[:64]).sum().backward()  # code and the threads' stacks
        x.grad = layer.weights.grad = None
    before = start_of_peak()
    outputs = layer(x)
    outputs.backward(cotangents)
    made = sum(tensor.nbytes for tensor in (outputs, x.grad, layer.weights.grad))
    return status("VmHWM") - before - made


def start_of_peak() -> int:
    """Set the peak back to what is used now, which is returned; freed memory is given back first."""
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    return status("VmRSS")


def status(name: str) -> int:
    """A figure of this process in bytes."""
    found = re.search(rf"^{name}:\s+(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert found, f"/proc/self/status has no {name}"
    return 1024 * int(found[1])


def in_a_child(work: Work, unit_bytes: float, threads: int) -> float:
    """The growth of a fresh process in a unit."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as child:
        return child.submit(growth, work, threads).result() / unit_bytes


def prepare(work: Work, unit_bytes: float, threads: int) -> Callable[[], float]:
    """The function that gives the figure, after a check of the same circuit on less work."""
    smaller = Work(min(work.n_qubits, 14), min(work.batch, 64), work.n_layers)
    check_step(smaller, smaller.layer(threads), smaller.tensors()[0])
    return partial(in_a_child, work, unit_bytes, threads)


def make_case(name: str, work: Work, unit: str, unit_bytes: float, goal: float) -> Case:
    size = {"n": work.n_qubits, "batch": work.batch, "layers": work.n_layers}
    return Case(name, size, partial(prepare, work, unit_bytes, 2), unit, goal=goal)


CASES = [
    make_case("memory of a large batch", LARGE_BATCH, "MB", 1e6, 100),
    make_case("memory of a large gradient", LARGE_STATE, "states", STATE_BYTES, 3),
]

if __name__ == "__main__":
    run("memory", CASES)
