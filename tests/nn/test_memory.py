"""Layers too wide for the machine are refused before anything is worked out."""

from __future__ import annotations

import pytest
import torch

import qloom as ql
from qloom.nn import QuantumLayer


def entangled(n_qubits: int, layers: int = 1) -> ql.Circuit:
    return ql.encoders.angle(n_qubits) + ql.ansatze.strongly_entangling(n_qubits, layers)


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
        QuantumLayer(entangled(31, 2), observables, shots=shots, seed=0)(torch.zeros(1, 31))


def test_a_wide_product_is_measured_without_its_state(monkeypatch):
    """31 qubits turned one by one, then a ring of CX, through which Z of the last is Z of all and Z of the first
    that of all others: cos(0.2) to the power of 31 and 30, passed by 6 deviations once in 10^8 seeds."""
    monkeypatch.setattr("qloom.engines.batch.available_memory", lambda: 10**8)
    layer = QuantumLayer(entangled(31), [ql.Z(0), ql.Z(30)], shots=1000, init=torch.zeros(93), seed=0)
    values = layer(torch.full((1, 31), 0.2)).detach()[0]
    expected = torch.cos(torch.tensor(0.2)) ** torch.tensor([30.0, 31.0])
    assert ((values - expected).abs() < 6 * ((1 - expected**2) / 1000) ** 0.5).all()
