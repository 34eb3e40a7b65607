"""Training steps of named programs by whatever build of qloom an interpreter has; `steps.py` runs it.

Reads lines of JSON [name, n, batch, seconds] and answers each with the milliseconds of CPU of a step.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import torch

from qloom import Circuit, ansatze, encoders
from qloom.benchmarking import Work, fma_rate
from qloom.engines import StatevectorEngine
from qloom.nn import EntanglingLayer, QuantumLayer, QuantumLinear

LAYERS = 4
Step = Callable[[], Any]


def dressed(n: int, as_complex: bool) -> Circuit:
    """H and RY(x) on every qubit, then layers of a line of CX and RY (Mari et al. 2020)."""
    circuit = Circuit(n)
    x, w = circuit.inputs(n), circuit.weights(LAYERS * n)
    for q in range(n):
        circuit.h(q).ry(x[q], q)
    for layer in range(LAYERS):
        for q in [*range(0, n - 1, 2), *range(1, n - 1, 2)]:
            circuit.cx(q, q + 1)
        for q in range(n):
            circuit.ry(w[layer * n + q], q)
    return circuit + complex_end(n, as_complex)


def real_amplitudes(n: int, as_complex: bool) -> Circuit:
    layers = ansatze.hardware_efficient(n, LAYERS, ("ry",), "ring")
    return encoders.angle(n) + complex_end(n, as_complex) + layers


def entangled_by_cz(n: int, as_complex: bool) -> Circuit:
    layers = ansatze.hardware_efficient(n, LAYERS, ("ry",), "ring", "cz")
    return encoders.angle(n) + complex_end(n, as_complex) + layers


def convolutional(n: int, as_complex: bool) -> Circuit:
    return encoders.angle(n) + complex_end(n, as_complex) + ansatze.convolutional(n, "so4", None)


def complex_end(n: int, as_complex: bool) -> Circuit:
    """One rotation that is not real, or none: what follows is taken as complex."""
    circuit = Circuit(n)
    return circuit.rx(circuit.weights(1)[0], 0) if as_complex else circuit


def block(n: int) -> Circuit:
    return ansatze.hardware_efficient(n, 1, ("ry",), "ring")


def complex_block(n: int) -> Circuit:
    return block(n) + complex_end(n, True)


CIRCUITS = {
    "dressed circuit": dressed,
    "real amplitudes": real_amplitudes,
    "RY and CZ": entangled_by_cz,
    "QCNN of RY blocks": convolutional,
}
FEATURES = {"EntanglingLayer", "QuantumLinear"}


@cache
def step(name: str, n: int, batch: int) -> Step:
    """One training step; of a name that ends in "as complex" the same program taken so."""
    torch.manual_seed(0)
    engine = StatevectorEngine(1)
    as_complex = name.endswith(" as complex")
    name = name.removesuffix(" as complex")
    if name == "W1":
        return Work(n, batch, LAYERS if n > 4 else 2).step(1)
    if name == "EntanglingLayer":
        layer: Any = EntanglingLayer(2 * n, n, n, LAYERS, complex_block if as_complex else block, engine=engine, seed=0)
        x = torch.randn(batch, 2 * n, requires_grad=True)
    elif name == "QuantumLinear":
        layer = QuantumLinear(2**n, LAYERS, is_complex=as_complex, engine=engine, seed=0)
        x = torch.randn(batch, 2**n, dtype=torch.complex64 if as_complex else torch.float32, requires_grad=True)
    else:
        layer = QuantumLayer(CIRCUITS[name](n, as_complex), engine=engine, seed=0)
        x = torch.randn(batch, n, requires_grad=True)

    def run() -> None:
        layer.zero_grad()
        x.grad = None
        layer(x).abs().square().sum().backward()

    return run


def milliseconds(function: Step, seconds: float) -> float:
    """The median over at least five steps, in time of this process's CPU."""
    function()
    times, end = list[float](), time.process_time() + seconds
    while len(times) < 5 or time.process_time() < end:
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return 1e3 * sorted(times)[len(times) // 2]


def multiply_add_rate(seconds: float) -> float:
    """P of one thread, in millions a millisecond of CPU."""
    clock, cpu = time.perf_counter(), time.process_time()
    rate = fma_rate(1, seconds)
    return rate / 1e9 * (time.perf_counter() - clock) / (time.process_time() - cpu)


def main() -> None:
    torch.set_num_threads(1)
    for line in sys.stdin:
        name, n, batch, seconds = json.loads(line)
        print(multiply_add_rate(seconds) if name == "P" else milliseconds(step(name, n, batch), seconds), flush=True)


if __name__ == "__main__":
    main()
