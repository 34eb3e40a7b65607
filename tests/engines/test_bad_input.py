"""What is no engine is told so, wherever an engine is asked for."""

from __future__ import annotations

import pytest

import qloom as ql
from qloom.engines import Noisy, OnDevice, Shots
from qloom.errors import CircuitError
from qloom.mitigation import ErrorCancellation, ReadoutInversion, Twirled, ZeroNoise
from qloom.models import fidelity_kernel, projected_kernel
from qloom.noise import NoiseModel

CIRCUIT = ql.Circuit(2).h(0).cx(0, 1)
MEASURED = CIRCUIT.copy().measure(0, 0)
ENCODED, X = ql.encoders.angle(2), [[0.1, 0.2], [0.3, 0.4]]
MODEL = NoiseModel.uniform(0.01)
ASKED = {
    "counts": lambda engine: ql.counts(CIRCUIT, 10, engine=engine),
    "distribution": lambda engine: ql.distribution(MEASURED, engine=engine),
    "entropy": lambda engine: ql.entropy(CIRCUIT, engine=engine),
    "expectation": lambda engine: ql.expectation(CIRCUIT, engine=engine),
    "jacobian": lambda engine: ql.jacobian(CIRCUIT, [ql.Z(0)], engine=engine),
    "kernel": lambda engine: fidelity_kernel(ENCODED, X, engine=engine),
    "layer": lambda engine: ql.nn.QuantumLayer(CIRCUIT, engine=engine),
    "probabilities": lambda engine: ql.probabilities(CIRCUIT, engine=engine),
    "projected kernel": lambda engine: projected_kernel(ENCODED, X, engine=engine),
    "sample": lambda engine: ql.sample(CIRCUIT, 10, engine=engine),
    "shadow": lambda engine: ql.classical_shadow(CIRCUIT, 10, engine=engine),
    "state": lambda engine: ql.state(CIRCUIT, engine=engine),
    "variance": lambda engine: ql.variance(CIRCUIT, [ql.Z(0)], engine=engine),
    "with_engine": lambda engine: ql.nn.QuantumLayer(CIRCUIT).with_engine(engine),
    "ErrorCancellation": lambda engine: ErrorCancellation(engine, 10),
    "Noisy": lambda engine: Noisy(engine, MODEL),
    "OnDevice": lambda engine: OnDevice(engine, MODEL),
    "ReadoutInversion": ReadoutInversion,
    "Shots": lambda engine: Shots(engine, 100),
    "Twirled": lambda engine: Twirled(engine, 3),
    "ZeroNoise": ZeroNoise,
}


@pytest.mark.parametrize("engine", [3, "density", Shots], ids=str)
@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)
def test_what_is_no_engine_is_named(asked, engine):
    with pytest.raises(CircuitError, match=r"^engine=.*, expected an Engine such as "):
        asked(engine)
