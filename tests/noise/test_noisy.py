"""An engine with noise: what the inner engine makes of the noisy circuit, in every way that engines are asked."""

import numpy as np
import pytest

from qloom.circuits import Circuit
from qloom.engines import (
    Noisy,
    ReferenceEngine,
    Shots,
    StatevectorEngine,
    expectation,
    probabilities,
    sample,
)
from qloom.engines.density import DensityEngine
from qloom.errors import CircuitError, UnsupportedError
from qloom.gradients import gradient
from qloom.nn import QuantumLayer
from qloom.noise import NoiseModel
from qloom.observables import X, Z
from qloom.testing import EngineContract

MODEL = NoiseModel.uniform(0.01, 0.03, 0.05)
WORDS = [Z(0), X(1), Z(0) @ X(1), X(0) @ Z(2)]


def circuit():
    made = Circuit(3)
    x, w = made.inputs(2), made.weights(4)
    made.rx(x[0], 0).ry(w[0], 1).cx(0, 1).rot(w[1], x[1], w[2], 2).cz(1, 2).rzz(w[3], 0, 2)
    return made


def arrays(seed=0, batch=3):
    generator = np.random.default_rng(seed)
    return generator.normal(size=(batch, 2)), generator.normal(size=4)


@pytest.fixture(params=[MODEL, MODEL.without_readout().over_rotated("cx", 0.1)], ids=["readout", "over-rotation"])
def model(request):
    return request.param


def test_values_are_those_of_the_noisy_circuit(model):
    x, w = arrays()
    for engine in (ReferenceEngine(), DensityEngine()):
        found = expectation(circuit(), WORDS, x, w, engine=Noisy(engine, model))
        assert found == pytest.approx(expectation(model.apply(circuit()), WORDS, x, w, engine=engine), abs=1e-14)
    assert found == pytest.approx(
        expectation(circuit(), WORDS, x, w, engine=Noisy(ReferenceEngine(), model)), abs=1e-12
    )
    shares = probabilities(circuit(), x, w, qubits=[2, 0], engine=Noisy(DensityEngine(), model))
    assert shares == pytest.approx(
        probabilities(model.apply(circuit()), x, w, qubits=[2, 0], engine=ReferenceEngine()), abs=1e-12
    )


@pytest.mark.parametrize("differentiator", ["auto", "adjoint", "parameter-shift", "finite-difference"])
def test_derivatives_are_those_of_noisy_values(model, differentiator):
    """Also where a differentiator takes gates apart, which would have other noise than the gates themselves."""
    x, w = arrays()
    g = np.random.default_rng(1).normal(size=(len(x), len(WORDS)))
    engine = Noisy(DensityEngine(), model)
    found = gradient(circuit(), WORDS, x, w, g, engine=engine, differentiator=differentiator)
    for which, array in enumerate((x, w)):
        slopes = np.zeros_like(array)
        for place in np.ndindex(array.shape):
            values = []
            for sign in (1, -1):
                moved = [x.copy(), w.copy()]
                moved[which][place] += sign * 1e-5
                values.append((g * expectation(circuit(), WORDS, *moved, engine=engine)).sum())
            slopes[place] = (values[0] - values[1]) / 2e-5
        assert found[which] == pytest.approx(slopes, abs=1e-7)


def test_rates_have_derivatives():
    """<Z> after x and depolarizing p is -(1 - 4/3 p)."""
    made = Circuit(1)
    rate = made.weights(1)[0]
    made.x(0)
    _, slope = gradient(made, Z(0), weights=[0.1], engine=Noisy(DensityEngine(), NoiseModel.uniform(rate)))
    assert slope == pytest.approx([4 / 3], abs=1e-12)


@pytest.mark.parametrize("times", [1, 2, 3, 4])
def test_a_rate_that_many_gates_share_has_one_derivative(times):
    """<Z0> after so many CX with depolarizing p each is (1 - 16/15 p)^times."""
    made = Circuit(2)
    rate = made.weights(1)[0]
    for _ in range(times):
        made.cx(0, 1)
    _, slope = gradient(made, Z(0), weights=[0.1], engine=Noisy(DensityEngine(), NoiseModel.uniform(0, rate)))
    assert slope == pytest.approx([-16 / 15 * times * (1 - 1.6 / 15) ** (times - 1)], abs=1e-12)


class TestNoisyWithoutNoise(EngineContract):
    def make_engine(self):
        return Noisy(DensityEngine(), NoiseModel())


class TestShotsOfNoisy(EngineContract):
    def make_engine(self):
        return Shots(Noisy(DensityEngine(), NoiseModel()), 200, seed=0)


def test_noisy_circuits_are_made_once_and_changes_are_seen():
    engine, made = Noisy(DensityEngine(), MODEL), Circuit(1).x(0)
    assert engine.noisy(made) is engine.noisy(made.copy())
    first = expectation(made, engine=engine)
    assert expectation(made.x(0), engine=engine) == pytest.approx(-first * (1 - 4 / 3 * 0.01), abs=1e-12)


def test_what_engines_are_is_copied():
    engine = Noisy(Shots(DensityEngine(), 100, seed=1), MODEL)
    assert (engine.shots, engine.is_exact) == (100, False)
    exact = Noisy(DensityEngine(), MODEL)
    assert (exact.gives, exact.walks_back, exact.runs, exact.is_exact, exact.shots) == (
        DensityEngine.gives, DensityEngine.walks_back, DensityEngine.runs, True, None,
    )  # fmt: skip
    assert "NoiseModel" in repr(exact)


@pytest.mark.parametrize("order", ["shots of noise", "noise of shots"])
def test_shots_estimate_noisy_values(order):
    """Each of 12 values within 5 standard errors of the exact one: a false alarm once in 100,000 seeds."""
    x, w = arrays()
    if order == "shots of noise":
        engine = Shots(Noisy(DensityEngine(), MODEL), 4000, seed=5)
    else:
        engine = Noisy(Shots(DensityEngine(), 4000, seed=5), MODEL)
    from qloom.engines import make_batch

    made = circuit()
    estimate = engine.prepare(made, WORDS).estimate(make_batch(made, x, w))
    exact = expectation(made, WORDS, x, w, engine=Noisy(DensityEngine(), MODEL))
    assert (np.abs(estimate.values - exact) <= 5 * estimate.errors).all()
    assert estimate.shots == 4000 * estimate.runs


def test_bits_have_noise_and_readout():
    """X read wrong with .05 behind an error of .01 / 3 * 2: 4,000 bits, 5 standard deviations."""
    bits = sample(Circuit(1).x(0), 4000, seed=3, engine=Noisy(DensityEngine(), MODEL))
    share = 0.5 + (1 - 4 / 3 * 0.01) * (1 - 2 * 0.05) / 2
    assert abs(bits.mean() - share) < 5 * np.sqrt(share * (1 - share) / 4000)


def test_coherent_errors_run_on_every_engine():
    model = NoiseModel().over_rotated("rx", 0.1).with_readout(0.1, 0.2)
    value = expectation(Circuit(1).rx(1.0, 0), Z(0), engine=Noisy(StatevectorEngine(), model))
    assert value == pytest.approx((0.2 - 0.1) + (1 - 0.3) * np.cos(1.1), abs=1e-12)


def test_engines_without_channels_are_refused():
    with pytest.raises(UnsupportedError, match=r"^StatevectorEngine runs no channels, expected DensityEngine or Traj"):
        Noisy(StatevectorEngine(), MODEL)
    with pytest.raises(UnsupportedError, match="runs no channels"):
        Noisy(Shots(StatevectorEngine(), 10), MODEL)
    with pytest.raises(CircuitError, match="engine='density', expected an Engine"):
        Noisy("density", MODEL)
    with pytest.raises(CircuitError, match=r"model=0\.1, expected a NoiseModel"):
        Noisy(DensityEngine(), 0.1)
    with pytest.raises(CircuitError, match=r"noise=0\.1, expected a NoiseModel"):
        QuantumLayer(Circuit(1), noise=0.1)
    with pytest.raises(UnsupportedError, match="cannot be exported"):
        Noisy(DensityEngine(), MODEL).to_json()


def test_a_circuit_that_the_device_lacks_gates_for_is_refused():
    model = NoiseModel("device", is_strict=True).after("x", Circuit(1).bit_flip(0.1, 0))
    with pytest.raises(CircuitError, match="h on qubit 0 has no entry in device"):
        expectation(Circuit(1).h(0), engine=Noisy(DensityEngine(), model))
