"""Recurrent layers and attention made of circuits."""

from __future__ import annotations

import pytest
import torch
from torch import nn

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
    layer, twin = without_circuits(), nn.LSTM(3, 4, batch_first=True, dtype=torch.float64)
    copy_weights(layer, twin)
    x = torch.randn(2, 7, 3, dtype=torch.float64)
    compare(layer(x), twin(x))
    compare(layer(x[0]), twin(x[0]))


def without_circuits(**options) -> QuantumLSTM:
    """An LSTM whose circuits are exchanged for the identity: with its own weights torch's is the same."""
    layer = QuantumLSTM(3, 4, n_qubits=4, dtype=torch.float64, seed=0, **options)
    for cell in layer.cells:
        for name in cell.gates:
            cell.circuits[name] = nn.Identity()
    return layer


@torch.no_grad()
def copy_weights(layer: QuantumLSTM, twin: nn.LSTM) -> None:
    order = ("take", "forget", "propose", "show")
    suffixes = [f"l{k}{way}" for k in range(layer.num_layers) for way in ("", "_reverse")[: 1 + layer.bidirectional]]
    for cell, suffix in zip(layer.cells, suffixes, strict=True):
        hidden, enter = cell.to_hidden, cell.from_input
        values = {
            "weight_ih": [hidden[g].weight @ enter.weight for g in order],
            "weight_hh": [hidden[g].weight @ cell.from_state.weight for g in order],
            "bias_ih": [hidden[g].weight @ enter.bias + hidden[g].bias for g in order],
        }
        for name, parts in values.items():
            getattr(twin, f"{name}_{suffix}").copy_(torch.cat(parts))
        getattr(twin, f"bias_hh_{suffix}").zero_()


def compare(found, expected) -> None:
    for mine, theirs in zip((found[0], *found[1]), (expected[0], *expected[1]), strict=True):
        torch.testing.assert_close(mine, theirs)


@pytest.mark.parametrize("batch_first", [True, False])
def test_layers_and_both_ways_as_torch_has_them(batch_first):
    options = {"num_layers": 3, "bidirectional": True, "batch_first": batch_first}
    layer, twin = without_circuits(**options), nn.LSTM(3, 4, dtype=torch.float64, **options)
    copy_weights(layer, twin)
    x = torch.randn(2, 7, 3, dtype=torch.float64)
    n = 2 if batch_first else 7
    state = tuple(torch.randn(6, n, 4, dtype=torch.float64) for _ in range(2))
    compare(layer(x), twin(x))
    compare(layer(x, state), twin(x, state))
    one = tuple(part[:, 0] for part in state)
    compare(layer(x[0], one), twin(x[0], one))


@pytest.mark.parametrize("enforce_sorted", [True, False])
@pytest.mark.parametrize("options", [{}, {"num_layers": 2, "bidirectional": True}])
def test_packed_sequences_as_torch_has_them(enforce_sorted, options):
    layer, twin = without_circuits(**options), nn.LSTM(3, 4, dtype=torch.float64, **options)
    copy_weights(layer, twin)
    x = torch.randn(7, 3, 3, dtype=torch.float64)
    lengths = [7, 4, 2] if enforce_sorted else [2, 7, 4]
    packed = nn.utils.rnn.pack_padded_sequence(x, lengths, enforce_sorted=enforce_sorted)
    state = tuple(torch.randn(len(layer.cells), 3, 4, dtype=torch.float64) for _ in range(2))
    for arguments in ((packed,), (packed, state)):
        (mine, last), (theirs, expected) = layer(*arguments), twin(*arguments)
        unpacked = [nn.utils.rnn.pad_packed_sequence(rows)[0] for rows in (mine, theirs)]
        compare((unpacked[0], last), (unpacked[1], expected))


def test_a_packed_gru_is_each_sequence_by_itself():
    layer = QuantumGRU(2, 3, n_qubits=2, seed=0, dtype=torch.float64, bidirectional=True)
    sequences = [torch.randn(t, 2, dtype=torch.float64) for t in (3, 5, 1)]
    packed, last = layer(nn.utils.rnn.pack_sequence(sequences, enforce_sorted=False))
    for k, (rows, x) in enumerate(zip(nn.utils.rnn.unpack_sequence(packed), sequences, strict=True)):
        outputs, h = layer(x)
        torch.testing.assert_close(rows, outputs)
        torch.testing.assert_close(last[:, k], h)


def test_dropout_between_layers():
    layer = QuantumGRU(2, 3, n_qubits=2, seed=0, num_layers=2, dropout=0.5)
    x = torch.randn(4, 3, 2)
    assert not torch.equal(layer(x)[0], layer(x)[0])
    assert torch.equal(layer.eval()(x)[0], layer(x)[0])
    with pytest.warns(UserWarning, match=r"dropout=0\.5 has no effect with num_layers=1"):
        QuantumGRU(2, 3, n_qubits=2, dropout=0.5)


@pytest.mark.parametrize("kind", [QuantumLSTM, QuantumGRU])
def test_states_saved_when_there_was_one_layer_are_loaded(kind):
    layer, other = kind(2, 3, n_qubits=2, seed=0), kind(2, 3, n_qubits=2, seed=1)
    old = {name.removeprefix("cells.0."): value for name, value in layer.state_dict().items()}
    assert "from_input.weight" in old
    other.load_state_dict(old)
    x = torch.randn(2, 3, 2)
    torch.testing.assert_close(other(x)[0], layer(x)[0], rtol=0, atol=0)


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
        (lambda: QuantumLSTM(3, 2)(torch.rand(4, 2)), r"x has shape \(4, 2\), expected \(B, T, 3\) or \(T, 3\)"),
        (
            lambda: QuantumLSTM(3, 2)(torch.rand(1, 4, 3), (torch.zeros(1, 2),) * 2),
            r"state has shape \(1, 2\), \(1, 2\), expected 2 of \(1, 1, 2\)",
        ),
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
