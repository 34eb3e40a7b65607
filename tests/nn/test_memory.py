"""Layers too wide for the machine are refused before anything is worked out."""

from __future__ import annotations

import pytest
import torch

import qloom as ql
from qloom.nn import QuantumLayer


def entangled(n_qubits: int) -> ql.Circuit:
    return ql.encoders.angle(n_qubits) + ql.ansatze.strongly_entangling(n_qubits, 1)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_no_room_for_the_walk_back_is_said_before_the_walk_forward(dtype, monkeypatch):
    """Room for one and a half states: values alone are found, values that a gradient is wanted of are refused."""
    layer = QuantumLayer(entangled(20), [ql.Z(19)], dtype=dtype, seed=0)
    state = 2**20 * 2 * torch.empty(0, dtype=dtype).itemsize
    monkeypatch.setattr("qloom.engines.batch.available_memory", lambda: state * 3 // 2)
    x = torch.zeros(1, 20, dtype=dtype)
    with torch.no_grad():
        assert layer(x).shape == (1, 1)
    with pytest.raises(ql.errors.MemoryLimitError, match="1 samples of 20 qubits, 1 outputs needs"):
        layer(x)


def test_a_walk_forward_that_was_let_through_can_go_back(monkeypatch):
    """What forward keeps is no longer free, and not asked for again."""
    layer = QuantumLayer(entangled(20), [ql.Z(19)], seed=0)
    state = 2**20 * 8
    monkeypatch.setattr("qloom.engines.batch.available_memory", lambda: 2 * state + 100)
    value = layer(torch.zeros(1, 20)).sum()
    monkeypatch.setattr("qloom.engines.batch.available_memory", lambda: state + 100)
    value.backward()
    assert layer.weights.grad.abs().sum() > 0


@pytest.mark.parametrize("observables", [None, "probabilities", "state"])
@pytest.mark.parametrize("shots", [None, 10])
def test_widths_beyond_the_machine_answer_in_our_words(observables, shots, monkeypatch):
    if observables == "state" and shots:
        pytest.skip("states are not measured")
    monkeypatch.setattr("qloom.engines.batch.available_memory", lambda: 10**9)
    with pytest.raises(ql.errors.MemoryLimitError, match=r"needs .* bytes, 1,000,000,000 are free"):
        QuantumLayer(entangled(31), observables, shots=shots, seed=0)(torch.zeros(1, 31))
