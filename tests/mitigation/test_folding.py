"""Folded circuits do the same as the circuit, with as many gates as they say."""

from __future__ import annotations

import numpy as np
import pytest

from qloom import Circuit
from qloom.engines import state
from qloom.errors import CircuitError, UnsupportedError
from qloom.mitigation import fold


def circuit():
    c = Circuit(3)
    w = c.weights(3)
    c.h(0).sx(1).cx(0, 1).rx(w[0], 2).u(w[1], 0.2, w[2], 1).csx(1, 2).append("global_phase", (0.3,))
    return c.iswap(0, 2).t(0)


@pytest.mark.parametrize("by", ["folding", "local_folding"])
@pytest.mark.parametrize("scale", [1, 1.2, 1.9, 2, 3, 3.7, 5, 8])
def test_folding_keeps_the_state_and_says_what_it_reached(by, scale):
    weights = np.random.default_rng(0).uniform(-3, 3, 3)
    folded, reached = fold(circuit(), scale, by)
    mine, plain = state(folded, weights=weights), state(circuit(), weights=weights)
    assert abs(np.vdot(mine, plain)) == pytest.approx(1, abs=1e-12)
    gates = sum(bool(op.qubits) for op in folded.operations)
    assert reached == gates / 8
    assert abs(reached - scale) <= 1 / 8 + 1e-12


def test_global_folding_runs_back_and_forth_and_local_folding_gate_by_gate():
    c = Circuit(2).s(0).cx(0, 1)
    names = lambda by: " ".join(op.gate.name for op in fold(c, 3, by)[0].operations)  # noqa: E731
    assert names("folding") == "s cx cx sdg s cx"
    assert names("local_folding") == "s sdg s cx cx cx"
    assert [op.gate.name for op in fold(c, 2)[0].operations] == ["s", "cx", "cx", "cx"]


def test_the_gates_of_a_machine_are_folded_by_themselves():
    folded, _ = fold(Circuit(1).sx(0).rz(0.3, 0), 3)
    assert {op.gate.name for op in folded.operations} == {"sx", "rz"}
    plain = state(Circuit(1).sx(0).rz(0.3, 0))
    assert abs(np.vdot(state(folded), plain)) == pytest.approx(1, abs=1e-12)


def test_what_cannot_be_folded_is_refused_in_a_sentence():
    with pytest.raises(UnsupportedError, match="a measurement, cannot be folded"):
        fold(Circuit(1).h(0).measure(0), 3)
    with pytest.raises(UnsupportedError, match="nothing to fold"):
        fold(Circuit(1), 3)
    for scale in (0.5, np.nan, np.inf, "3"):
        with pytest.raises(CircuitError, match="expected a number of at least 1"):
            fold(circuit(), scale)
    with pytest.raises(CircuitError, match="by='globally'"):
        fold(circuit(), 3, "globally")
