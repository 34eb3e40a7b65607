"""Advice: whether mitigating pays, at budgets where the answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from qloom.engines import Shots, expectation
from qloom.engines.density import DensityEngine
from qloom.errors import CircuitError
from qloom.mitigation import ErrorCancellation, ReadoutInversion, Twirled, TwirledReadout, ZeroNoise, advise
from qloom.observables import Z
from tests.mitigation.circuits import INPUTS, WEIGHTS, circuit
from tests.mitigation.noisy import Noisy, on_all

WAYS = {
    "linear": lambda engine: ZeroNoise(engine, (1, 3)),
    "inverted": lambda engine: ReadoutInversion(engine),
}


def advice(shots, rate=0.03, candidates=WAYS, **more):
    engine = Noisy(DensityEngine(), on_all(rate))
    return advise(engine, circuit(), shots, [Z(0)], INPUTS, WEIGHTS, candidates=candidates, **more)


def test_with_many_shots_bias_decides_and_mitigating_pays():
    found = advice(10**6)
    exact = expectation(circuit(), [Z(0)], INPUTS, WEIGHTS)
    q = (1 - 16 / 15 * 0.03) ** 4
    size = np.sqrt((exact**2).mean())
    assert found.raw.bias == pytest.approx((1 - q) * size, rel=1e-9)
    linear = found.best
    assert (linear.name, linear.circuits, linear.shots) == ("linear", 2, 500_000)
    assert linear.bias == pytest.approx((1 - 3 / 2 * q + q**3 / 2) * size, rel=1e-9)
    assert found.pays
    assert found.sentence.startswith("Mitigating pays at 1,000,000 shots: linear leaves an error of")


def test_with_few_shots_spread_decides_and_mitigating_does_not_pay():
    found = advice(100, rate=0.01)
    assert not found.pays
    assert found.best.error > found.raw.error
    # Weights 3/2 and -1/2 on half of the shots each: sqrt(5) as much as raw values, up to how Z spreads.
    assert found.best.spread / found.raw.spread == pytest.approx(5**0.5, rel=0.25)
    assert "does not pay at 100 shots" in found.sentence


def test_what_is_refused_stands_in_the_table_with_its_reason():
    found = advice(1000)
    inverted = found.rows[2]
    assert np.isnan(inverted.error)
    assert "no readout error that it could tell" in str(found)
    assert str(found).splitlines()[-1] == found.sentence
    nothing = advice(1000, candidates={"inverted": WAYS["inverted"]})
    assert nothing.best is None
    assert not nothing.pays
    assert "no method can be used here" in nothing.sentence


def test_calibration_and_drawn_circuits_are_counted():
    ways = {
        "cancelled": lambda engine: ErrorCancellation(engine, 10, seed=0),
        "twirled": lambda engine: Twirled(engine, 7),
        "read": lambda engine: TwirledReadout(engine, 4),
        "too many": lambda engine: ErrorCancellation(engine, 101, seed=0),
    }
    found = {row.name: row for row in advice(200, candidates=ways).rows}
    assert (found["cancelled"].circuits, found["cancelled"].shots) == (10, 20)
    assert (found["twirled"].circuits, found["twirled"].shots) == (7, 28)
    assert (found["read"].circuits, found["read"].shots) == (8, 25)
    assert "101 circuits, expected at most 100" in found["too many"].refused


def test_it_may_be_asked_at_clifford_circuits_nearby():
    found = advice(10**6, at="clifford", candidates={"linear": WAYS["linear"]})
    q = (1 - 16 / 15 * 0.03) ** 4
    # <Z> of the snapped circuits is 0, 1 or -1.
    assert found.raw.bias / (1 - q) == pytest.approx(
        round(2 * (found.raw.bias / (1 - q)) ** 2) ** 0.5 / 2**0.5, abs=1e-9
    )
    with pytest.raises(CircuitError, match="at='nowhere'"):
        advice(100, at="nowhere")


def test_an_engine_that_measures_is_refused():
    with pytest.raises(CircuitError, match="measures already"):
        advise(Shots(DensityEngine(), 10), circuit(), 100, [Z(0)], INPUTS, WEIGHTS)
