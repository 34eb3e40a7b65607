"""What a result is held against before it is timed."""

from __future__ import annotations

import numpy as np
import torch

import qloom as ql
from qloom.benchmarking import Work
from qloom.nn import QuantumLayer

TOLERANCE = {torch.float32: 2e-4, torch.float64: 1e-7}
# The reference engine takes many seconds a state beyond this.
MOST_REFERENCE_QUBITS = 20
_STEP = 1e-4


def check_step(work: Work, layer: QuantumLayer, x: torch.Tensor) -> None:
    """Outputs and some derivatives of a layer agree with the truth, on the first and the last sample.

    The whole batch goes through the engine, and a loss of two of its rows comes back through it. Derivatives of the
    truth are central differences.
    """
    rows = sorted({0, work.batch - 1})
    cotangents = np.random.default_rng(0).normal(size=(len(rows), work.n_qubits))
    x.grad = layer.weights.grad = None
    outputs = layer(x)
    (outputs[rows] * torch.tensor(cotangents, dtype=x.dtype)).sum().backward()
    inputs, weights = (t.detach().double().numpy() for t in (x[rows], layer.weights))
    tolerance = TOLERANCE[x.dtype]
    np.testing.assert_allclose(outputs[rows].detach(), true_values(work, inputs, weights), atol=tolerance)

    def loss(inputs: np.ndarray, weights: np.ndarray) -> float:
        return float((true_values(work, inputs, weights) * cotangents).sum())

    slope = _difference(lambda step: loss(inputs + step * np.eye(1, inputs.size).reshape(inputs.shape), weights))
    np.testing.assert_allclose(x.grad[rows[0], 0], slope, atol=tolerance * work.n_qubits)
    middle = 3 * work.n_qubits * (work.n_layers // 2) + 1  # an RY of a layer in the middle
    slope = _difference(lambda step: loss(inputs, weights + step * np.eye(1, weights.size, middle)[0]))
    np.testing.assert_allclose(layer.weights.grad[middle], slope, atol=tolerance * work.n_qubits)


def _difference(function) -> float:
    return (function(_STEP) - function(-_STEP)) / (2 * _STEP)


def true_values(work: Work, inputs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """<Z_q> (B, n) in double precision: of the reference engine, or of the native one for large registers."""
    if work.n_qubits > MOST_REFERENCE_QUBITS:
        return ql.expectation(work.circuit(), None, inputs, weights)
    return z_values(ql.state(work.circuit(), inputs, weights, engine=ql.engines.ReferenceEngine()))


def check_state(work: Work, layer: QuantumLayer, x: torch.Tensor) -> None:
    """The state has norm 1 and its <Z_q> are the layer's outputs, which come from another program."""
    with torch.no_grad():
        outputs = layer(x)
    state = ql.state(work.circuit(), x.detach().numpy(), layer.weights.detach().numpy())
    np.testing.assert_allclose(np.linalg.norm(state, axis=1), 1, atol=1e-3)
    np.testing.assert_allclose(outputs, z_values(state), atol=1e-3)


def z_values(states: np.ndarray) -> np.ndarray:
    """<Z_q> of every qubit.

    Shapes: states (B, 2^n) -> (B, n).
    """
    halves = (states.real**2 + states.imag**2).reshape(len(states), 2, -1)
    columns = []
    while halves.shape[1] == 2:
        columns.append((halves[:, 0] - halves[:, 1]).sum(axis=1, dtype=np.float64))
        folded = halves.sum(axis=1)
        halves = folded.reshape(len(states), min(2, folded.shape[1]), -1)
    return np.stack(columns, axis=1)
