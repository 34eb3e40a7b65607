"""What all modules made of circuits keep to, as torch's own do: seeds, autocast."""

from __future__ import annotations

import math

import pytest
import torch

import qloom as ql
from qloom.nn import (
    QCNN,
    EntanglingLayer,
    QuantumAttention,
    QuantumConv2d,
    QuantumGRU,
    QuantumHead,
    QuantumLayer,
    QuantumLinear,
    QuantumLSTM,
)  # fmt: skip

CIRCUIT = ql.encoders.angle(4) + ql.ansatze.strongly_entangling(4, 1)
# A module from a seed, and the shape of what it takes.
MODULES = {
    "layer": (lambda **options: QuantumLayer(CIRCUIT, **options), (3, 4)),
    "head": (lambda **options: QuantumHead(4, 2, **options), (3, 4)),
    "entangling": (lambda **options: EntanglingLayer(4, 2, **options), (3, 4)),
    "linear": (lambda **options: QuantumLinear(4, **options), (3, 4)),
    "qcnn": (lambda **options: QCNN(4, **options), (3, 4)),
    "convolution": (lambda **options: QuantumConv2d(1, 2, 2, **options), (2, 1, 3, 3)),
    "attention": (lambda **options: QuantumAttention(4, n_qubits=2, **options), (2, 3, 4)),
    "lstm": (lambda **options: QuantumLSTM(4, 3, n_qubits=2, num_layers=2, **options), (2, 3, 4)),
    "gru": (lambda **options: QuantumGRU(4, 3, n_qubits=2, bidirectional=True, **options), (2, 3, 4)),
}
each_module = pytest.mark.parametrize(("make", "shape"), MODULES.values(), ids=MODULES)


def first(values):
    return values[0] if isinstance(values, tuple) else values


@each_module
def test_a_seed_reaches_all_that_is_random(make, shape):
    """The same numbers, whatever torch's generator holds, which stays as it is; others for another seed."""
    before = torch.get_rng_state()
    one = make(seed=3)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(1)
    two, other = make(seed=3), make(seed=4)
    parameters = zip(one.parameters(), two.parameters(), other.parameters(), strict=True)
    assert all(torch.equal(a, b) and not torch.equal(a, c) for a, b, c in parameters)


def test_parts_of_a_module_share_no_numbers():
    layers = [QuantumLSTM(4, 4, n_qubits=4, seed=seed) for seed in (0, 1)]
    weights = [p.flatten()[:4].tolist() for layer in layers for p in layer.parameters()]
    assert len({tuple(w) for w in weights}) == len(weights)


def test_seeded_linear_maps_are_distributed_as_torchs():
    head = QuantumHead(400, 3, seed=0)
    assert head.before.weight.abs().max() <= 1 / 20
    # 1600 uniform numbers: the deviation is right to 1 in a hundred, seven times that is a false alarm in 10^11.
    assert head.before.weight.std().item() == pytest.approx(1 / 20 / 3**0.5, rel=0.07)
    assert head.before.bias.abs().max() <= 1 / 20


@each_module
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_autocast_around_a_model(make, shape, dtype):
    """Linear maps before give half as many digits; the circuit has all of them, and what comes out is near."""
    torch.manual_seed(0)
    network = torch.nn.ModuleList([torch.nn.Linear(shape[-1], shape[-1]), make(seed=0)])
    x = torch.rand(shape, requires_grad=True)
    exact = first(network[1](network[0](x)))
    with torch.autocast("cpu", dtype):
        between = network[0](x)
        assert between.dtype == dtype
        values = first(network[1](between))
    torch.testing.assert_close(values.float(), exact, atol=0.05, rtol=0.05)
    values.float().square().sum().backward()
    gradients = [p.grad for p in network.parameters()]
    assert all(g is not None and g.dtype == torch.float32 and g.isfinite().all() for g in gradients)
    assert x.grad.dtype == torch.float32


def test_a_layer_computes_in_float32_under_autocast():
    layer, x = QuantumLayer(CIRCUIT, seed=0), torch.rand(3, 4)
    with torch.autocast("cpu", torch.bfloat16):
        values = layer(x.bfloat16())
        assert layer(x).dtype == values.dtype == torch.float32
    torch.testing.assert_close(values, layer(x.bfloat16().float()), rtol=0, atol=0)
    with pytest.raises(ql.errors.ShapeError, match=r"x is torch\.bfloat16, the layer's weights are torch\.float32"):
        layer(x.bfloat16())


def test_autocast_in_a_compiled_graph():
    network = torch.nn.Sequential(torch.nn.Linear(4, 4), QuantumLayer(CIRCUIT, seed=0), torch.nn.Linear(4, 1))
    x = torch.rand(3, 4)
    compiled = torch.compile(network, fullgraph=True, backend="aot_eager")
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(compiled(x), network(x))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("size", [1e3, 1e6, 1e8, 1e12, 1e20, 1e30])
def test_angles_of_any_size_keep_their_digits(dtype, size):
    """cos and sin of the number as it is held, which the C library reduces exactly; the slope too."""
    circuit = ql.Circuit(1)
    circuit.rx(circuit.inputs(1)[0], 0)
    layer, x = QuantumLayer(circuit, [ql.Z(0), ql.Y(0)], dtype=dtype), torch.tensor([[size]], dtype=dtype)
    cosine, sine = math.cos(x.item()), math.sin(x.item())
    tolerance = 1e-6 if dtype == torch.float32 else 1e-12
    values = layer(x.requires_grad_())
    assert values[0].tolist() == pytest.approx([cosine, -sine], abs=tolerance)
    values[0, 0].backward()
    assert x.grad.item() == pytest.approx(-sine, abs=tolerance)
