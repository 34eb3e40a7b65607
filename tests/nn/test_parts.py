"""Quantum parts of larger models: heads, exchanged layers, parts trained in turn."""

from __future__ import annotations

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
