"""Layers with shots: random numbers of their own in copies, processes and DataLoader workers."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset

import qloom as ql
from qloom.nn import QuantumLayer


def make_layer(seed: int | None = 0) -> QuantumLayer:
    circuit = ql.encoders.angle(4) + ql.ansatze.basic_entangler(4, 1)
    return QuantumLayer(circuit, shots=1000, seed=seed, init="uniform")


X = torch.linspace(0.5, 1.5, 40).reshape(10, 4)


def test_copies_measure_with_numbers_of_their_own():
    layer = make_layer()
    copies = [layer, copy.deepcopy(layer), copy.deepcopy(layer)]
    with torch.no_grad():
        values = [one(X) for one in copies]
    assert not torch.equal(values[0], values[1])
    assert not torch.equal(values[1], values[2])


def test_a_stream_is_put_back():
    layer, other = make_layer(), make_layer(7)
    layer(X)
    other.load_state_dict(layer.state_dict())
    other.stream.state = layer.stream.state
    for one in (layer, other):
        one(X).sum().backward()
    torch.testing.assert_close(layer.weights.grad, other.weights.grad, rtol=0, atol=0)
    torch.testing.assert_close(layer(X), other(X), rtol=0, atol=0)


def test_another_seed_shares_no_numbers():
    """Values and slopes of one layer, and those of a layer seeded one more."""
    layers = [make_layer(seed) for seed in (0, 1)]
    layers[1].load_state_dict(layers[0].state_dict())
    for layer in layers:
        layer(X).sum().backward()
    assert (layers[0].weights.grad != layers[1].weights.grad).all()


def test_estimates_of_a_layer_are_those_of_its_measurements():
    """One shot varies by sqrt(1 - value^2); 1,000 of them, of one group of words."""
    layer = make_layer()
    estimate = layer.evaluator.estimate(ql.engines.make_batch(layer.circuit, X.numpy(), layer.weights.detach().numpy()))
    expected = np.sqrt((1 - estimate.values.astype(float) ** 2) / 999)
    np.testing.assert_allclose(estimate.errors, expected, atol=1e-6)
    assert (estimate.runs, estimate.shots) == (10, 10_000)
    assert layer.evaluator.stream is layer.stream is layer.engine.stream


class _Rows(Dataset):
    def __init__(self, seed: int | None):
        self.layer = make_layer(seed)

    def __len__(self):
        return 8

    def __getitem__(self, k):
        with torch.no_grad():
            return self.layer(X)


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
@pytest.mark.parametrize("seed", [0, None])
def test_workers_measure_with_numbers_of_their_own(seed):
    loader = DataLoader(_Rows(seed), batch_size=2, num_workers=2, multiprocessing_context="fork")
    rows = [row for _ in range(2) for batch in loader for row in batch]
    assert not any(torch.equal(rows[i], rows[j]) for i in range(len(rows)) for j in range(i))
