"""Channels: textbook facts, how they are refused, written and drawn."""

from __future__ import annotations

import numpy as np
import pytest

import qloom as ql
from qloom.circuits import GATES, Circuit
from qloom.circuits.channels import depolarizing_gate, kraus_gate, pauli_channel_gate
from qloom.circuits.transfer import transfer_of_kraus
from qloom.engines import DensityEngine, ReferenceEngine, TrajectoryEngine
from qloom.errors import CircuitError, ShapeError
from qloom.testing import check_gate

X, Y, Z = (GATES[name].matrix() for name in "xyz")


def values(circuit: Circuit, observables, *arrays) -> np.ndarray:
    return ql.expectation(circuit, observables, *arrays, engine=ReferenceEngine())


@pytest.mark.parametrize(
    "gate", [depolarizing_gate(2), depolarizing_gate(3), pauli_channel_gate(2)], ids=lambda g: g.doc
)
def test_channels_on_more_qubits_keep_the_contract(gate):
    check_gate(gate)


def test_depolarizing_counts_errors():
    """X, then p = 1/2 gives <Z> = -1/3 and p = 3/4 gives 0; two qubits shrink by 1 - 16 p / 15."""
    for p, expected in ((0.5, -1 / 3), (0.75, 0.0)):
        assert values(Circuit(1).x(0).depolarizing(p, 0), [ql.Z(0)])[0] == pytest.approx(expected, abs=1e-12)
    pair = Circuit(2).h(0).cx(0, 1).depolarizing(0.03, 0, 1)
    np.testing.assert_allclose(values(pair, [ql.Z(0) @ ql.Z(1), ql.X(0) @ ql.X(1)]), 1 - 16 * 0.03 / 15, atol=1e-12)


def test_bell_pair_under_depolarizing():
    """Both qubits with p = .01: ZZ = XX = (1 - 4p/3)^2, fidelity (1 + 3 of it) / 4."""
    pair = Circuit(2).h(0).cx(0, 1).depolarizing(0.01, 0).depolarizing(0.01, 1)
    found = values(pair, [ql.Z(0) @ ql.Z(1), ql.X(0) @ ql.X(1), ql.Y(0) @ ql.Y(1)])
    np.testing.assert_allclose(found[:2], 0.9735111111, atol=1e-10)
    assert (1 + found[0] + found[1] - found[2]) / 4 == pytest.approx(0.9801333333, abs=1e-10)


def test_relaxation_is_what_its_times_say():
    """Ramsey: <X> falls by exp(-t/T2), |1> by exp(-t/T1), towards the excited population."""
    t1, t2, time, excited = 80.0, 60.0, 30.0, 0.05
    ramsey = Circuit(1).h(0).thermal_relaxation(t1, t2, time, excited, 0)
    assert values(ramsey, [ql.X(0)])[0] == pytest.approx(np.exp(-time / t2), abs=1e-12)
    decay = Circuit(1).x(0).thermal_relaxation(t1, t2, time, excited, 0)
    kept = np.exp(-time / t1)
    assert (1 - values(decay, [ql.Z(0)])[0]) / 2 == pytest.approx(kept + (1 - kept) * excited, abs=1e-12)
    # T2 may be up to 2 T1, where nothing but decay is left.
    limit = transfer_of_kraus(GATES["thermal_relaxation"].kraus)(t1, 2 * t1, time, 0.0)
    np.testing.assert_allclose(limit, GATES["amplitude_damping"].transfer(1 - kept), atol=1e-12)
    np.testing.assert_allclose(
        GATES["thermal_relaxation"].transfer(1.0, 1.0, 5000.0, 0.25)[3], [0.5, 0, 0, 0], atol=1e-12
    )


def test_ghz_under_amplitude_damping():
    """P0 = 1/2 + g^n / 2, P1 = (1 - g)^n / 2."""
    n, g = 4, 0.1
    circuit = Circuit(n).h(0)
    for q in range(1, n):
        circuit.cx(q - 1, q)
    for q in range(n):
        circuit.amplitude_damping(g, q)
    outcomes = ql.probabilities(circuit, engine=ReferenceEngine())
    assert outcomes[0] == pytest.approx(0.5 + g**n / 2, abs=1e-12)
    assert outcomes[-1] == pytest.approx((1 - g) ** n / 2, abs=1e-12)


def test_measure_and_reset_in_mid_circuit():
    assert values(Circuit(1).h(0).measure(0), [ql.X(0)])[0] == pytest.approx(0, abs=1e-15)
    found = values(Circuit(2).h(0).cx(0, 1).reset(0), [ql.Z(0), ql.Z(1), ql.Z(0) @ ql.Z(1)])
    np.testing.assert_allclose(found, [1, 0, 0], atol=1e-15)


def test_a_channel_of_ones_own_is_its_operators():
    p = 0.2
    flips = Circuit(1).ry(0.4, 0).kraus([np.sqrt(1 - p) * np.eye(2), np.sqrt(p) * Y], 0)
    named = Circuit(1).ry(0.4, 0).bit_phase_flip(p, 0)
    words = [ql.X(0), ql.Y(0), ql.Z(0)]
    np.testing.assert_allclose(values(flips, words), values(named, words), atol=1e-14)
    check_gate(kraus_gate([np.sqrt(0.5) * np.eye(4), np.sqrt(0.5) * np.kron(X, Z)]))


def test_rates_may_be_slots():
    circuit = Circuit(1)
    x, w = circuit.inputs(1), circuit.weights(1)
    circuit.x(0).depolarizing(0.5 * x[0], 0).amplitude_damping(w[0], 0)
    found = values(circuit, [ql.Z(0)], [[0.2], [0.4]], [0.3])[:, 0]
    shrunk = -(1 - 4 * np.array([0.1, 0.2]) / 3)
    np.testing.assert_allclose(found, 0.3 + 0.7 * shrunk, atol=1e-14)
    with pytest.raises(ShapeError, match=r"depolarizing of sample 0: p is 1.5, expected 0 to 1"):
        values(circuit, [ql.Z(0)], [[3.0]], [0.3])


def test_written_and_drawn():
    circuit = Circuit(3).depolarizing(0.1, 0, 1, 2).pauli_channel([0.01] * 15, (0, 1)).pauli_channel((0.1, 0, 0), 2)
    circuit.kraus([np.diag([1, 1j])], 1).thermal_relaxation(9, 8, 1, 0, 2).confusion(np.eye(4), (0, 1))
    circuit.readout_error(0.1, 0.2, 2)
    again = Circuit.from_json(circuit.to_json())
    assert again == circuit
    assert hash(again) == hash(circuit)
    drawn = circuit.draw()
    assert "Depol(0.1)" in drawn
    assert "Pauli(15 rates)" in drawn
    assert circuit + Circuit(3) == circuit


@pytest.mark.parametrize(
    "engine",
    [ReferenceEngine(), DensityEngine(), TrajectoryEngine(2000, 0)],
    ids=lambda engine: type(engine).__name__,
)
def test_rates_in_single_precision_may_sum_to_one(engine):
    """A third three times over is more than 1 in single precision: nothing is left, and nothing is not a number."""
    circuit = Circuit(2)
    x = circuit.inputs(3)
    circuit.pauli_channel(x, 0).reset_error(x[0], 2 * x[1], 1)
    rows = np.array([[1 / 3, 1 / 3, 1 / 3], [0.1, 0.2, 0.7]], np.float32)
    assert rows.astype(float).sum(axis=1).max() > 1 + 1e-9
    found = ql.expectation(circuit, [ql.Z(0)], rows, engine=engine)
    # 5 standard errors of trajectories, a false alarm in a million.
    bound = 1e-6 if engine.is_exact else 5 / np.sqrt(2000)
    np.testing.assert_allclose(found[:, 0], [-1 / 3, 0.4], atol=bound)


def decaying(factor: float):
    return Circuit(1).kraus([factor * np.eye(2)], 0)


@pytest.mark.parametrize(("call", "message"), [
    (lambda: Circuit(1).depolarizing(1.2, 0), "depolarizing: p is 1.2, expected 0 to 1"),
    (lambda: Circuit(1).depolarizing(0.1), "depolarizing got 0 qubits, expected 1 to 6"),
    (lambda: Circuit(1).amplitude_damping(-0.1, 0), "amplitude_damping: g is -0.1, expected 0 to 1"),
    (lambda: Circuit(1).pauli_channel((0.5, 0.4, 0.2), 0), "sum to 1.1, expected at most 1"),
    (lambda: Circuit(1).pauli_channel((0.5, 0.4), 0), "pauli_channel got 2 angles and 1 qubits, expected 3 and 1"),
    (lambda: Circuit(3).pauli_channel((0.5,), (0, 1, 2)), "pauli_channel on 3 qubits, expected 1 or 2"),
    (lambda: Circuit(1).thermal_relaxation(10, 30, 1, 0, 0), "T2 is 30 and T1 10, expected T2 of at most 2 T1"),
    (lambda: Circuit(1).thermal_relaxation(0, 30, 1, 0, 0), "T1 is 0, expected at least"),
    (lambda: Circuit(1).reset_error(0.6, 0.5, 0), "p0 and p1 sum to 1.1, expected at most 1"),
    (lambda: decaying(0.9), r"do not preserve the trace: sum of K\^dagger K is off the identity by 0.19"),
    (lambda: Circuit(1).kraus([np.eye(3)], 0), r"Kraus operators of shape \(1, 3, 3\)"),
    (lambda: Circuit(1).confusion([[0.9, 0.2], [0.1, 0.7]], (0,)), "columns that sum to"),
    (lambda: Circuit(1).confusion(np.eye(3), (0,)), r"confusion matrix has shape \(3, 3\)"),
    (lambda: Circuit(1).readout_error(0.1, 1.3, 0), "readout_error: p0_given1 is 1.3"),
    (lambda: Circuit(1).pauli_channel(0.1, 0), "pauli_channel got 0.1, expected a probability of each word"),
    (lambda: Circuit(1).kraus([np.eye(2), np.eye(4)], 0), "Kraus operators are a list of no array's shape"),
    (lambda: Circuit(1).kraus([], 0), r"Kraus operators of shape \(0,\), expected \(K, 2\^k, 2\^k\)"),
    (lambda: Circuit(1).kraus(None, 0), r"Kraus operators of shape \(\)"),
    (lambda: Circuit(1).confusion(0.1, (0,)), r"confusion matrix has shape \(\)"),
    (lambda: Circuit(1).confusion("no", (0,)), "entries of a confusion matrix are a str of no array's shape"),
])  # fmt: skip
def test_refused_in_a_sentence(call, message):
    with pytest.raises(CircuitError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
