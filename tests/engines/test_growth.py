"""Tangent form at its edges: angles where the tangent has no bound, and circuits long enough to outgrow their norm."""

from __future__ import annotations

import numpy as np
import pytest

import qloom as ql
from qloom.engines import ReferenceEngine
from qloom.gradients import gradient

TOLERANCE = {np.float64: 1e-10, np.float32: 2e-5}
# Half angles at which cosines vanish, next to them, and far out.
EDGES = np.array([np.pi, -np.pi, 3 * np.pi, np.pi + 1e-7, np.pi - 1e-4, 5 * np.pi, 2 * np.pi, 0.0, 100.5])


def layers(n: int, depth: int) -> ql.Circuit:
    """Inputs and weights on every qubit, again and again."""
    circuit = ql.Circuit(n)
    x, w = circuit.inputs(n), circuit.weights(depth, n)
    for row in w:
        for q in range(n):
            circuit.ry(x[q], q)
            circuit.rx(row[q], q)
        for q in range(n):
            circuit.cx(q, (q + 1) % n)
    return circuit


def agrees(circuit: ql.Circuit, x: np.ndarray, w: np.ndarray, tolerance: float) -> None:
    """Values as the reference has them; derivatives along one direction as central differences in float64 have them."""
    exact_x, exact_w = x.astype(np.float64), w.astype(np.float64)
    truth = ql.expectation(circuit, None, exact_x, exact_w, engine=ReferenceEngine())
    np.testing.assert_allclose(ql.expectation(circuit, None, x, w), truth, rtol=0, atol=tolerance)
    rng, step = np.random.default_rng(0), 1e-4
    along_x, along_w = rng.normal(size=x.shape), rng.normal(size=w.shape) / np.sqrt(w.size)

    def total(sign: int) -> float:
        moved = exact_x + sign * step * along_x, exact_w + sign * step * along_w
        return float(ql.expectation(circuit, None, *moved, engine=ReferenceEngine()).sum())

    d_x, d_w = gradient(circuit, None, x, w)
    slope = (d_x * along_x).sum() + (d_w * along_w).sum()
    differences = (total(1) - total(-1)) / (2 * step)
    left_out = 3e-6 * truth.size  # by the differences, whose third derivatives are of order one
    assert abs(slope - differences) < left_out + 10 * tolerance * truth.size


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("n", "batch"), [(3, 20), (7, 1), (8, 3)])
def test_angles_where_tangents_have_no_bound(dtype, n, batch):
    rng = np.random.default_rng(n)
    circuit = layers(n, 4)
    x, w = rng.choice(EDGES, (batch, n)).astype(dtype), rng.choice(EDGES, (4 * n,)).astype(dtype)
    agrees(circuit, x, w, TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("batch", [1, 9])
def test_every_angle_a_half_turn(dtype, batch):
    """The state moves from basis state to basis state and would outgrow any number."""
    circuit = layers(4, 30)
    x, w = np.full((batch, 4), np.pi, dtype), np.full(120, np.pi, dtype)
    agrees(circuit, x, w, TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("n", "batch"), [(5, 11), (8, 1)])
def test_long_circuits(dtype, n, batch):
    """Some thousand rotations: rounding grows as their square root, and the norm is taken back often."""
    rng = np.random.default_rng(1)
    circuit = layers(n, 1500 // (2 * n))
    x = rng.uniform(-6, 6, (batch, n)).astype(dtype)
    w = rng.uniform(-6, 6, circuit.n_weights).astype(dtype)
    agrees(circuit, x, w, 4 * TOLERANCE[dtype])


def test_contract_with_angles_at_the_edge():
    circuit = layers(4, 2)
    rng = np.random.default_rng(2)
    x, w = rng.choice(EDGES, (5, 4)), rng.choice(EDGES, 8)
    np.testing.assert_allclose(
        ql.state(circuit, x, w), ql.state(circuit, x, w, engine=ReferenceEngine()), rtol=0, atol=1e-12
    )
