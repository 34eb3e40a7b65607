"""Circuits as linear maps of activations, and layers that give states."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch

import qloom as ql
from qloom.nn import QuantumLinear


def dense_matrix(layer: QuantumLinear) -> np.ndarray:
    """Columns: what the circuit's gates make of basis states, by the reference engine."""
    size = 2**layer.quantum.circuit.n_qubits
    eye = np.hstack([np.eye(size), np.zeros((size, size))])
    batch = ql.engines.make_batch(layer.quantum.circuit, eye, layer.quantum.weights.detach().double().numpy())
    return ql.engines.ReferenceEngine().state(layer.quantum.circuit, batch).T


@pytest.mark.parametrize("n_features", [2, 16, 512])
def test_the_map_is_orthogonal_and_the_circuits(n_features):
    layer = QuantumLinear(n_features, 2, dtype=torch.float64, init="uniform", seed=0)
    matrix = layer.matrix().detach().numpy()
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(n_features), atol=1e-13)
    if n_features <= 16:
        np.testing.assert_allclose(matrix, dense_matrix(layer).real, atol=1e-13)
    x = torch.randn(3, 5, n_features, dtype=torch.float64) * 10
    torch.testing.assert_close(layer(x), x @ layer.matrix().T)


def test_the_map_is_unitary_on_complex_features():
    strong = ql.ansatze.strongly_entangling
    layer = QuantumLinear(8, 2, strong, is_complex=True, dtype=torch.float64, init="uniform", seed=0)
    np.testing.assert_allclose(layer.matrix().detach().numpy(), dense_matrix(layer), atol=1e-13)
    x = torch.randn(5, 8, dtype=torch.complex128, requires_grad=True)
    assert torch.autograd.gradcheck(layer, x)
    with pytest.raises(ql.errors.CircuitError, match="is not real, expected real gates"):
        QuantumLinear(8, 2, strong)
    phased = QuantumLinear(
        4, 1, lambda n, _: ql.ansatze.two_qubit_block("su4"), True, dtype=torch.float64, init="uniform"
    )
    np.testing.assert_allclose(phased.matrix().detach().numpy(), dense_matrix(phased), atol=1e-13)
    assert torch.autograd.gradcheck(phased, torch.randn(2, 4, dtype=torch.complex128, requires_grad=True))


@pytest.mark.parametrize("rows", [0, 1, 4, 7])
def test_vectors_are_taken_two_at_once_and_the_last_alone(rows):
    layer = QuantumLinear(6, 1, dtype=torch.float64, seed=0)  # of 8
    x = torch.randn(rows, 6, dtype=torch.float64, requires_grad=True)
    torch.testing.assert_close(layer(x), x @ layer.matrix().T)
    if rows:
        assert torch.autograd.gradcheck(layer, x)
        call = lambda w: torch.func.functional_call(layer, {"quantum.weights": w}, (x.detach(),))  # noqa: E731
        assert torch.autograd.gradcheck(call, layer.quantum.weights.detach().requires_grad_())


def test_copies_and_compiles():
    layer, x = QuantumLinear(8, 2, seed=0), torch.randn(4, 8)
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        torch.testing.assert_close(twin(x), layer(x), rtol=0, atol=0)
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(x), layer(x))


def test_few_weights_for_many_features():
    assert QuantumLinear(1024, 3).quantum.weights.numel() == 3 * 10
    with pytest.raises(
        ql.errors.ShapeError, match=r"x is torch\.float64 \(2, 4\), expected torch\.float32 \(\.\.\., 8\)"
    ):
        QuantumLinear(8)(torch.zeros(2, 4, dtype=torch.float64))
    with pytest.raises(ql.errors.CircuitError, match="expected a circuit without inputs"):
        QuantumLinear(4, 1, lambda n, layers: ql.encoders.angle(n))


def test_a_layer_gives_states_and_takes_their_gradients():
    """Gates whose phases follow their angles among them: a phase counts in a state."""
    circuit = ql.Circuit(2)
    x, w = circuit.inputs(2), circuit.weights(4)
    circuit.ry(x[0], 0).u(w[0], w[1], x[1], 1).cx(0, 1).p(w[2], 0).rx(w[3], 1).h(0)
    layer = ql.nn.QuantumLayer(circuit, "state", init="uniform", dtype=torch.float64, seed=0)
    inputs = torch.randn(3, 2, dtype=torch.float64, requires_grad=True)
    states = layer(inputs)
    assert (states.shape, states.dtype, layer.n_outputs) == ((3, 4), torch.complex128, 4)
    truth = ql.state(circuit, inputs.detach().numpy(), layer.weights.detach().numpy())
    np.testing.assert_allclose(states.detach().numpy(), truth, atol=1e-14)
    assert torch.autograd.gradcheck(layer, inputs)
    call = lambda w: torch.func.functional_call(layer, {"weights": w}, (inputs.detach(),))  # noqa: E731
    assert torch.autograd.gradcheck(call, layer.weights.detach().requires_grad_())


def test_states_are_not_measured_nor_shifted():
    with pytest.raises(ql.errors.UnsupportedError, match="a state is not measured, got shots=10"):
        ql.expectation(ql.encoders.angle(2), "state", [0.1, 0.2], shots=10)
    with pytest.raises(ql.errors.UnsupportedError, match="for what is measured, not for states"):
        ql.nn.QuantumLayer(ql.encoders.angle(2), "state", differentiator="parameter-shift")
