"""Optimizers of circuits: closed forms, invariances, resuming, and what they cost."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch

import qloom as ql
from qloom.nn import QuantumLayer
from qloom.optimizers import (
    QNSPSA,
    SPSA,
    ImaginaryTime,
    NaturalGradient,
    Rotoselect,
    Rotosolve,
    classical_parameters,
    quantum_layers,
)
from qloom.optimizers.natural_gradient import System
from tests.circuits.dense import embed, word_matrix


def ising(n: int, field: float = 1.0) -> ql.PauliSum:
    """- sum Z Z - field sum X on a line."""
    bonds = [-1.0 * ql.Z(q) @ ql.Z(q + 1) for q in range(n - 1)]
    return sum([-field * ql.X(q) for q in range(n)], start=sum(bonds[1:], start=bonds[0]))


def energy_layer(n: int = 4, n_layers: int = 3, seed: int = 0, dtype: torch.dtype = torch.float64) -> QuantumLayer:
    circuit = ql.ansatze.hardware_efficient(n, n_layers, ("ry", "rz"))
    return QuantumLayer(circuit, [ising(n)], init="uniform", seed=seed, dtype=dtype)


def ground_energy(n: int) -> float:
    bonds = sum(embed(word_matrix("ZZ"), (q, q + 1), n) for q in range(n - 1))
    field = sum(embed(word_matrix("X"), (q,), n) for q in range(n))
    return float(np.linalg.eigvalsh(-bonds - field)[0])


def train(optimizer: torch.optim.Optimizer, layer: QuantumLayer, n_steps: int) -> list[float]:
    """Losses before every step."""

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = layer()[0]
        loss.backward()
        return loss

    return [optimizer.step(closure).item() for _ in range(n_steps)]


def test_natural_gradient_step_by_hand():
    """A first RZ only turns a phase: its weight stays, and the others' metric is regular."""
    circuit = ql.ansatze.hardware_efficient(3, 2, ("rz", "ry"))
    layer = QuantumLayer(circuit, [ising(3)], init="uniform", seed=0, dtype=torch.float64)
    before = layer.weights.detach().numpy().copy()
    optimizer = NaturalGradient(layer, lr=0.2, damping=0, longest=None)
    layer()[0].backward()
    optimizer.step()
    metric, moved = ql.metric_tensor(circuit, weights=before), np.setdiff1d(np.arange(12), [0, 2, 4])
    expected = np.zeros(12)
    expected[moved] = np.linalg.solve(metric[np.ix_(moved, moved)], layer.weights.grad.numpy()[moved])
    np.testing.assert_allclose(before - layer.weights.detach().numpy(), 0.2 * expected, rtol=1e-6, atol=1e-9)


def test_fewer_rows_than_weights_give_the_same_step(monkeypatch):
    """Two qubits and 60 weights: the kernel of 2 x 8 numbers instead of the metric."""
    with pytest.raises(ql.errors.ConfigError, match="the metric of 60 weights has rank 16 and damping=0"):
        System(np.ones(60, bool), 1e-14, 0.0).solve_by_rows(np.ones((60, 16)), np.ones(60))
    circuit = ql.encoders.angle(2) + ql.ansatze.strongly_entangling(2, 10)
    x, steps = torch.rand(2, 2, dtype=torch.float64), []
    for by_rows in (True, False):
        layer = QuantumLayer(circuit, [ql.Z(0)], init="uniform", seed=0, dtype=torch.float64)
        optimizer, before = NaturalGradient(layer, 0.1), layer.weights.detach().clone()
        if not by_rows:
            monkeypatch.setattr(
                "qloom.optimizers.natural_gradient.System.solve_by_rows",
                lambda system, rows, gradient: system.solve(rows @ rows.T, gradient),
            )
        layer(x).square().sum().backward()
        optimizer.step()
        steps.append(layer.weights.detach() - before)
    torch.testing.assert_close(steps[0], steps[1], rtol=1e-6, atol=1e-9)
    assert steps[0].norm() > 0.01


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_weights_that_do_not_move_the_state_stay(dtype):
    """A first RZ on |0>; rounding in its entry of the metric is no direction."""
    for seed in range(5):
        layer = QuantumLayer(ql.ansatze.strongly_entangling(3, 4), [ising(3)], init="uniform", seed=seed, dtype=dtype)
        before = layer.weights.detach().clone()
        train(NaturalGradient(layer, 0.1), layer, 20)
        moved = (layer.weights.detach() - before).abs()
        assert moved.max() < 100
        assert moved.reshape(4, 3, 3)[0, :, 0].max() == 0


@pytest.mark.parametrize(
    "make",
    [NaturalGradient, lambda m: NaturalGradient(m, momentum=0.5), ImaginaryTime, SPSA, QNSPSA, Rotosolve, Rotoselect],
)
def test_frozen_weights_stay(make):
    # Of two turns of a qubit in a row the second would be best as it is, once both have one axis.
    circuit = ql.ansatze.hardware_efficient(3, 4, ("ry",))
    layer = QuantumLayer(circuit, [ising(3)], init="uniform", seed=0, dtype=torch.float64)
    optimizer, before = make(layer.train_weights(slice(0, 6))), layer.weights.detach().clone()
    train_any(optimizer, layer, 2)
    changed = layer.weights != before
    assert ((layer.weights - before)[:6].abs() > 1e-9).all()
    assert not changed[6:].any()


def test_spsa_survives_a_flat_start():
    layer = QuantumLayer(
        ql.ansatze.hardware_efficient(4, 2, ("ry",)), [ql.Z(0) @ ql.Z(1) + ql.Z(2) @ ql.Z(3)], init=np.zeros(8)
    )
    optimizer, before = SPSA(layer, lr=0.1, seed=0), layer.weights.detach().clone()
    for _ in range(5):
        optimizer.step(lambda: layer()[0])
    assert (layer.weights - before).abs().max() < 5 * 0.5 + 1e-6


def test_optimizers_belong_to_their_layers():
    """They are not copied; they leave alone what has no rows; an exchanged circuit is seen."""
    layer = energy_layer(2, 1)
    for make in (NaturalGradient, SPSA):
        with pytest.raises(TypeError, match="is not copied, it belongs to its layers"):
            copy.deepcopy(make(layer))
    inputs = QuantumLayer(ql.encoders.angle(2) + ql.ansatze.basic_entangler(2, 1), seed=0)
    optimizer, before = NaturalGradient(inputs), inputs.weights.detach().clone()
    inputs(torch.empty(0, 2)).sum().backward()
    optimizer.step()
    assert torch.equal(inputs.weights, before)
    with pytest.raises(ql.errors.ConfigError, match="a layer is a linear map of amplitudes of any norm"):
        NaturalGradient(ql.nn.QuantumLinear(8))
    turned = QuantumLayer(ql.Circuit(1).ry(0.0, 0) + ql.ansatze.basic_entangler(1, 1), [ql.Z(0)], init=[0.3])
    natural = NaturalGradient(turned)
    other = ql.Circuit(1)
    other.h(0).rz(other.weights(1)[0], 0).h(0)
    turned.exchange(other)
    train(natural, turned, 1)
    assert natural._tangents[0].circuit is turned.circuit


def test_rotoselect_is_saved_with_its_axes():
    def make() -> tuple[QuantumLayer, Rotoselect]:
        circuit = ql.Circuit(2)
        for qubit, weight in enumerate(circuit.weights(2)):
            circuit.rz(weight, qubit)
        layer = QuantumLayer(circuit, [ql.X(0) + ql.Y(1)], init="uniform", seed=0, dtype=torch.float64)
        return layer, Rotoselect(layer)

    (layer, optimizer), (again, resumed) = make(), make()
    optimizer.step(lambda: layer()[0])
    with pytest.raises(RuntimeError, match="saved from another circuit"):
        again.load_state_dict(layer.state_dict())
    resumed.load_state_dict(optimizer.state_dict())
    again.load_state_dict(layer.state_dict())
    assert again().item() == layer().item() == pytest.approx(-2)


@pytest.mark.parametrize("metric", ["full", "block", "diagonal"])
def test_a_step_does_not_change_when_angles_are_rescaled(metric):
    """theta = 2 t: the circuit moves to the same state."""
    plain, scaled = ql.Circuit(3), ql.Circuit(3)
    for circuit, scale in ((plain, 1.0), (scaled, 2.0)):
        for layer in circuit.weights(2, 3):
            for qubit, weight in enumerate(layer):
                circuit.ry(scale * weight, qubit)
            circuit.cx(0, 1).cx(1, 2)
    angles = np.random.default_rng(0).uniform(0, 6, 6)
    layers = [QuantumLayer(c, [ising(3)], init=angles / s, dtype=torch.float64) for c, s in ((plain, 1), (scaled, 2))]
    for layer in layers:
        train(NaturalGradient(layer, lr=0.3, metric=metric, damping=1e-2, momentum=0.5), layer, 4)
    np.testing.assert_allclose(
        *(layer.weights.detach() * s for layer, s in zip(layers, (1, 2), strict=True)), atol=1e-9
    )


def test_imaginary_time_never_rises_and_is_its_flow():
    layer = energy_layer(seed=1)
    losses = train(ImaginaryTime(layer, time_step=0.02), layer, 150)
    assert np.diff(losses).max() < 1e-9
    # One qubit: exp(-H t) on RY(a) |0> with H = Z has tan(a / 2) grow as exp(2 t).
    circuit = ql.Circuit(1)
    circuit.ry(circuit.weights(1)[0], 0)
    qubit = QuantumLayer(circuit, [ql.Z(0)], init=[0.5], dtype=torch.float64)
    train(ImaginaryTime(qubit, time_step=0.001, damping=0), qubit, 500)
    expected = 2 * np.arctan(np.tan(0.25) * np.exp(2 * 0.5))
    np.testing.assert_allclose(qubit.weights.item(), expected, atol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize(("make", "step"), [(NaturalGradient, 0.1), (ImaginaryTime, 0.2)])
def test_metrics_find_the_ground_state_in_fewer_steps_than_adam(make, step):
    """Medians over five starts, by numpy: torch's random numbers differ from processor to processor."""
    exact, medians = ground_energy(4), []
    for metric in (True, False):
        steps = []
        for seed in range(5):
            layer = energy_layer()
            layer.set_weights(np.random.default_rng(seed).uniform(-np.pi, np.pi, layer.circuit.n_weights))
            optimizer = make(layer, step) if metric else torch.optim.Adam(layer.parameters(), 0.05)
            near = np.flatnonzero(np.array(train(optimizer, layer, 400)) < exact * (1 - 1e-3))
            steps.append(near[0] if len(near) else 400)
        medians.append(np.median(steps))
    assert medians[0] < 0.5 * medians[1]


def test_rotosolve_is_exact_along_each_angle():
    """After each angle's turn no other value of it is better."""
    circuit = ql.Circuit(3)
    weights = circuit.weights(6)
    circuit.ry(weights[0], 0).crx(weights[1], 0, 1).ry(2 * weights[2], 2).rzz(weights[3], 1, 2).ry(weights[3], 1)
    circuit.rx(weights[4], 2).ry(weights[4] * 0.5, 0).rx(-3 * weights[5], 1)
    layer = QuantumLayer(circuit, [ising(3), ql.X(0) @ ql.Y(2)], init="uniform", seed=0, dtype=torch.float64)
    optimizer = Rotosolve(layer)
    seen = []

    def loss() -> torch.Tensor:
        return layer().sum()

    plain = optimizer._minimize

    def checked(closure, parameters, index, unit, count):
        value = plain(closure, parameters, index, unit, count)
        best = parameters[index].item()
        np.testing.assert_allclose(float(loss()), value, atol=1e-9)
        for other in np.linspace(0, 4 * np.pi, 300):
            parameters[index] = other
            assert float(loss()) >= value - 1e-7
        parameters[index] = best
        seen.append(index)
        return value

    optimizer._minimize = checked
    optimizer.step(loss)
    assert seen == list(range(6))


def test_rotosolve_of_a_product_state_needs_one_sweep():
    circuit = ql.Circuit(4)
    for qubit, weight in enumerate(circuit.weights(4)):
        circuit.ry(weight, qubit)
    layer = QuantumLayer(circuit, [ql.Z(0) + ql.Z(1) + ql.Z(2) + ql.Z(3)], init="uniform", seed=0)
    assert Rotosolve(layer).step(lambda: layer()[0]) == pytest.approx(-4, abs=1e-5)


@pytest.mark.parametrize("make", [SPSA, QNSPSA])
def test_spsa_goes_down(make):
    layer = energy_layer(3, 2, seed=0)
    optimizer = make(layer, lr=0.1, resamplings=2, blocking=0.05, seed=0)
    losses = [float(optimizer.step(lambda: layer()[0])) for _ in range(150)]
    assert losses[-1] < 0.8 * ground_energy(3)
    assert np.diff(losses).max() <= 0.05 + 1e-9
    assert optimizer.cost.evaluations > 150 * 4


def test_spsa_estimates_are_right_on_average():
    """Means of 4,000 estimates within five standard errors: a false alarm in about 10^4 runs, and the seed is fixed."""
    layer = energy_layer(2, 1, seed=0)
    optimizer = QNSPSA(layer, seed=0)
    layer()[0].backward()
    truth, metric = layer.weights.grad.numpy(), ql.metric_tensor(layer.circuit, weights=layer.weights.detach().numpy())
    with torch.no_grad():
        slopes = []
        for _ in range(4000):
            signs = optimizer._signs()
            slopes.append(optimizer._slope(lambda: layer()[0], signs, 0.01)[0] * signs)
        optimizer._given[id(layer)] = [torch.empty(1, 0)]
        metrics = [optimizer._metric(0, 0.01) for _ in range(4000)]
    for estimates, expected in ((slopes, truth), (metrics, metric)):
        error = np.std(estimates, axis=0) / np.sqrt(4000)
        assert np.all(np.abs(np.mean(estimates, axis=0) - expected) < 5 * error + 1e-3)


@pytest.mark.parametrize("make", [lambda m: NaturalGradient(m, momentum=0.5), ImaginaryTime, SPSA, QNSPSA, Rotosolve])
def test_resumes_where_it_was(make):
    layer, other = energy_layer(3, 2), energy_layer(3, 2, seed=5)
    first = make(layer)
    train_any(first, layer, 3)
    second = make(other)
    other.load_state_dict(layer.state_dict())
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    train_any(first, layer, 3)
    train_any(second, other, 3)
    torch.testing.assert_close(layer.weights, other.weights, rtol=0, atol=0)
    assert first.cost == second.cost
    assert first.cost.evaluations > 0


def train_any(optimizer: torch.optim.Optimizer, layer: QuantumLayer, n_steps: int) -> None:
    for _ in range(n_steps):
        if isinstance(optimizer, NaturalGradient):
            train(optimizer, layer, 1)
        else:
            optimizer.step(lambda: layer()[0])


def hybrid() -> torch.nn.Sequential:
    torch.manual_seed(0)
    circuit = ql.encoders.angle(3) + ql.ansatze.strongly_entangling(3, 1)
    return torch.nn.Sequential(
        torch.nn.Linear(2, 3), QuantumLayer(circuit, seed=0), QuantumLayer(circuit, seed=1), torch.nn.Linear(3, 1)
    )


def test_works_beside_adam_on_a_hybrid_model():
    model, x = hybrid(), torch.rand(64, 2)
    target = (x[:, :1] * x[:, 1:]).sin()
    quantum, classical = NaturalGradient(model, 0.02), torch.optim.Adam(classical_parameters(model), 0.02)
    losses = []
    for _ in range(60):
        loss = (model(x) - target).square().mean()
        for optimizer in (quantum, classical):
            optimizer.zero_grad()
        loss.backward()
        for optimizer in (quantum, classical):
            optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]
    assert len(quantum.layers) == 2
    assert quantum.cost.evaluations == 60 * 64 * 2 * (1 + 2 + 10)


def test_models_with_an_optimizer_are_copied_and_pickled():
    model = hybrid()
    optimizer = NaturalGradient(model)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        twin(torch.rand(4, 2)).sum().backward()
    assert optimizer.cost.evaluations == 0
    del optimizer
    model(torch.rand(4, 2))


def test_shots_are_counted():
    circuit = ql.ansatze.basic_entangler(2, 1)
    layer = QuantumLayer(circuit, [ql.Z(0)], shots=100, seed=0)
    optimizer = SPSA(layer, seed=0)
    optimizer.step(lambda: layer()[0])
    assert optimizer.cost.evaluations == 2 * 10 + 2  # calibration, and a direction
    assert optimizer.cost.shots == 100 * 22
    with pytest.raises(ql.errors.ConfigError, match=r"states, which Shots.* does not give; pass engine="):
        NaturalGradient(layer)
    natural = NaturalGradient(layer, engine=ql.engines.StatevectorEngine())
    train(natural, layer, 1)
    assert natural.cost.shots == 100 * (1 + 2 * 2)


def test_errors():
    layer = energy_layer(2, 1)
    with pytest.raises(ql.errors.ConfigError, match="model holds a Parameter, expected modules with QuantumLayers"):
        NaturalGradient(layer.parameters())
    with pytest.raises(ql.errors.ConfigError, match="0 QuantumLayers, none with weights to train"):
        SPSA(torch.nn.Linear(2, 2))
    with pytest.raises(ql.errors.ConfigError, match="1 QuantumLayers, none with weights to train"):
        quantum_layers(QuantumLayer(ql.encoders.angle(2)))
    with pytest.raises(ql.errors.ConfigError, match="metric='whole', expected one of full, block, diagonal"):
        NaturalGradient(layer, metric="whole")
    with pytest.raises(ql.errors.ConfigError, match="lr=-1"):
        NaturalGradient(layer, lr=-1)
    circuit = ql.Circuit(1)
    for weight in circuit.weights(2):
        circuit.ry(weight, 0)
    twice = QuantumLayer(circuit, [ql.Z(0)], init=[0.1, 0.2])
    with pytest.raises(
        ql.errors.ConfigError, match=r"the metric of 2 weights has rank 1 and damping=0 does not mend it"
    ):
        train(NaturalGradient(twice, damping=0), twice, 1)
    layer.weights.grad = torch.ones_like(layer.weights)
    with pytest.raises(ql.errors.ConfigError, match="a layer has a gradient and was not called since the last step"):
        NaturalGradient(layer).step()
    odd = ql.Circuit(1)
    (weight,) = odd.weights(1)
    odd.ry(weight, 0).rx(np.sqrt(2) * weight, 0)
    with pytest.raises(ql.errors.CircuitError, match="an angle scales its rotations by"):
        Rotosolve(QuantumLayer(odd))
    with pytest.raises(ql.errors.ConfigError, match="damping=0, expected more than 0"):
        QNSPSA(layer, damping=0)
