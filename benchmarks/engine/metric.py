"""The metric of states beside gradients: 100 weights at ten qubits.

Run: python -m benchmarks.engine.metric
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import qloom as ql
from benchmarks.cases import Case, run
from benchmarks.engine.ratios import ratio
from qloom.gradients import gradient

N_QUBITS, N_LAYERS = 10, 5


def metric(precision: str) -> Callable[[], Any]:
    """The time of `metric_tensor` to that of `gradient`, both as a user calls them."""
    circuit = ql.ansatze.hardware_efficient(N_QUBITS, N_LAYERS)
    assert circuit.n_weights == 100
    weights = np.random.default_rng(0).uniform(0, 6, 100).astype(precision)
    found = ql.metric_tensor(circuit, weights=weights)
    moved = [ql.state(circuit, weights=(weights + step).astype("f8")) for step in (1e-4 * np.eye(100)[7], 0)]
    # 1 - |<psi(w)|psi(w + d)>|^2 = d g d.
    distance = 1 - abs(np.vdot(*moved)) ** 2
    np.testing.assert_allclose(found[7, 7], distance / 1e-8, rtol=1e-2)
    return partial(
        ratio, lambda: ql.metric_tensor(circuit, weights=weights), lambda: gradient(circuit, weights=weights)
    )


SIZE = {"n": N_QUBITS, "weights": 100}
CASES = [
    Case("metric", SIZE, partial(metric, precision), unit="gradients", goal=30.0, precision=precision)
    for precision in ("float32", "float64")
]

if __name__ == "__main__":
    run("metric", CASES)
