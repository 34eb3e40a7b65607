"""Samples that share a warp, circuits that share a launch: what is wrong with one is nothing to the others."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import qloom as ql
from qloom import ansatze, encoders
from qloom.engines import CircuitBatch, StatevectorEngine, make_batch
from qloom.engines.gpu import GpuBatch, launches
from qloom.gradients import prepare_gradient
from qloom.nn import QuantumLayer, QuantumLinear
from tests.engines.gpu.host_engine import HostEngine

ENGINE = HostEngine()


@pytest.mark.parametrize("n_qubits", [3, 4, 5, 7, 8])
def test_a_row_of_nan_stays_alone(n_qubits):
    circuit = encoders.angle(n_qubits) + ansatze.strongly_entangling(n_qubits, 2)
    layer = QuantumLayer(circuit, seed=0)
    there = layer.with_engine(ENGINE)
    rows = torch.linspace(-2, 2, 6 * n_qubits).reshape(6, n_qubits)
    broken = rows.clone()
    broken[2, 0] = torch.nan
    found, right = broken.clone().requires_grad_(), rows.clone().requires_grad_()
    values = there(found)
    assert values.isnan().any(dim=1).tolist() == [False, False, True, False, False, False]
    (slopes,) = torch.autograd.grad(values.sum(), found)
    (truth,) = torch.autograd.grad(layer(right).sum(), right)
    others = [0, 1, 3, 4, 5]
    torch.testing.assert_close(slopes[others], truth[others], rtol=0, atol=1e-5)


@pytest.mark.parametrize("n_features", [8, 16, 32, 128])
def test_vectors_of_norm_nought_are_mapped_to_it(n_features):
    here, there = (QuantumLinear(n_features, dtype=torch.float64, seed=1, engine=one) for one in (None, ENGINE))
    rows = torch.randn(6, n_features, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    rows[2:4] = 0
    found, right = rows.clone().requires_grad_(), rows.clone().requires_grad_()
    torch.testing.assert_close(there(found), here(right))
    mine, truth = (torch.autograd.grad(layer(x).square().sum(), x)[0] for layer, x in ((there, found), (here, right)))
    torch.testing.assert_close(mine, truth)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_norms_are_taken_as_the_cpu_takes_them(dtype):
    """Squared ones, within 1e-4 in float32 and 1e-5 in float64."""
    circuit = encoders.amplitude(8) + ansatze.hardware_efficient(3, 1)
    layer = QuantumLayer(circuit, engine=ENGINE, seed=0, dtype=torch.from_numpy(np.zeros(0, dtype)).dtype)
    bound = 1e-4 if dtype == np.float32 else 1e-5
    row = np.ones(8) / np.sqrt(8)
    squares = np.array([1 - 1.2 * bound, 1 - 0.8 * bound, 1 + 0.8 * bound, 1 + 1.2 * bound])
    values = layer(torch.from_numpy((np.sqrt(squares)[:, None] * row).astype(dtype)))
    assert values.isnan().all(dim=1).tolist() == [True, False, False, True]


@pytest.mark.parametrize("angle", [2.2, 2.8, 3.1])
def test_tables_that_cannot_be_used_do_no_harm(angle):
    """Sixty-four turns with small cosines in one sweep, where each sample has weights of its own."""
    circuit = ql.Circuit(4)
    w = circuit.weights(64)
    for qubit in range(4):
        circuit.h(qubit)
    for k in range(64):
        mask = k % 15 + 1
        pair = [q for q in range(4) if mask >> q & 1]
        circuit.rzz(w[k], *pair) if len(pair) == 2 else circuit.rz(w[k], pair[0])
    for qubit in range(4):
        circuit.ry(0.3, qubit)
    weights = np.full((3, 64), angle, np.float32)
    batch = make_batch(circuit, None, weights)
    cotangents = np.ones((3, 4), np.float32)
    mine, right = (prepare_gradient(circuit, None, engine) for engine in (ENGINE, StatevectorEngine(1)))
    np.testing.assert_allclose(mine.values(batch), right.values(batch), atol=2e-5)
    (_, found), (_, truth) = (one.backward(batch, cotangents, None, (False, True)) for one in (mine, right))
    np.testing.assert_allclose(found, truth, atol=1e-4)


def test_a_small_circuit_takes_no_threads_from_the_others():
    """A warp is the least: further bits of the smaller states stay 0."""
    circuits = [ansatze.strongly_entangling(8, 3), ql.Circuit(3), ql.Circuit(8)]
    prepared = CircuitBatch(circuits).prepare([ql.Z(0)])
    batch = GpuBatch(prepared, ENGINE.machine)
    assert batch._packed(torch.float64).shape(back=True).threads == 32
    weights = torch.linspace(-2, 2, prepared.batch.n_weights, dtype=torch.float64)
    values = torch.empty(3, 1, dtype=torch.float64)
    batch.forward_into(values, torch.empty(3, 0, dtype=torch.float64), weights, keep=False)
    np.testing.assert_allclose(values.numpy(), prepared.values(None, weights.numpy()), atol=1e-12)


def test_states_that_are_too_many_are_not_kept(monkeypatch):
    layer = QuantumLayer(encoders.angle(4) + ansatze.strongly_entangling(4, 2), seed=0)
    there, x = layer.with_engine(ENGINE), torch.linspace(-1, 1, 20).reshape(5, 4)
    right = torch.autograd.grad(there(x).sum(), there.weights)[0]
    monkeypatch.setattr(launches, "MOST_KEPT_NUMBERS", 100)
    values = torch.empty(5, 4)
    assert there.evaluator.forward_into(values, x, layer.weights.detach(), keep=True) is None
    torch.testing.assert_close(torch.autograd.grad(there(x).sum(), there.weights)[0], right)
