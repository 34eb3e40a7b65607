"""Circuits that grow, and axes that are chosen."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import qloom as ql
from qloom.nn import QuantumLayer
from qloom.optimizers import Adapt, RiemannianFlow, Rotoselect, local_words, pool_slopes, words_of
from tests.optimizers.test_optimizers import ground_energy, ising


def test_rotoselect_finds_axes():
    """Fields along X, Y and Z on three qubits that only turned about Z: one sweep is enough."""
    circuit = ql.Circuit(3)
    for qubit, weight in enumerate(circuit.weights(3)):
        circuit.rz(weight, qubit)
    layer = QuantumLayer(circuit, [ql.X(0) + 2 * ql.Y(1) + 3 * ql.Z(2)], init="uniform", seed=0, dtype=torch.float64)
    optimizer = Rotoselect(layer)
    assert optimizer.step(lambda: layer()[0]) == pytest.approx(-6, abs=1e-9)
    assert optimizer.cost.evaluations == 3 * 7
    assert layer().item() == pytest.approx(-6, abs=1e-9)
    names = [op.gate.name for op in layer.circuit.operations]
    assert names[:2] == ["ry", "rx"]
    assert circuit.gate_counts() == {"rz": 3}  # the caller's circuit is its own


def test_rotoselect_goes_lower_than_rotosolve_and_keeps_other_gates():
    circuit = ql.ansatze.hardware_efficient(4, 2, ("rx",), "linear", "cz")
    (weight,) = circuit.weights(1)
    circuit.rzz(weight, 0, 1)
    layer = QuantumLayer(circuit, [ising(4)], init="uniform", seed=1, dtype=torch.float64)
    optimizer = Rotoselect(layer)
    losses = [optimizer.step(lambda: layer()[0]) for _ in range(6)]
    assert np.diff(losses).max() < 1e-9
    assert losses[-1] < 0.9 * ground_energy(4)
    assert layer.circuit.operations[-1].gate.name == "rzz"
    alone = ql.Circuit(2)
    pair = QuantumLayer(alone.rzz(alone.weights(1)[0], 0, 1))
    with pytest.raises(ql.errors.ConfigError, match="no weight turns a single RX, RY or RZ by itself"):
        Rotoselect(pair)


def test_slopes_of_a_pool_are_differences():
    circuit, observable, pool = ql.ansatze.basic_entangler(3, 2), ising(3), local_words(3)
    weights = np.random.default_rng(0).uniform(0, 6, 6)
    found = pool_slopes(circuit, observable, pool, weights)
    assert len(pool) == 9 + 18
    for (letters, qubits), slope in zip(pool, found, strict=True):
        values = []
        for angle in (1e-5, -1e-5):
            turned = circuit.copy().pauli_rotation(angle, letters, qubits)
            values.append(ql.expectation(turned, observable, None, weights)[0])
        assert slope == pytest.approx((values[0] - values[1]) / 2e-5, abs=1e-8)


def test_riemannian_flow_goes_down_to_the_ground_state():
    """From a random product state; every step of all words lowers the energy."""
    start = ql.Circuit(3)
    for qubit, weight in enumerate(start.weights(3)):
        start.ry(weight, qubit)
    flow = RiemannianFlow(start, ising(3), step=0.1, weights=np.array([0.3, 1.0, 2.0]))
    energies = [flow.energy()]
    for _ in range(80):
        flow.step()
        energies.append(flow.energy())
    assert np.diff(energies).max() < 1e-9
    assert energies[-1] < ground_energy(3) * (1 - 1e-2)
    assert flow.cost.evaluations == 81 + 80 * 3
    single = RiemannianFlow(ql.Circuit(3).h(0), ising(3), n_words=1)
    single.step()
    assert single.circuit.n_weights == 1


def test_adapt_reaches_the_ground_state_with_few_words():
    grown = Adapt(ql.Circuit(4), ising(4))
    energies = []
    for _ in range(14):
        slope = grown.step()
        energies.append(grown.energy())
        if slope < 1e-3:
            break
    assert np.diff(energies).max() < 1e-4  # Adam swings about the minimum
    assert energies[-1] < ground_energy(4) * (1 - 1e-3)
    assert grown.weights.shape == (grown.circuit.n_weights,)


def test_words_and_errors():
    assert words_of(ql.Z(0) @ ql.X(2) + 0.5 * ql.Y(1) + 3) == [("ZX", (0, 2)), ("Y", (1,))]
    with pytest.raises(ql.errors.ConfigError, match="expected a circuit without inputs"):
        Adapt(ql.encoders.angle(2), ql.Z(0))
    with pytest.raises(ql.errors.ConfigError, match="pool is empty"):
        Adapt(ql.Circuit(2), ql.Z(0), pool=[])
    with pytest.raises(ql.errors.ConfigError, match="step=0, n_words=None, expected positive ones"):
        RiemannianFlow(ql.Circuit(2), ql.Z(0), step=0)
