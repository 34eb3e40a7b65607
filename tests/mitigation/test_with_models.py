"""Mitigation around noise models, as they are used: the model adds the noise, shots measure, mitigation wraps both."""

from __future__ import annotations

import numpy as np
import pytest

from qloom import Circuit
from qloom.engines import Engine, Noisy, ReferenceEngine, Shots, expectation, make_batch, probabilities
from qloom.engines.density import DensityEngine
from qloom.errors import CircuitError, UnsupportedError
from qloom.gradients import gradient
from qloom.mitigation import (
    CliffordDataRegression,
    ErrorCancellation,
    ReadoutInversion,
    Twirled,
    TwirledReadout,
    ZeroNoise,
)
from qloom.noise import NoiseModel
from qloom.observables import Z
from tests.mitigation.circuits import INPUTS, OBSERVABLES, WEIGHTS, circuit

ONE = INPUTS[:1], WEIGHTS
UNIFORM = NoiseModel.uniform(one_qubit=0.002, two_qubit=0.02, readout=0.04)


def noisy(model=UNIFORM):
    return Noisy(DensityEngine(), model)


def off(engine):
    return np.abs(expectation(circuit(), OBSERVABLES, *ONE, engine=engine) - expectation(circuit(), OBSERVABLES, *ONE))


@pytest.mark.parametrize("by", ["folding", "local_folding", "rates"])
def test_readout_and_gates_are_mitigated_one_inside_the_other(by):
    """Neither by itself takes both away."""
    read = ReadoutInversion(noisy())
    raw, inside, both = (
        off(noisy()).max(),
        off(read).max(),
        off(ZeroNoise(read, (1, 3, 5), "richardson", "folding")).max(),
    )
    alone = off(ZeroNoise(noisy(), (1, 3, 5), "richardson", by)).max()
    assert raw > 0.1
    assert inside > 0.02
    assert alone > 0.05
    assert both < 1e-4


def test_readout_of_a_model_is_inverted_exactly():
    model = NoiseModel().with_readout(0.02, 0.07).with_confusion(np.kron([[0.9, 0.2], [0.1, 0.8]], np.eye(2)), (0, 1))
    engine = ReadoutInversion(noisy(NoiseModel().with_readout(0.02, 0.07)))
    assert off(engine).max() < 1e-12
    found = probabilities(circuit(), *ONE, engine=ReadoutInversion(noisy(model)))
    np.testing.assert_allclose(found, probabilities(circuit(), *ONE), atol=1e-12)


def test_cancellation_knows_the_channels_of_a_model():
    model = NoiseModel.uniform(two_qubit=0.03)
    assert off(noisy(model)).max() > 1e-3
    assert off(ErrorCancellation(noisy(model))).max() < 1e-12
    e = 16 / 15 * 0.03
    assert ErrorCancellation(Shots(noisy(model), 10)).cost(circuit()) == pytest.approx((1 + 7 * e / 8) / (1 - e))


def test_words_of_twirls_have_no_noise_of_their_own():
    """Depolarizing noise is a Pauli channel already: twirls change nothing."""
    model = NoiseModel.uniform(0.002, 0.02)
    found, raw = (
        expectation(circuit(), OBSERVABLES, *ONE, engine=e) for e in (Twirled(noisy(model), None), noisy(model))
    )
    np.testing.assert_allclose(found, raw, atol=1e-12)
    turned = NoiseModel.uniform(0.002, 0.02).over_rotated("cx", 0.1)
    found = expectation(circuit(), OBSERVABLES, *ONE, engine=Twirled(noisy(turned), None))
    assert np.abs(found - expectation(circuit(), OBSERVABLES, *ONE, engine=noisy(turned))).max() > 1e-3


@pytest.mark.parametrize("way", [
    lambda engine: ZeroNoise(engine, (1, 3)), lambda engine: ErrorCancellation(engine, 4, seed=0),
    lambda engine: CliffordDataRegression(engine, 4), ReadoutInversion, lambda engine: Twirled(engine, 4),
    lambda engine: TwirledReadout(engine, 4),
])  # fmt: skip
def test_all_ways_take_a_measured_noise_model(way):
    evaluator = way(Shots(noisy(), 2000, 0)).prepare(circuit(), [Z(0)])
    found = evaluator.estimate(make_batch(circuit(), *ONE))
    assert found.shots % 2000 == 0
    assert found.shots >= 2000
    assert (found.errors > 0).all()
    assert evaluator.values(make_batch(circuit(), *ONE)).shape == (1, 1)


def test_nothing_is_shifted_for_the_words_that_are_put_in():
    """Two evaluations for each of the three rotations of the circuit, of every choice of words."""
    shifting = Noisy(ReferenceEngine(), NoiseModel.uniform(two_qubit=0.03))
    evaluator = ErrorCancellation(shifting).prepare(circuit(), [Z(0)])
    mine, plain = (gradient(circuit(), [Z(0)], *ONE, engine=e) for e in (ErrorCancellation(shifting), None))
    for a, b in zip(mine, plain, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-12)
    assert evaluator.walk_cost == 2 * 3


def test_scaled_rates_have_derivatives_where_the_shift_rule_finds_them_too():
    walking, shifting = (
        ZeroNoise(Noisy(engine, NoiseModel.uniform(0.01, 0.03)), (1, 2), by="rates")
        for engine in (DensityEngine(), ReferenceEngine())
    )
    mine, other = (gradient(circuit(), OBSERVABLES, *ONE, engine=engine) for engine in (walking, shifting))
    for a, b in zip(mine, other, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-10)


def test_single_precision_stays_single_precision():
    arrays = [a.astype(np.float32) for a in ONE]
    noise = noisy(NoiseModel.uniform(0.001, 0.02))
    asked = [Z(0), Z(1)]
    for engine in (ZeroNoise(noise, (1, 3), "exponential"), CliffordDataRegression(noise), Twirled(noise, 4, 0)):
        found = expectation(circuit(), asked, *arrays, engine=engine)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expectation(circuit(), asked, *ONE), atol=0.05)


def test_layers_train_through_mitigation():
    import torch

    from qloom.nn import QuantumLayer

    layer = QuantumLayer(
        circuit(), [Z(0)], engine=ZeroNoise(Shots(noisy(NoiseModel.uniform(0.001, 0.02)), 200, 0), (1, 3))
    )
    x = torch.tensor(INPUTS, dtype=torch.float32, requires_grad=True)
    layer(x).sum().backward()
    assert layer.weights.grad.abs().max() > 0
    assert x.grad.abs().max() > 0


def test_noise_of_readout_alone_is_not_for_what_mitigates_gates():
    engine = noisy(NoiseModel().with_readout(0.05))
    for way in (ZeroNoise, ErrorCancellation, Twirled):
        with pytest.raises(UnsupportedError, match=r"without noise of gates, so .* take ReadoutInversion"):
            way(engine).prepare(circuit())
    with pytest.raises(UnsupportedError, match="no channel stands in the circuit"):
        ErrorCancellation(noisy(NoiseModel().over_rotated("cx", 0.1))).prepare(circuit())


def test_gates_that_a_model_does_not_know_are_refused_by_the_model():
    strict = NoiseModel.uniform(0.001, 0.01)
    with pytest.raises(CircuitError, match="ccx on qubits 0, 1, 2 has no entry"):
        ZeroNoise(noisy(strict)).prepare(Circuit(3).ccx(0, 1, 2))


def test_on_a_device_its_own_gates_are_folded():
    class OnDevice(Noisy):
        """Writes H as a device does."""

        def compiled(self, circuit: Circuit) -> tuple[Engine, Circuit]:
            out = circuit.copy()
            out.operations = []
            for op in circuit.operations:
                if op.gate.name == "h":
                    out.rz(np.pi / 2, *op.qubits).sx(*op.qubits).rz(np.pi / 2, *op.qubits)
                else:
                    out.operations.append(op)
            return Noisy(self.engine, self.model), out

    model = NoiseModel.uniform(0.01, 0.05)
    engine = ZeroNoise(Shots(OnDevice(DensityEngine(), model), 10, 0), (1, 3))
    evaluator = engine.prepare(Circuit(2).h(0).cx(0, 1))
    assert evaluator.circuit.gate_counts() == {"rz": 2, "sx": 1, "cx": 1}
    assert engine.engine.engine.__class__ is OnDevice
