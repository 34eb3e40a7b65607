"""What a layer saves, and what it refuses to load."""

from __future__ import annotations

import pytest
import safetensors.torch
import torch

import qloom as ql
from qloom.nn import QuantumLayer


def make_layer(gate: str = "ry", observables=None, seed: int = 0) -> QuantumLayer:
    circuit = ql.encoders.angle(2)
    for qubit, w in enumerate(circuit.weights(2)):
        circuit.append(gate, (w,), (qubit,))
    return QuantumLayer(circuit, observables, init="uniform", seed=seed)


def network(gate: str = "ry") -> torch.nn.Module:
    return torch.nn.Sequential(torch.nn.Linear(2, 2), make_layer(gate), torch.nn.Linear(2, 1))


@pytest.mark.parametrize("other", [make_layer("rx"), make_layer("ry", [ql.X(0), ql.X(1)])])
@pytest.mark.parametrize("strict", [True, False])
def test_weights_of_another_circuit_are_refused(other, strict):
    layer = make_layer()
    before = layer.weights.detach().clone()
    with pytest.raises(RuntimeError, match="saved from another circuit or other observables"):
        layer.load_state_dict(other.state_dict(), strict=strict)
    assert torch.equal(layer.weights, before)
    assert layer.fingerprint() == make_layer(seed=5).fingerprint() != other.fingerprint()


def test_weights_find_their_layer_in_a_model(tmp_path):
    """Through safetensors, with what was frozen."""
    first, second = network(), network()
    first[1].train_weights([1])
    safetensors.torch.save_model(first, str(tmp_path / "weights.safetensors"))
    safetensors.torch.load_model(second, str(tmp_path / "weights.safetensors"))
    x = torch.rand(3, 2)
    torch.testing.assert_close(second(x), first(x), rtol=0, atol=0)
    assert second[1].trained.tolist() == [False, True]
    second(x).sum().backward()
    assert (second[1].weights.grad != 0).tolist() == [False, True]
    with pytest.raises(RuntimeError, match=r"1\.weights: saved from another circuit"):
        network("rx").load_state_dict(first.state_dict())


@pytest.mark.parametrize("strict", [True, False])
def test_files_without_a_fingerprint_load_with_a_warning(strict):
    old = {name: value for name, value in network().state_dict().items() if not name.endswith("_extra_state")}
    model = network()
    with pytest.warns(UserWarning, match=r"1\.weights come without the fingerprint of their circuit"):
        model.load_state_dict(old, strict=strict)
    model.load_state_dict({"0.bias": old["0.bias"]}, strict=False)  # nothing of the circuit: no warning


def test_the_fingerprint_is_that_of_the_circuit_of_now():
    layer = make_layer()
    layer.exchange(make_layer("rx").circuit)
    assert layer.fingerprint() == make_layer("rx").fingerprint()
    layer.load_state_dict(make_layer("rx", seed=3).state_dict())
