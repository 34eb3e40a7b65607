"""Plans: what is counted, against counts by hand, and that the failures keep to the target."""

from math import ceil, log2, sqrt

import numpy as np
import pytest

from qloom import Circuit
from qloom.correction import (
    LayerNoise,
    LogicalRate,
    count_rotations,
    measure_rate,
    memory_experiment,
    plan,
    t_gates_per_rotation,
)
from qloom.correction.factories import FACTORIES, choose_factory
from qloom.errors import CircuitError, ConfigError, UnsupportedError

RATE = LogicalRate(0.1, 0.01, "round numbers")


def layered(n_qubits, n_layers):
    circuit = Circuit(n_qubits)
    weights = circuit.weights(n_layers, n_qubits)
    for layer in range(n_layers):
        for q in range(n_qubits):
            circuit.ry(weights[layer, q], q)
        for q in range(n_qubits - 1):
            circuit.cx(q, q + 1)
    return circuit


@pytest.mark.parametrize(("circuit", "t_gates", "rotations"), [
    (Circuit(2).h(0).cx(0, 1).s(1).rz(np.pi / 2, 0).rx(-np.pi, 1), 0, 0),
    (Circuit(2).t(0).h(0).tdg(0).rz(3 * np.pi / 4, 1), 3, 0),
    (Circuit(2).rz(0.3, 0).rx(np.pi / 4 + 1e-6, 1), 0, 2),
    (layered(3, 2), 0, 6),
    (Circuit(3).ccx(0, 1, 2), 7, 0),
])  # fmt: skip
def test_rotations_are_counted(circuit, t_gates, rotations):
    found = count_rotations(circuit)
    assert (found.t_gates, found.rotations) == (t_gates, rotations)


def test_t_gates_of_a_rotation():
    # Ross and Selinger: 3 log2(1/eps) and a little more.
    for precision in (1e-3, 1e-6, 1e-10):
        assert 3 * log2(1 / precision) < t_gates_per_rotation(precision) < 3 * log2(1 / precision) + 6


def test_a_plan_by_hand():
    found = plan(layered(4, 3), 1e-3, target=0.03, rate=RATE)
    precision = 0.01 / 12
    t_gates = 12 * (ceil(3 * log2(1 / precision)) + 4)
    assert found.precision == pytest.approx(precision)
    assert (found.rotations, found.t_gates) == (12, t_gates)
    assert found.patches == 2 * 4 + 6 + 1  # the root of 32, rounded up
    # Of one patch: d rounds a T gate, .1 (.1)^((d + 1) / 2) a round.
    failures = {d: found.patches * t_gates * d * 0.1 ** ((d + 1) / 2 + 1) for d in (9, 11, 13)}
    assert found.distance == min(d for d, failure in failures.items() if failure <= 0.01)
    assert found.data_qubits == found.patches * (2 * found.distance**2 - 1)
    assert found.factory.n_qubits == 4620
    assert found.n_factories == ceil(42.6 / found.distance)
    assert found.cycles == t_gates * found.distance
    assert found.seconds == pytest.approx(found.cycles * 1e-6)
    assert found.physical_qubits == found.data_qubits + found.n_factories * 4620


@pytest.mark.parametrize("target", [0.3, 0.01, 1e-4, 1e-6])
@pytest.mark.parametrize("noise", [1e-4, 5e-4, 1e-3])
def test_failures_keep_to_the_target(target, noise):
    found = plan(layered(5, 4), noise, target=target)
    assert sum(found.failure) <= target
    assert found.distance % 2 == 1
    assert plan(layered(5, 4), noise, target=target / 10).distance >= found.distance


def test_clifford_circuits_need_no_factory():
    found = plan(Circuit(2).h(0).cx(0, 1), 1e-3, target=0.01, rate=RATE)
    assert (found.t_gates, found.factory, found.factory_qubits) == (0, None, 0)
    assert "none, there are no T gates" in str(found)


def test_the_plan_is_readable():
    text = str(plan(layered(4, 3), LayerNoise.uniform(1e-3), target=0.01))
    for part in ("fails in at most 0.01 of all runs", "12, each to", "distance", "physical", "rounds of 1 µs"):
        assert part in text


@pytest.mark.parametrize(("arguments", "error", "message"), [
    ({"noise": 0.02}, ConfigError, "not below the threshold 0.01 of the surface code"),
    ({"noise": 0.0099, "circuit": Circuit(1).h(0)}, ConfigError, "so near the threshold"),
    ({"noise": 0.005}, ConfigError, "above 0.001, the most that published factories"),
    ({"noise": 0.0}, ConfigError, "noise is 0"),
    ({"target": 0}, ConfigError, "target=0, expected"),
    ({"target": 1e-21}, ConfigError, "expected a larger target"),
    ({"cycle_time": 0}, ConfigError, "cycle_time=0"),
    ({"circuit": Circuit(1).h(0).reset(0)}, UnsupportedError, "reset"),
])  # fmt: skip
def test_refusals(arguments, error, message):
    asked = {"circuit": layered(2, 1), "noise": 1e-3, "target": 0.01, "rate": RATE} | arguments
    with pytest.raises(error, match=message):
        plan(asked.pop("circuit"), asked.pop("noise"), **asked)


def test_factories_are_the_smallest_that_are_good_enough():
    assert choose_factory(1e-4, 1e-7).n_qubits == 810
    assert choose_factory(2e-4, 1e-7).n_qubits == 4620
    assert choose_factory(1e-3, 1e-13).n_qubits == 39100
    assert all(factory.error < factory.noise for factory in FACTORIES)


def test_a_law_is_measured_at_a_noise():
    noise = LayerNoise.uniform(0.004)
    law = measure_rate(noise, shots=20_000, seed=3)
    for distance in (3, 5):
        flips = [
            memory_experiment("rotated_surface", distance=distance, noise=noise, basis=basis).run(
                20_000, 17, correlated=True
            )
            for basis in "XZ"
        ]
        # Four standard errors of two counts: but for 6e-5 of all seeds.
        spread = 4 * sqrt(2 / sum(one.errors for one in flips))
        assert law.per_round(0.004, distance) == pytest.approx(sum(one.per_round for one in flips), rel=spread)
    # Where idle qubits are quiet the same largest rate does less.
    quiet = measure_rate(LayerNoise(0.0, 0.004, 0.0, 0.004, 0.004), shots=20_000, seed=3)
    assert quiet.threshold > law.threshold
    assert "distances 3, 5" in quiet.source


@pytest.mark.parametrize("precision", [0, -0.1, 1, 2.0])
def test_a_precision_is_between_0_and_1(precision):
    with pytest.raises(CircuitError, match=r"precision=.*, expected a number between 0 and 1"):
        t_gates_per_rotation(precision)
