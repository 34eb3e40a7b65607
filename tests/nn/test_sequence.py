"""Recurrent layers and attention made of circuits."""

from __future__ import annotations

import pytest
import torch

import qloom as ql
from qloom.nn import QuantumAttention, QuantumGRU, QuantumLSTM


@pytest.mark.parametrize("kind", [QuantumLSTM, QuantumGRU])
def test_a_step_at_a_time_is_the_same_as_all_at_once(kind):
    layer = kind(3, 5, n_qubits=3, dtype=torch.float64, seed=0)
    x = torch.randn(4, 6, 3, dtype=torch.float64)
    outputs, last = layer(x)
    assert outputs.shape == (4, 6, 5)
    state = None
    for t in range(6):
        one, state = layer(x[:, t : t + 1], state)
        torch.testing.assert_close(one[:, 0], outputs[:, t])
    torch.testing.assert_close(state, last)


def test_lstm_is_the_textbook_one_when_gates_are_linear():
    """With each circuit exchanged for the identity, it is nn.LSTM with weights put in its order."""
    layer = QuantumLSTM(3, 4, n_qubits=4, dtype=torch.float64)
    for name in layer.gates:
        layer.circuits[name] = torch.nn.Identity()
    twin = torch.nn.LSTM(3, 4, batch_first=True, dtype=torch.float64)
    order = ("take", "forget", "propose", "show")
    with torch.no_grad():
        twin.weight_ih_l0.copy_(torch.cat([layer.to_hidden[g].weight @ layer.from_input.weight for g in order]))
        twin.weight_hh_l0.copy_(torch.cat([layer.to_hidden[g].weight @ layer.from_state.weight for g in order]))
        twin.bias_ih_l0.copy_(
            torch.cat([layer.to_hidden[g].weight @ layer.from_input.bias + layer.to_hidden[g].bias for g in order])
        )
        twin.bias_hh_l0.zero_()
    x = torch.randn(2, 7, 3, dtype=torch.float64)
    outputs, (h, c) = layer(x)
    expected, (h_twin, c_twin) = twin(x)
    torch.testing.assert_close(outputs, expected)
    torch.testing.assert_close(h, h_twin[0])
    torch.testing.assert_close(c, c_twin[0])


@pytest.mark.parametrize("kind", [QuantumLSTM, QuantumGRU])
def test_gradients_go_back_through_time(kind):
    layer = kind(2, 3, n_qubits=2, seed=0)
    x = torch.randn(2, 5, 2, requires_grad=True)
    layer(x)[0][:, -1].sum().backward()
    assert (x.grad[:, 0].abs().sum() > 0).all()
    assert all(parameter.grad is not None for parameter in layer.parameters())


def test_a_sequence_learns_to_remember():
    """The first number of a sequence, asked for at its end."""
    torch.manual_seed(0)
    x = torch.rand(64, 4, 1) * 2 - 1
    layer, head = QuantumGRU(1, 4, n_qubits=3, seed=0), torch.nn.Linear(4, 1)
    optimizer = torch.optim.Adam([*layer.parameters(), *head.parameters()], lr=0.03)
    losses = []
    for _ in range(120):
        loss = (head(layer(x)[0][:, -1]) - x[:, 0]).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]


def attention(**options) -> QuantumAttention:
    return QuantumAttention(4, dtype=torch.float64, seed=0, **options)


def test_attention_by_hand():
    layer, x = attention(n_projections=2), torch.randn(2, 5, 4, dtype=torch.float64)
    out = layer(x)
    q, k, v = layer.query(x), layer.key(x), layer.value(x)
    for b in range(2):
        for s in range(5):
            shares = torch.stack([torch.exp(-((q[b, s] - k[b, t]) ** 2).sum()) for t in range(5)])
            torch.testing.assert_close(out[b, s], x[b, s] + (shares / shares.sum()) @ v[b])


def test_masked_tokens_have_no_influence():
    layer, x = attention(), torch.randn(2, 5, 4, dtype=torch.float64)
    later = torch.ones(5, 5, dtype=torch.bool).triu(1)
    changed = x.clone()
    changed[:, 3:] += 1
    torch.testing.assert_close(layer(x, later)[:, :3], layer(changed, later)[:, :3], rtol=0, atol=0)
    padding = torch.tensor([[False, False, False, True, True], [False] * 5])
    torch.testing.assert_close(layer(x, key_padding_mask=padding)[0, :3], layer(x[:1, :3])[0])
    nothing = torch.ones(2, 5, dtype=torch.bool)
    torch.testing.assert_close(layer(x, key_padding_mask=nothing), x, rtol=0, atol=0)


def test_order_of_tokens_does_not_matter():
    layer, x = attention(), torch.randn(1, 6, 4, dtype=torch.float64)
    order = torch.randperm(6)
    torch.testing.assert_close(layer(x)[:, order], layer(x[:, order]))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: QuantumLSTM(3, 2)(torch.rand(4, 3)), r"x has shape \(4, 3\), expected \(B, T, 3\)"),
        (lambda: QuantumGRU(3, 2)(torch.rand(4, 0, 3)), "with T of at least 1"),
        (lambda: attention()(torch.rand(2, 5, 3)), r"expected \(B, T, 4\)"),
        (
            lambda: attention()(torch.rand(2, 5, 4).double(), torch.zeros(5, 5)),
            "mask is torch.float32 .*, expected torch.bool",
        ),
    ],
)
def test_errors(call, message):
    with pytest.raises(ql.errors.ShapeError, match=message):
        call()
