"""One large state, forward: 28 qubits and ten layers, and 33 qubits where a GPU has room for them.

Goal: 28 qubits within twice the least time, which global memory says. What is timed is held against the CPU's engine.
Wider registers take that too long: there a circuit and its inverse, with angles of their own, must give |0> again.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import torch

from benchmarks.gpu.cases import Checked, GpuCase, check_near
from qloom.benchmarking import Work
from qloom.benchmarking.gpu import Place, counted_launches
from qloom.benchmarking.gpu_floor import Limits, floor_of, needs_of_forward
from qloom.circuits import Circuit
from qloom.nn import QuantumLayer

# The CPU takes seconds for these.
MOST_CHECKED = 28
# Of Z on every qubit in float32, of states that thousands of rotations turned.
TOLERANCE = 1e-3


def prepare(n: int, layers: int, place: Place, limits: Limits) -> Checked:
    work = Work(n, 1, layers)
    forward = work.forward(engine=place.engine, device=place.device)
    with counted_launches(place) as launched:
        found = forward()
    if n <= MOST_CHECKED:
        off = check_near([found], [work.forward(dtype=torch.float64)()], TOLERANCE)
    else:
        off = check_near([values_there_and_back(n, place)], [np.ones((1, n))], TOLERANCE)
    told = "off" if n <= MOST_CHECKED else "a circuit there and back off"
    floor = floor_of(needs_of_forward(work, place, len(launched)), limits)
    return Checked(forward, floor, note=f"{len(launched)} launches, {told} by {off:.0e}")


def values_there_and_back(n: int, place: Place) -> torch.Tensor:
    """<Z_q> (1, n): all are 1."""
    layer = QuantumLayer(there_and_back(n), engine=place.engine, dtype=torch.float32, seed=0).to(place.device)
    with torch.no_grad():
        return layer(layer.weights[None])


def there_and_back(n: int) -> Circuit:
    """Rotations by inputs around a ring of CX, and all of it undone by weights of the same numbers."""
    circuit = Circuit(n)
    x, w = circuit.inputs(2 * n), circuit.weights(2 * n)
    for q in range(n):
        circuit.ry(x[q], q)
    for q in range(n):
        circuit.cx(q, (q + 1) % n)
    for q in range(n):
        circuit.rx(x[n + q], q).rx(-w[n + q], q)
    for q in reversed(range(n)):
        circuit.cx(q, (q + 1) % n)
    for q in range(n):
        circuit.ry(-w[q], q)
    return circuit


def case(n: int, layers: int, **goals: float) -> GpuCase:
    room = int(1.1 * (8 << n))
    return GpuCase("large state", {"n": n, "layers": layers}, partial(prepare, n, layers), room=room, **goals)  # type: ignore[arg-type]


CASES = [case(28, 10, goal_fraction=0.5), case(33, 2)]
