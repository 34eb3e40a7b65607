"""Circuits for devices: the same values in the device's gates, on qubits that are joined, with its noise."""

from __future__ import annotations

import numpy as np
import pytest

import qloom as ql
from qloom.circuits import Circuit
from qloom.engines import OnDevice, ReferenceEngine
from qloom.errors import CircuitError
from qloom.gradients import prepare_gradient
from qloom.noise import NoiseModel, compiled
from qloom.noise.compilation.routing import Couplings


def line(n: int, entangler: str = "cx", both: bool = False) -> NoiseModel:
    """A device of n qubits in a row; the last pair is the worst."""
    model = NoiseModel(name="row", is_strict=True, n_qubits=n, free=("rz",))
    for q in range(n):
        for gate in ("sx", "x"):
            model = model.after(gate, Circuit(1).depolarizing(0.001, 0), [q])
        model = model.with_readout(0.01 * (q + 1), 0.02, [q])
        for pair in ([(q, q + 1), (q + 1, q)] if both else [(q, q + 1)]) if q + 1 < n else ():
            model = model.after(entangler, Circuit(2).depolarizing(0.01 + 0.01 * q, 0, 1), pair)
    return model


@pytest.mark.parametrize("entangler", ["cx", "cz", "ecr"])
def test_circuits_keep_their_values_and_slots(entangler):
    circuit = ql.encoders.angle(4) + ql.ansatze.strongly_entangling(4, 2)
    circuit.ccx(3, 0, 2).pauli_rotation(0.4, "XYZY", (2, 0, 3, 1)).iswap(0, 3).rxx(0.3, 1, 2)
    random = np.random.default_rng(1)
    x, w = random.normal(size=(3, 4)), random.normal(size=circuit.n_weights)
    words = [ql.Z(0), ql.X(1) @ ql.Y(3), ql.Z(2) @ ql.Z(3)]
    found = compiled(circuit, line(6, entangler))
    assert len(set(found.qubits)) == 4
    np.testing.assert_allclose(
        ql.expectation(found.circuit, words, x, w), ql.expectation(circuit, words, x, w), atol=1e-10
    )
    found.model.apply(found.circuit)  # every gate has an entry, or this would be refused
    assert 0 < found.success < 1
    assert found.circuit.n_weights == circuit.n_weights


def test_the_better_end_of_a_row_is_taken_and_partners_are_brought_together():
    found = compiled(Circuit(3).h(0).cx(0, 1).cx(1, 2), line(6))
    assert sorted(found.qubits) == [0, 1, 2]
    assert found.circuit.gate_counts()["cx"] == 2
    ring = compiled(Circuit(3).cx(0, 1).cx(1, 2).cx(2, 0), line(3))
    assert ring.circuit.gate_counts()["cx"] == 3 + 3  # one swap closes a ring on a row
    chosen = compiled(Circuit(2).cx(0, 1), line(6), qubits=(4, 3))
    assert chosen.qubits == (4, 3)
    assert "h" not in chosen.circuit.gate_counts()


def test_broken_pairs_are_gone_round():
    couplings = Couplings.of_errors(
        {(0, 1): 1.0, (1, 2): 0.01, (2, 3): 0.01, (0, 3): 0.02}, dict.fromkeys(range(4), 0.0)
    )
    assert couplings.path(0, 1, range(4)) == [0, 3, 2, 1]
    assert couplings.path(0, 1, (0, 1)) == []


def test_an_engine_on_a_device_gives_noisy_values_and_derivatives():
    model = line(3, both=True)
    circuit = Circuit(2)
    x, w = circuit.inputs(2), circuit.weights(2)
    circuit.ry(x[0], 0).rx(x[1], 1).cx(0, 1).rot(w[0], w[1], 0.3, 1)
    engine, words = OnDevice(ReferenceEngine(), model), [ql.Z(0), ql.Z(1)]
    batch = ql.engines.make_batch(circuit, np.array([[0.3, 0.9], [1.2, -0.4]]), np.array([0.7, 0.2]))
    noisy = compiled(circuit, model).noisy
    truth = ql.expectation(noisy, words, batch.inputs, batch.weights, engine=ReferenceEngine())
    np.testing.assert_allclose(engine.prepare(circuit, words).values(batch), truth, atol=1e-12)
    exact = ql.expectation(circuit, words, batch.inputs, batch.weights)
    assert np.abs(truth - exact).max() > 0.01
    shift, step = (prepare_gradient(circuit, words, engine, way) for way in ("parameter-shift", "finite-difference"))
    cotangents = np.ones((2, 2))
    for mine, theirs in zip(shift.backward(batch, cotangents, None, (True, True)),
                            step.backward(batch, cotangents, None, (True, True)), strict=True):  # fmt: skip
        np.testing.assert_allclose(mine, theirs, atol=1e-6)


def test_refused():
    with pytest.raises(CircuitError, match="the noise model has none of cz, cx, ecr on a pair of qubits"):
        compiled(Circuit(2).cx(0, 1), NoiseModel(free=("rz", "sx")).after("cx", Circuit(2).depolarizing(0.1, 0, 1)))
    with pytest.raises(CircuitError, match="circuit of 4 qubits, expected as many of the device that are joined"):
        compiled(Circuit(4).cx(0, 3), line(3))


@pytest.mark.parametrize(("places", "message"), [
    ((0,), r"qubits=\(0,\) of a device for a circuit of 2, expected 2 of them"),
    ((0, 1, 2), r"qubits=\(0, 1, 2\) of a device for a circuit of 2"),
    ((0, 0), r"qubits=\(0, 0\) of a device, expected different integers"),
    ((0, 9), "qubits 0, 9 are not"),
    ("01", "qubits='01' of a device, expected different integers"),
    (3, "device got qubits 3, expected a sequence of them"),
])  # fmt: skip
def test_places_that_do_not_fit_are_refused(places, message):
    with pytest.raises(CircuitError, match=message):
        ql.expectation(Circuit(2).cx(0, 1), engine=OnDevice(ReferenceEngine(), line(3), places))
