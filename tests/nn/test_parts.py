"""Quantum parts of larger models: heads, exchanged layers, parts trained in turn."""

from __future__ import annotations

import pickle

import pytest
import torch

import qloom as ql
from qloom.nn import QuantumHead, replace, stages, train_only


def backbone() -> torch.nn.Sequential:
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(4 * 36, 10)
    )


def test_a_frozen_backbone_with_a_quantum_head():
    model = backbone().requires_grad_(False)
    old = replace(model, "3", QuantumHead(144, 3, seed=0))
    assert isinstance(old, torch.nn.Linear)
    out = model(torch.rand(5, 1, 8, 8))
    out.sum().backward()
    assert out.shape == (5, 3)
    trained = {name for name, parameter in model.named_parameters() if parameter.grad is not None}
    assert trained == {"3.before.weight", "3.before.bias", "3.quantum.weights", "3.after.weight", "3.after.bias"}


def test_layers_are_found_by_name():
    model = torch.nn.ModuleDict({"encoder": backbone()})
    layer = torch.nn.Identity()
    replace(model, "encoder.1", layer)
    assert model["encoder"][1] is layer
    with pytest.raises(ql.errors.ConfigError, match=r"ModuleDict has no layer 'encoder\.9'; near it: encoder"):
        replace(model, "encoder.9", layer)


def test_only_chosen_parameters_are_trained():
    model = torch.nn.Sequential(
        torch.nn.Linear(4, 4), ql.nn.QuantumLayer(ql.encoders.angle(4) + ql.ansatze.basic_entangler(4, 1))
    )
    parameters = train_only(model, "1.*")
    assert parameters == [model[1].weights]
    before = [parameter.detach().clone() for parameter in model.parameters()]
    optimizer = torch.optim.SGD(parameters, lr=0.1)
    model(torch.rand(3, 4)).square().sum().backward()
    optimizer.step()
    changed = [not torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True)]
    assert changed == [False, False, True]
    with pytest.raises(ql.errors.ConfigError, match=r"no parameter matches 'quantum\.\*', expected one of 0\.weight"):
        train_only(model, "quantum.*")


def test_parts_take_turns_and_are_as_before():
    model = QuantumHead(4, 2)
    model.after.bias.requires_grad_(False)
    seen = []
    for parameters in stages(model, ["after.*", ("before.weight", "quantum.*")]):
        seen.append([name for name, p in model.named_parameters() if p.requires_grad])
        assert len(parameters) == len(seen[-1])
    assert seen == [["after.weight", "after.bias"], ["before.weight", "quantum.weights"]]
    assert [name for name, p in model.named_parameters() if not p.requires_grad] == ["after.bias"]


def rotations_and_phases(n: int) -> ql.Circuit:
    """Layers of inputs, of weights that turn and of weights that only phase, so that all kinds of steps occur."""
    circuit = ql.encoders.angle(n)
    for _ in range(2):
        circuit = circuit + ql.ansatze.strongly_entangling(n, 1)
        for qubit, weight in enumerate(circuit.weights(n - 1)):
            circuit.rzz(weight, qubit, qubit + 1)
    return circuit + ql.ansatze.basic_entangler(n, 1)


@pytest.mark.parametrize(("n_qubits", "n_samples"), [(3, 20), (9, 1), (12, 2), (16, 1)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_frozen_weights_of_a_circuit(n_qubits, n_samples, dtype):
    """The same derivatives of what is trained, whatever is frozen; 0 of the rest. Samples or amplitudes in lanes."""
    layer = ql.nn.QuantumLayer(rotations_and_phases(n_qubits), dtype=dtype, init="uniform", seed=0)
    x = torch.rand(n_samples, n_qubits, dtype=dtype, generator=torch.Generator().manual_seed(0), requires_grad=True)

    def gradients() -> tuple[torch.Tensor, torch.Tensor]:
        layer.weights.grad = x.grad = None
        layer(x).square().sum().backward()
        return x.grad, layer.weights.grad

    d_x, d_weights = gradients()
    tolerance = {"rtol": 0, "atol": 1e-5 if dtype == torch.float32 else 1e-12}
    count = len(d_weights)
    for which in (slice(0, count // 2), slice(count // 2, None), [0, count - 1], []):
        trained = torch.zeros(count, dtype=torch.bool)
        trained[which] = True
        d_x_now, d_weights_now = layer.train_weights(which) and gradients()
        torch.testing.assert_close(d_x_now, d_x, **tolerance)
        torch.testing.assert_close(d_weights_now, d_weights * trained, **tolerance)
        assert not d_weights_now[~trained].any()
    layer.train_weights().weights.requires_grad_(False)
    torch.testing.assert_close(gradients()[0], d_x, **tolerance)


def test_frozen_weights_are_remembered_and_checked():
    circuit = ql.encoders.angle(3) + ql.ansatze.basic_entangler(3, 2)
    layer, x = ql.nn.QuantumLayer(circuit).train_weights(slice(3, 6)), torch.rand(4, 3)
    again = pickle.loads(pickle.dumps(layer))
    again(x).sum().backward()
    assert (again.weights.grad != 0).tolist() == [False] * 3 + [True] * 3
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    compiled(x).sum().backward()
    torch.testing.assert_close(layer.weights.grad, again.weights.grad)
    with pytest.raises(ql.errors.ShapeError, match=r"which=9, expected indices, a slice or booleans of 6 weights"):
        layer.train_weights(9)


def test_layer_by_layer_within_a_circuit():
    """Each turn moves the weights of its layer and no others."""
    layer = ql.nn.QuantumLayer(ql.encoders.angle(3) + ql.ansatze.basic_entangler(3, 3), seed=0)
    x = torch.rand(8, 3)
    for part in range(3):
        before, which = layer.weights.detach().clone(), slice(3 * part, 3 * part + 3)
        optimizer = torch.optim.Adam(layer.train_weights(which).parameters(), 0.1)
        for _ in range(3):
            optimizer.zero_grad()
            layer(x).square().sum().backward()
            optimizer.step()
        moved = torch.zeros(9, dtype=torch.bool)
        moved[which] = True
        assert torch.equal(layer.weights != before, moved)
