"""What is trained when."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

import qloom as ql
from qloom.models import Fit, HybridClassifier, Recipe
from qloom.models.tables.heads import make_perceptron
from qloom.models.tables.hybrid import HybridNetwork, make_encoder
from qloom.models.tables.rows import Rows
from qloom.models.tables.schedules import SCHEDULES
from qloom.nn import QuantumLayer

N_LAYERS = 3


def network(seed: int = 0) -> HybridNetwork:
    torch.manual_seed(seed)
    circuit = ql.encoders.angle(2) + ql.ansatze.basic_entangler(2, N_LAYERS)
    return HybridNetwork(make_encoder(3, 4, 2, 0.0), QuantumLayer(circuit, seed=0), make_perceptron(2, 4, 2))


def rows(n: int = 64) -> Rows:
    x = torch.randn(n, 3, generator=torch.Generator().manual_seed(0))
    return Rows(x, (x[:, 0] * x[:, 1] > 0).long())


def moved(schedule: str, epochs: int = 12) -> list[tuple[bool, list[bool], bool]]:
    """For each epoch: whether the encoder moved, which layers of the circuit did, and the head."""
    net, seen = network(), []
    fit = Fit(net, "classification", Recipe(epochs=epochs, patience=epochs, schedule=schedule, n_layers=N_LAYERS))

    def state() -> list[torch.Tensor]:
        weights = net.layer.weights.detach().clone().chunk(N_LAYERS)
        return [net.encoder[0].weight.detach().clone(), *weights, net.head[0].weight.detach().clone()]

    before = [state()]

    def watch(_: Fit) -> None:
        now = state()
        changed = [not torch.equal(a, b) for a, b in zip(before[0], now, strict=True)]
        seen.append((changed[0], changed[1:-1], changed[-1]))
        before[0] = now

    fit.run(rows(), rows(32), watch)
    assert all(parameter.requires_grad for parameter in net.parameters())
    return seen


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_parts_move_when_they_should(schedule):
    everything = (True, [True] * 3, True)
    only = [(True, [k == layer for k in range(3)], True) for layer in range(3)]
    expected = {
        "together": [everything] * 12,
        "layer_by_layer": [only[0]] * 2 + [only[1]] * 2 + [only[2]] * 2 + [everything] * 6,
        "layers_in_turn": only * 4,
        "circuit_only": [(False, [True] * 3, False)] * 12,
        "classical_last": [everything] * 8 + [(True, [False] * 3, True)] * 4,
    }[schedule]
    assert moved(schedule) == expected


@pytest.mark.parametrize("schedule", ["layer_by_layer", "layers_in_turn"])
@pytest.mark.parametrize("epoch", [3, 6])
def test_a_training_taken_up_again_goes_on_as_if_never_stopped(schedule, epoch):
    recipe = Recipe(epochs=12, patience=12, schedule=schedule, n_layers=N_LAYERS)
    stopped = []

    def stop(fit: Fit) -> None:
        if fit.epoch == epoch:
            stopped.append(copy.deepcopy((fit.tensors(), fit.record())))

    whole = Fit(network(), "classification", recipe).run(rows(), rows(32), stop)
    tensors, record = stopped[0]
    again = Fit(network(1), "classification", recipe).restore(tensors, record)
    again.run(rows(), rows(32))
    for a, b in zip(whole.network.parameters(), again.network.parameters(), strict=True):
        assert torch.equal(a, b)
    assert [e["stage"] for e in whole.history] == [e["stage"] for e in again.history]


def test_a_circuit_that_does_not_train_is_told():
    """RZ behind everything turns phases that nobody measures."""
    circuit = ql.encoders.angle(2)
    for qubit, weight in enumerate(circuit.weights(2)):
        circuit.rz(weight, qubit)
    idle = HybridNetwork(make_encoder(3, 4, 2, 0.0), QuantumLayer(circuit), make_perceptron(2, 4, 2))
    fit = Fit(idle, "classification", Recipe(epochs=3))
    with pytest.warns(
        ql.errors.TrainabilityWarning, match="gradients are 0.0e[+]00 in epoch 1, no more than rounding"
    ) as told:
        fit.run(rows(), rows(32))
    assert len(told) == 1
    assert fit.history[0]["circuit_gradient"] == 0
    trained = Fit(network(), "classification", Recipe(epochs=1)).run(rows(), rows(32))
    assert trained.history[0]["circuit_gradient"] > 1e-4


def test_estimator_and_errors():
    x = np.random.default_rng(0).normal(size=(80, 3))
    model = HybridClassifier(2, 2, epochs=4, schedule="layers_in_turn").fit(x, x[:, 0] > 0)
    assert [epoch["stage"][:12] for epoch in model.history_] == ["layer 1 of 2", "layer 2 of 2"] * 2
    control = HybridClassifier(2, 2, epochs=4, schedule="layer_by_layer", layer="classical").fit(x, x[:, 0] > 0)
    assert len(control.history_) == 4
    with pytest.raises(ql.errors.ConfigError, match="schedule is 'later', expected one of together, layer_by_layer"):
        HybridClassifier(schedule="later", epochs=1).fit(x, x[:, 0] > 0)
