"""A circuit in the place of a dense block."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import qloom as ql
from qloom.nn.words import output_words


def test_a_drop_in_for_a_dense_block():
    block = torch.nn.Sequential(
        torch.nn.Linear(6, 12), ql.nn.EntanglingLayer(12, 10, n_qubits=6), torch.nn.Linear(10, 1)
    )
    x = torch.randn(7, 6, requires_grad=True)
    block(x).sum().backward()
    assert x.grad.shape == (7, 6)
    assert all(parameter.grad is not None for parameter in block.parameters())
    assert ql.nn.EntanglingLayer(5, 3)(torch.zeros(2, 4, 5)).shape == (2, 4, 3)


def test_features_enter_in_turn_and_again():
    """12 features on 6 qubits in three layers: 0 to 5, 6 to 11, 0 to 5."""
    circuit = ql.nn.EntanglingLayer(12, 2, n_qubits=6, n_layers=3).quantum.circuit
    entering = [op.angles[0].index for op in circuit.operations if op.angles and op.angles[0].source == "input"]
    assert entering == [*range(12), *range(6)]
    ragged = ql.nn.EntanglingLayer(7, 2, n_qubits=3, n_layers=4).quantum.circuit
    entering = [op.angles[0].index for op in ragged.operations if op.angles and op.angles[0].source == "input"]
    assert entering == [*range(7), 0, 1, 2]


def test_without_entangling_weights_the_layer_is_known():
    """All weights 0: CX of a ring permute the product of cosines."""
    layer = ql.nn.EntanglingLayer(2, 3, n_layers=1, scale=2.0, init=np.zeros(6), dtype=torch.float64)
    x = torch.tensor([[0.3, 0.5]], dtype=torch.float64)
    a, b = np.cos(0.6), np.cos(1.0)
    # One CX from 0 to 1: Z0 stays, Z1 becomes Z0 Z1, and Z0 Z1 becomes Z1.
    np.testing.assert_allclose(layer(x).detach(), [[a, a * b, b]], atol=1e-14)


def test_savings_beside_a_dense_layer():
    savings = ql.nn.EntanglingLayer(16, 16, n_qubits=8).savings()
    assert (savings.weights, savings.dense) == (2 * 8 * 3, 17 * 16)
    assert str(savings) == "48 weights, nn.Linear(16, 16) has 272: 82% fewer"
    assert str(ql.nn.EntanglingLayer(4, 1, n_layers=5).savings()).endswith("has 5: 1100% more")


def test_output_words_are_different():
    words = output_words(4, 4 + 6 + 8 + 12)
    assert len({tuple(word.terms) for word in words}) == 30
    assert words[:5] == [ql.Z(0), ql.Z(1), ql.Z(2), ql.Z(3), ql.Z(0) @ ql.Z(1)]
    with pytest.raises(ql.errors.CircuitError, match="31 outputs of 4 qubits, expected at most 30"):
        output_words(4, 31)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ql.nn.EntanglingLayer(0, 1), "in_features=0"),
        (
            lambda: ql.nn.EntanglingLayer(4, 1, n_qubits=2, n_layers=1),
            "n_layers=1, expected at least 2: 2 of 4 features",
        ),
        (lambda: ql.nn.EntanglingLayer(1, 5), "5 outputs of 1 qubits, expected at most 3"),
    ],
)
def test_errors(call, message):
    with pytest.raises(ql.errors.CircuitError, match=message):
        call()
