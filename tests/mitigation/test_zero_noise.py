"""Zero-noise extrapolation of engines: closed forms, derivatives, costs and refusals."""

from __future__ import annotations

import numpy as np
import pytest

from qloom import Circuit
from qloom.engines import (
    Probabilities,
    Shots,
    StatevectorEngine,
    expectation,
    make_batch,
    probabilities,
)
from qloom.engines.density import DensityEngine
from qloom.errors import CircuitError, UnsupportedError
from qloom.gradients import FiniteDifference, gradient
from qloom.mitigation import ZeroNoise
from qloom.observables import X, Z
from tests.mitigation.circuits import INPUTS, OBSERVABLES, WEIGHTS, circuit
from tests.mitigation.noisy import Noisy, after_gates, after_pairs, on_all

ARRAYS = INPUTS, WEIGHTS
BY = ["folding", "local_folding", "rates"]


@pytest.mark.parametrize(("scales", "fit", "error"), [
    ((1, 3), "linear", lambda q: 1 - 3 / 2 * q + q**3 / 2),
    ((1, 3, 5), "richardson", lambda q: 1 - 15 / 8 * q + 5 / 4 * q**3 - 3 / 8 * q**5),
    ((1, 3, 5), "exponential", lambda q: 0),
])  # fmt: skip
@pytest.mark.parametrize("by", BY[:2])
def test_folding_under_global_depolarizing_noise_leaves_the_closed_form(scales, fit, error, by):
    p, gates = 0.02, 4
    engine = Noisy(DensityEngine(), on_all(p))
    q = (1 - 16 / 15 * p) ** gates
    exact = expectation(circuit(), OBSERVABLES, *ARRAYS)
    found = expectation(circuit(), OBSERVABLES, *ARRAYS, engine=ZeroNoise(engine, scales, fit, by))
    np.testing.assert_allclose(exact - found, error(q) * (exact - [0.25, 0]), atol=1e-10)


def test_scaled_rates_of_one_channel_are_a_straight_line():
    engine = Noisy(DensityEngine(), after_pairs(after_gates(0.05)))
    exact = expectation(circuit(), OBSERVABLES, *ARRAYS)
    found = expectation(circuit(), OBSERVABLES, *ARRAYS, engine=ZeroNoise(engine, (1, 2.5), by="rates"))
    np.testing.assert_allclose(found, exact, atol=1e-12)


def test_partial_folds_are_extrapolated_against_the_scales_reached():
    # Five gates reach 1, 1.4, 1.8: asked for 1.5, the exponential is exact only if 1.4 is taken.
    c = Circuit(1)
    for _ in range(5):
        c.rx(0.2, 0)
    engine = ZeroNoise(Noisy(DensityEngine(), after_gates(0.03)), (1, 1.5), "exponential")
    np.testing.assert_allclose(expectation(c, engine=engine), expectation(c), atol=1e-10)
    with pytest.raises(CircuitError, match="are 1 different one"):
        ZeroNoise(engine.engine, (1, 1.1)).prepare(c)


def test_probabilities_are_extrapolated_too():
    engine = ZeroNoise(Noisy(DensityEngine(), on_all(0.02)), (1, 3), "exponential")
    found = probabilities(circuit(), *ARRAYS, engine=engine)
    np.testing.assert_allclose(found, probabilities(circuit(), *ARRAYS), atol=1e-10)


@pytest.mark.parametrize("fit", ["richardson", "exponential"])
@pytest.mark.parametrize("by", BY)
def test_derivatives_are_those_of_the_extrapolated_values(fit, by):
    engine = ZeroNoise(Noisy(DensityEngine(), after_gates(0.01)), (1, 2, 3), fit, by)
    one = INPUTS[:1], WEIGHTS
    mine = gradient(circuit(), OBSERVABLES, *one, engine=engine)
    truth = gradient(circuit(), OBSERVABLES, *one, engine=engine, differentiator=FiniteDifference(1e-4))
    for a, b in zip(mine, truth, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_errors_and_costs_of_measured_values_add_up():
    engine = ZeroNoise(Shots(Noisy(DensityEngine(), after_gates(0.01)), 4000, 0), (1, 3, 5), "richardson")
    batch = make_batch(circuit(), *ARRAYS)
    evaluator = engine.prepare(circuit(), [Z(0)])
    found = evaluator.estimate(batch)
    spread = np.sqrt((15 / 8) ** 2 + (5 / 4) ** 2 + (3 / 8) ** 2) / np.sqrt(4000)
    # Of <Z> within .9 of 0 a measurement spreads by more than .43 and at most 1.
    assert (found.errors > 0.43 * spread).all()
    assert (found.errors < spread).all()
    assert (found.runs, found.shots, engine.shots) == (3 * 2, 3 * 2 * 4000, 12000)
    # One in 10^8 runs is off by more.
    assert (np.abs(found.values - expectation(circuit(), [Z(0)], *ARRAYS)) < 6 * found.errors + 1e-3).all()
    assert evaluator.submit(batch).result().shape == (2, 1)


def test_an_exponential_of_a_lost_signal_is_refused_as_values_and_as_estimates():
    c = Circuit(1).rx(np.pi / 2 + 0.01, 0)
    evaluator = ZeroNoise(Shots(Noisy(DensityEngine(), after_gates(0.1)), 100, 0), (1, 3), "exponential").prepare(c)
    for ask in (evaluator.values, evaluator.estimate, evaluator.submit):
        with pytest.raises(UnsupportedError, match="within their noise"):
            ask(make_batch(c))


def test_values_that_are_0_stay_0_and_have_no_derivative_by_an_exponential():
    c = Circuit(1).rx(np.pi / 2, 0)
    engine = ZeroNoise(Noisy(DensityEngine(), after_gates(0.1)), (1, 3), "exponential")
    np.testing.assert_allclose(expectation(c, [Z(0), X(0)], engine=engine), 0, atol=1e-12)
    turned = Circuit(1)
    turned.rx(turned.weights(1)[0], 0)
    with pytest.raises(UnsupportedError, match='take fit="linear"'):
        gradient(turned, [Z(0)], weights=np.array([np.pi / 2]), engine=engine)


def test_what_has_no_meaning_is_refused_in_a_sentence():
    noisy = Noisy(DensityEngine(), after_gates(0.01))
    with pytest.raises(UnsupportedError, match="without noise, so ZeroNoise has nothing to mitigate"):
        ZeroNoise(StatevectorEngine()).prepare(circuit())
    with pytest.raises(UnsupportedError, match="has nothing to mitigate"):
        ZeroNoise(Shots(StatevectorEngine(), 100)).prepare(circuit())
    with pytest.raises(UnsupportedError, match="no channel has rates to scale"):
        ZeroNoise(Noisy(DensityEngine(), lambda c, op: c.rx(0.1, 0)), by="rates").prepare(circuit())
    with pytest.raises(UnsupportedError, match="gives no state"):
        ZeroNoise(noisy).prepare(circuit(), "state")
    with pytest.raises(UnsupportedError, match="measurement"):
        ZeroNoise(noisy).prepare(circuit().measure(0))
    with pytest.raises(UnsupportedError, match=r"ZeroNoise\(Shots\(engine, shots\)\)"):
        Shots(ZeroNoise(noisy), 100).prepare(circuit(), Probabilities((0,)))
    for arguments, what in [
        ({"scales": (1,)}, "are 1 different one"), ({"scales": (0.5, 1)}, "at least 1"), ({"by": "hope"}, "by='hope'"),
        ({"engine": 3}, "expected an Engine"),
    ]:  # fmt: skip
        with pytest.raises(CircuitError, match=what):
            ZeroNoise(**{"engine": noisy} | arguments)
