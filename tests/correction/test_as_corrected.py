"""Logical error rates as noise, and noise models as rates of a code."""

from dataclasses import asdict

import pytest

from qloom import Circuit, X, expectation
from qloom.correction import LayerNoise, LogicalRate, logical_noise, memory_experiment, plan
from qloom.correction.device_noise import layer_noise
from qloom.engines import Noisy, ReferenceEngine
from qloom.errors import ConfigError
from qloom.noise import NoiseModel


def rates(model):
    """Depolarizing rates of gates on one and two qubits, and of readout, read off a circuit with the noise."""
    noisy = model.apply(Circuit(2).h(0).cx(0, 1))
    found = {
        op.gate.name + str(len(op.qubits)): op.angles[0].offset for op in noisy.operations if not op.gate.is_unitary
    }
    return found["depolarizing1"], found["depolarizing2"], found["readout_error1"]


def test_gates_fail_as_logical_qubits_do():
    model = logical_noise("rotated_surface", 3, 0.005, shots=20_000, seed=4)
    x, z = (memory_experiment("rotated_surface", distance=3, noise=0.005, basis=b).run(20_000, seed, correlated=True)
            for b, seed in (("Z", 8), ("X", 9)))  # fmt: skip
    one, two, readout = rates(model)
    # d rounds of each basis.
    assert one == pytest.approx(1 - (1 - x.error_rate) * (1 - z.error_rate), rel=1e-9)
    assert two == pytest.approx(1 - (1 - one) ** 2, rel=1e-9)
    assert readout == pytest.approx(max(x.per_round, z.per_round), rel=1e-9)


def test_larger_distances_fail_less():
    law = LogicalRate(0.05, 0.01, "made up")
    found = [rates(logical_noise("rotated_surface", d, 0.001, rate=law)) for d in (3, 5, 7)]
    for below, above in zip(found[1:], found[:-1], strict=True):
        assert all(small < large / 5 for small, large in zip(below, above, strict=True))
    assert found[0][0] == pytest.approx(3 * 0.05 * 0.1**2, rel=1e-2)
    longer = rates(logical_noise("rotated_surface", 3, 0.001, rate=law, rounds_per_gate=30))
    assert longer[0] == pytest.approx(10 * found[0][0], rel=1e-1)


def test_uniform_models_are_rates_of_layers():
    model = NoiseModel.uniform(one_qubit=1e-3, two_qubit=1e-2, readout=2e-2)
    assert asdict(layer_noise(model)) == pytest.approx(asdict(LayerNoise(1e-3, 1e-2, 0.0, 2e-2, 2e-2)), rel=1e-12)
    experiment = memory_experiment("rotated_surface", distance=3, noise=model)
    assert "DEPOLARIZE2(0.01" in str(experiment.circuit)


def test_broken_couplers_are_left_out_of_means():
    model = NoiseModel("device")
    for rate, pair in ((0.01, (0, 1)), (0.03, (1, 2)), (1.0, (2, 3))):
        model = model.after("cx", Circuit(2).depolarizing(rate, 0, 1), pair)
    assert layer_noise(model).two_qubit == pytest.approx(0.02)
    with pytest.raises(ConfigError, match="no noise of two-qubit gates"):
        layer_noise(NoiseModel("silent"))


def test_devices_are_planned_for():
    device = NoiseModel.uniform(one_qubit=1e-4, two_qubit=1e-3, readout=1e-3)
    assert plan(Circuit(2).h(0).cx(0, 1), device, target=0.01).noise == pytest.approx(1e-3)
    with pytest.raises(ConfigError, match="not below the threshold"):
        plan(Circuit(2).h(0).cx(0, 1), NoiseModel.uniform(two_qubit=0.02), target=0.01)


@pytest.mark.parametrize(("arguments", "message"), [
    (("repetition", 3, 0.01), "corrects one kind of flips"),
    (("rotated_surface", 4, 0.01), "is even"),
    (("rotated_surface", 7, 1e-4), "no error in 100 shots"),
    (("rotated_surface", 3, "loud"), "noise is str, expected a probability"),
])  # fmt: skip
def test_refusals(arguments, message):
    with pytest.raises(ConfigError, match=message):
        logical_noise(*arguments, shots=100, seed=1)


def test_a_circuit_is_evaluated_as_if_corrected():
    law = LogicalRate(0.14, 0.0123, "made up")
    circuit = Circuit(3).h(0).cx(0, 1).cx(1, 2)
    physical = NoiseModel.uniform(1e-3, 1e-3, 1e-3)
    models = [physical, *(logical_noise("rotated_surface", d, 1e-3, rate=law) for d in (3, 5, 7))]
    engines = [Noisy(ReferenceEngine(), model) for model in models]
    found = [expectation(circuit, X(0) @ X(1) @ X(2), engine=engine).item() for engine in engines]
    assert found[1] < found[2] < found[3] < 1  # at distance 3 three gates of three rounds each are worse than bare ones
    assert found[0] < found[2]
    # Of gates on one and two qubits and of readout, factors of a stabilizer that touches all of them.
    one, two, readout = rates(models[2])
    assert found[2] == pytest.approx((1 - 4 * one / 3) * (1 - 16 * two / 15) ** 2 * (1 - 2 * readout) ** 3, rel=1e-9)
