"""The work engines are compared by is what its documentation says, and is checked before it is timed."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import qloom as ql
from benchmarks.checks import check_state, check_step, z_values
from benchmarks.peers.systems.circuit import gates
from qloom.benchmarking import Work


def circuit_gate_by_gate(work):
    circuit = ql.Circuit(work.n_qubits)
    x, w = circuit.inputs(work.n_qubits), circuit.weights(3 * work.n_qubits * work.n_layers)
    slots = {"input": x, "weight": w}
    for name, qubits, angle in gates(work.n_qubits, work.n_layers, work.reuploading):
        circuit.append(name, () if angle is None else (slots[angle[0]][angle[1]],), qubits)
    return circuit


@pytest.mark.parametrize("work", [Work(3, 2, 2), Work(4, 1, 3), Work(3, 2, 3, reuploading=True)])
def test_ours_and_the_peers_circuit_are_one(work):
    inputs, weights, _ = work.problem()
    reference = ql.engines.ReferenceEngine()
    truth = ql.expectation(circuit_gate_by_gate(work), None, inputs, weights, engine=reference)
    np.testing.assert_allclose(work.forward(dtype=torch.float64)(), truth, atol=1e-12)


def test_a_step_gives_the_gradients_of_its_loss():
    work = Work(2, 3, 1)
    loss, d_inputs, d_weights = work.step(dtype=torch.float64)()
    x, weights, targets = work.problem()

    def value(x, weights):
        outputs = ql.expectation(work.circuit(), None, x, weights, engine=ql.engines.ReferenceEngine())
        return ((outputs - targets) ** 2).sum(axis=1).mean()

    assert loss.item() == pytest.approx(value(x, weights), abs=1e-12)
    step = 1e-5 * np.eye(1, weights.size, 1)[0]
    assert d_weights[1].item() == pytest.approx((value(x, weights + step) - value(x, weights - step)) / 2e-5, abs=1e-8)
    step = 1e-5 * np.eye(3, 2, 0) * [[1, 0]]
    assert d_inputs[0, 0].item() == pytest.approx(
        (value(x + step, weights) - value(x - step, weights)) / 2e-5, abs=1e-8
    )


def test_multiply_adds_of_the_floor():
    assert Work(8, 256, 4).step_multiply_adds == 2**8 * 256 * 4 * (16 * 8 + 14)
    assert Work(20, 1, 10).forward_multiply_adds == 2**20 * 10 * 84
    assert Work(8, 256, 4, reuploading=True).step_multiply_adds < 2 * Work(8, 256, 4).step_multiply_adds


@pytest.mark.parametrize("work", [Work(3, 5, 2), Work(4, 2, 2, reuploading=True)])
def test_checks_pass_the_right_layer_and_no_other(work):
    layer, (x, _) = work.layer(), work.tensors()
    check_step(work, layer, x)
    check_state(work, layer, x)
    other = ql.nn.QuantumLayer(ql.encoders.angle(work.n_qubits, "x") + work.circuit(), init=work.problem()[1])
    other.forward = lambda x: 0.9 * layer(x)
    with pytest.raises(AssertionError):
        check_step(work, other, x)


def test_z_values_are_those_of_marginals():
    state = np.array([[0.5, 0.5j, 0, np.sqrt(0.5)]])
    np.testing.assert_allclose(z_values(state), [[0.0, -0.5]], atol=1e-15)
