"""Mitigated engines are run through the contract of engines, around noise of strength 0."""

from __future__ import annotations

import numpy as np
import pytest

from qloom.engines import Engine, Shots, StatevectorEngine
from qloom.errors import UnsupportedError
from qloom.mitigation import (
    CliffordDataRegression,
    ReadoutInversion,
    Twirled,
    TwirledReadout,
    ZeroNoise,
)
from qloom.testing import EngineContract
from tests.mitigation.noisy import Noisy


def noiseless() -> Engine:
    """With turns by nothing in the place of noise, which any engine runs."""
    return Noisy(StatevectorEngine(2), lambda circuit, op: circuit.rz(0.0, op.qubits[0]))


class Mitigated(EngineContract):
    def test_it_is_measured(self) -> None:
        """Mitigation measures; it is not measured."""
        for outputs in self.outputs(self.make_engine()):
            with pytest.raises(UnsupportedError):
                Shots(self.make_engine(), 100).prepare(self.circuit(), outputs)


class TestLinear(Mitigated):
    def make_engine(self) -> Engine:
        return ZeroNoise(noiseless())


class TestExponential(Mitigated):
    def make_engine(self) -> Engine:
        return ZeroNoise(noiseless(), (1, 2), "exponential", "local_folding")


class TestMeasuredLinear(Mitigated):
    def make_engine(self) -> Engine:
        return ZeroNoise(Shots(noiseless(), 500, 0), (1, 3))


class TestMeasuredTwirls(Mitigated):
    def make_engine(self) -> Engine:
        return Twirled(Shots(noiseless(), 100, 0), 8)


class TestRegression(Mitigated):
    def make_engine(self) -> Engine:
        return CliffordDataRegression(noiseless())


class TestInversion(Mitigated):
    def make_engine(self) -> Engine:
        return ReadoutInversion(noiseless(), np.tile(np.eye(2), (3, 1, 1)))


class TestTwirledReadout(Mitigated):
    def make_engine(self) -> Engine:
        return TwirledReadout(noiseless(), None)


class TestMeasuredTwirledReadout(Mitigated):
    def make_engine(self) -> Engine:
        return TwirledReadout(Shots(noiseless(), 200, 0), 8)
