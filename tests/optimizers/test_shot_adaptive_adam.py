"""Adam that says how often each derivative is measured: variances, allotment, bounds, resuming."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

import qloom as ql
from qloom.errors import CircuitError, ConfigError, UnsupportedError
from qloom.gradients import ShotPlan
from qloom.nn import QuantumLayer
from qloom.optimizers import ShotAdaptiveAdam


def layer_of(circuit: ql.Circuit, observables: list, weights: list[float], shots: int | None = 100) -> QuantumLayer:
    return QuantumLayer(circuit, observables, shots=shots, init=weights, dtype=torch.float64, seed=1)


def two_qubits(scale: float = 1.0) -> ql.Circuit:
    circuit = ql.Circuit(2)
    first, second = circuit.weights(2)
    return circuit.ry(first, 0).ry(scale * second, 1)


def step(layer: QuantumLayer, optimizer: torch.optim.Optimizer) -> None:
    optimizer.zero_grad()
    layer().sum().backward()
    optimizer.step()


def test_variances_are_those_of_single_measurements():
    """cos a measured as +-1 varies by sin^2 a, shifted by pi/2 by cos^2 a; a quarter of both sides counts.

    A variance from 200,000 measurements deviates by half a percent at most; five of these.
    """
    layer = layer_of(two_qubits(scale=2.0), [ql.Z(0), 3 * ql.Z(1)], [0.4, 0.3])
    plan = ShotPlan(np.array([200_000, 200_000]))
    layer.follow(plan)
    layer().sum().backward()
    first = (np.cos(0.4) ** 2 + 9 * np.sin(0.6) ** 2) / 2
    second = 2**2 * (9 * np.cos(0.6) ** 2 + np.sin(0.4) ** 2) / 2
    np.testing.assert_allclose(plan.variances, [first, second], rtol=0.025)
    np.testing.assert_allclose(layer.weights.grad, [-np.sin(0.4), -6 * np.sin(0.6)], atol=0.1)
    assert (plan.runs, plan.spent) == (4, 4 * 200_000)


def test_probabilities_vary_too():
    """A probability p of an outcome counted in single measurements varies by p (1 - p)."""
    circuit = ql.Circuit(1)
    circuit.ry(circuit.weights(1)[0], 0)
    layer = layer_of(circuit, "probabilities", [0.4])
    layer.follow(plan := ShotPlan(np.array([200_000])))
    layer()[1].backward()
    both = [np.sin((0.4 + shift) / 2) ** 2 for shift in (np.pi / 2, -np.pi / 2)]
    np.testing.assert_allclose(plan.variances, sum(p * (1 - p) for p in both) / 4, rtol=0.02)
    np.testing.assert_allclose(layer.weights.grad, [np.sin(0.4) / 2], atol=0.01)


def test_shots_go_where_the_variance_is():
    """At the first step the rule is met exactly: shots are as the roots of variances, their sum as 1 / |gradient|^2."""
    layer = layer_of(two_qubits(), [ql.Z(0), 3 * ql.Z(1)], [0.4, 0.3], shots=50_000)
    optimizer = ShotAdaptiveAdam(layer, noise=0.01, fewest=2, most=100_000)
    step(layer, optimizer)
    cosines, sines = np.cos([0.4, 0.3]) ** 2, np.sin([0.4, 0.3]) ** 2
    roots = np.sqrt([cosines[0] + 9 * sines[1], 9 * cosines[1] + sines[0]]) / np.sqrt(2)
    squared = np.sin(0.4) ** 2 + 9 * np.sin(0.3) ** 2
    np.testing.assert_allclose(optimizer._plans[0].shots, roots * roots.sum() / (0.01 * squared), rtol=0.05)
    before, shots = optimizer.cost.shots, optimizer._plans[0].shots.sum()
    layer().sum().backward()
    optimizer.step()
    assert optimizer.cost.shots - before == 50_000 + 2 * shots  # a value, and both sides of each slope


def test_shots_grow_towards_the_minimum_within_bounds():
    layer = layer_of(two_qubits(), [ql.Z(0) + ql.Z(1)], [1.0, 2.0], shots=10)
    optimizer, taken = ShotAdaptiveAdam(layer, lr=0.1, fewest=5, most=300), []
    for _ in range(150):
        step(layer, optimizer)
        taken.append(optimizer._plans[0].shots.sum())
    assert layer.weights.detach().numpy() == pytest.approx([np.pi, np.pi], abs=0.3)
    assert np.mean(taken[-20:]) > 3 * np.mean(taken[:5])
    assert 10 <= min(taken) <= max(taken) <= 600


def test_steps_are_adams_where_measurements_do_not_vary():
    """At eigenstates of the shifted circuits nothing is left to chance: both optimizers take the same steps."""
    weights = [np.pi / 2, -np.pi / 2]
    ours, plain = (layer_of(two_qubits(), [ql.Z(0) + ql.Z(1)], weights) for _ in range(2))
    step(ours, ShotAdaptiveAdam(ours, lr=0.1))
    step(plain, torch.optim.Adam(plain.parameters(), lr=0.1))
    torch.testing.assert_close(ours.weights, plain.weights)
    assert ours.weights[0].item() == pytest.approx(np.pi / 2 + 0.1)


def test_a_hybrid_keeps_its_inputs_shots_and_its_frozen_weights():
    circuit = ql.encoders.angle(2) + ql.ansatze.hardware_efficient(2, 2, ("ry",))
    layer = QuantumLayer(circuit, shots=20, seed=0).train_weights(slice(0, 2))
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), layer)
    optimizer, before = ShotAdaptiveAdam(model, fewest=30), layer.weights.detach().clone()
    model(torch.rand(5, 3)).square().mean().backward()
    optimizer.step()
    # 5 values, and of each two sides of 2 slopes by inputs and of 2 by weights that are trained.
    assert optimizer.cost.evaluations == 5 * (1 + 2 * 4)
    assert optimizer.cost.shots == 5 * (20 + 2 * (2 * 20 + 2 * 30))
    assert ((layer.weights != before) == torch.tensor([True, True, False, False])).all()


def test_resumes_and_lets_go():
    layer, other = (layer_of(two_qubits(), [ql.Z(0) + ql.Z(1)], start) for start in ([1.0, 2.0], [0.0, 0.0]))
    optimizer = ShotAdaptiveAdam(layer)
    for _ in range(3):
        step(layer, optimizer)
    resumed = ShotAdaptiveAdam(other)
    other.load_state_dict(layer.state_dict())
    resumed.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    assert resumed.cost == optimizer.cost
    np.testing.assert_array_equal(resumed._plans[0].shots, optimizer._plans[0].shots)
    np.testing.assert_array_equal(*(o.state[o.layers[0].weights]["square"] for o in (resumed, optimizer)))
    del optimizer
    assert layer.plan is None  # its shots are the layer's own again


def test_a_circuit_of_other_rotations_gets_a_new_plan():
    layer = layer_of(two_qubits(), [ql.Z(0) + ql.Z(1)], [1.0, 2.0])
    optimizer = ShotAdaptiveAdam(layer)
    wider = ql.Circuit(2)
    first, second = wider.weights(2)
    layer.exchange(wider.ry(first, 0).rxx(second, 0, 1).ry(second, 1))
    for _ in range(2):
        step(layer, optimizer)
    assert len(optimizer._plans[0].shots) == 3


def test_a_gradient_that_was_not_measured_moves_the_weights_too():
    """Of a penalty on the weights alone; how often derivatives are measured stays as it was."""
    layer = layer_of(two_qubits(), [ql.Z(0)], [1.0, 2.0])
    optimizer, shots = ShotAdaptiveAdam(layer, lr=0.1), [100, 100]
    layer.weights.square().sum().backward()
    optimizer.step()
    np.testing.assert_allclose(layer.weights.detach(), [0.9, 1.9], atol=1e-6)
    assert optimizer._plans[0].shots.tolist() == shots


def test_discarded_gradients_leave_no_variances():
    allotted = []
    for discarded in (0, 4):
        layer = layer_of(two_qubits(), [ql.Z(0) + ql.Z(1)], [1.0, 2.0], shots=20_000)
        optimizer = ShotAdaptiveAdam(layer, noise=0.01, most=100_000)
        for _ in range(discarded):
            layer().sum().backward()
        step(layer, optimizer)
        allotted.append(optimizer._plans[0].shots.copy())
    np.testing.assert_allclose(*allotted, rtol=0.1)


def test_one_optimizer_a_layer():
    """The newest is followed; an older one says so instead of standing still."""
    layer = layer_of(two_qubits(), [ql.Z(0)], [1.0, 2.0])
    older, newer = ShotAdaptiveAdam(layer), ShotAdaptiveAdam(layer)
    layer().sum().backward()
    newer.step()
    with pytest.raises(ConfigError, match="a layer follows another ShotAdaptiveAdam"):
        older.step()


def test_bad_input_is_refused():
    exact = layer_of(two_qubits(), [ql.Z(0)], [0.0, 0.0], shots=None)
    with pytest.raises(ConfigError, match=r"1 of 1 QuantumLayers measure no derivatives, expected shots and parameter"):
        ShotAdaptiveAdam(exact)
    measured = layer_of(two_qubits(), [ql.Z(0)], [0.0, 0.0])
    with pytest.raises(ConfigError, match="fewest=0, most=10000, expected at least 2 shots"):
        ShotAdaptiveAdam(measured, fewest=0)
    with pytest.raises(ConfigError, match=r"lr=0.01, betas=\(0.9, 1.0\)"):
        ShotAdaptiveAdam(measured, betas=(0.9, 1.0))
    with pytest.raises(ConfigError, match=r"betas=\(0.9,\)"):
        ShotAdaptiveAdam(measured, betas=(0.9,))
    for shots in ([5], [5, 1], [0.5, 3.0]):
        with pytest.raises(CircuitError, match="expected 2 integers of at least 2, one a slope"):
            measured.follow(ShotPlan(np.array(shots)))
    optimizer = ShotAdaptiveAdam(measured)
    with pytest.raises(ConfigError, match="state_dict has shots of 0 layers"):
        optimizer.load_state_dict(torch.optim.Adam(measured.parameters()).state_dict())
    (measured().sum() * float("nan")).backward()
    with pytest.raises(ConfigError, match=r"a gradient .*, expected finite numbers; lower lr"):
        optimizer.step()
    with pytest.raises(UnsupportedError, match="derivatives are not measured one by one"):
        exact.follow(ShotPlan(np.zeros(2)))
