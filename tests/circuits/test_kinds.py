"""Channels, measurements and resets: entries of the table, drawn, written, refused where unitary gates are needed."""

from __future__ import annotations

import numpy as np
import pytest

import qloom as ql
from qloom.circuits import GATES, Circuit, Gate
from qloom.circuits.gates import controlled_gate
from qloom.engines.statevector import lower, lower_states
from qloom.errors import ArtifactError, CircuitError, UnsupportedError
from qloom.gradients import gradient, prepare_gradient
from qloom.nn import QuantumLayer
from qloom.testing import check_gate
from qloom.trainability import reached_words


def decay(probability: float) -> tuple[np.ndarray, np.ndarray]:
    """Kraus operators of amplitude damping (Nielsen, Chuang 2010, eq. 8.108)."""
    return np.diag([1, np.sqrt(1 - probability)]), np.array([[0, np.sqrt(probability)], [0, 0]])


@pytest.fixture
def damping(monkeypatch):
    """A channel is one entry of the table and nothing else."""
    gate = Gate("damping", 1, 1, "amplitude damping by the sine squared of an angle", kind="channel",
                kraus=lambda a: decay(np.sin(a) ** 2))  # fmt: skip
    monkeypatch.setitem(GATES, "damping", gate)
    return gate


@pytest.mark.parametrize("name", [name for name, gate in GATES.items() if not gate.is_unitary])
def test_entries_keep_the_contract(name):
    check_gate(GATES[name])


def density(vector: np.ndarray, gate: Gate, *angles: float) -> np.ndarray:
    rho = np.outer(vector, np.conj(vector))
    return sum(k @ rho @ np.conj(k).T for k in gate.operators(*angles))


def test_measure_dephases_and_reset_empties():
    plus = np.array([0.6, 0.8j])
    np.testing.assert_allclose(density(plus, GATES["measure"]), np.diag([0.36, 0.64]), atol=1e-15)
    np.testing.assert_allclose(density(plus, GATES["reset"]), np.diag([1, 0]), atol=1e-15)
    zero, one = GATES["measure"].operators()
    assert (np.linalg.norm(zero @ plus) ** 2, np.linalg.norm(one @ plus) ** 2) == pytest.approx((0.36, 0.64))
    (only,) = GATES["h"].operators()
    np.testing.assert_array_equal(only, GATES["h"].matrix())


def test_a_channel_is_one_entry(damping):
    """Method, contract, drawing and JSON find it in the table; its angle may be a weight."""
    check_gate(damping)
    circuit = Circuit(2).h(0)
    w = circuit.weights(1)
    circuit.damping(w[0], 1).damping(0.5, 0)
    assert [op.gate for op in circuit.operations[1:]] == [damping, damping]
    assert not circuit.is_unitary
    assert Circuit.from_json(circuit.to_json()) == circuit
    assert "DAMPING(w[0])" in circuit.draw()
    np.testing.assert_allclose(density(np.array([0, 1]), damping, np.pi / 6), np.diag([0.25, 0.75]), atol=1e-15)
    for call in (lambda: ql.state(circuit, None, [0.1]), circuit.inverse, lambda: gradient(circuit, None, None, [0.1])):
        with pytest.raises(UnsupportedError, match="got damping, a channel, on qubit 1"):
            call()


def test_measure_and_reset_stand_in_circuits():
    circuit = Circuit(3).h(0).measure(0).cx(0, 2).reset(2)
    assert not circuit.is_unitary
    assert Circuit(3).h(0).is_unitary
    assert Circuit.from_json(circuit.to_json()) == circuit != Circuit(3).h(0).cx(0, 2)
    assert circuit.gate_counts() == {"h": 1, "measure": 1, "cx": 1, "reset": 1}
    assert circuit.depth() == 4
    drawn = circuit.draw().split("\n")
    assert drawn[0].startswith("q0: ─H─M─")
    assert drawn[2].rstrip("─").endswith("|0⟩")
    assert [op.gate.name for op in (circuit + circuit.repeat(2)).operations].count("measure") == 3


STARTED = Circuit(2).h(0).reset(1)
NEEDS_UNITARY = [
    (STARTED.inverse, "inverse takes unitary gates only, got reset on qubit 1; invert what stands"),
    (STARTED.controlled, "controlled takes unitary gates only, got reset on qubit 1"),
    (lambda: lower(STARTED, [ql.Z(0)]), "a program of rotations takes unitary gates only, got reset on qubit 1"),
    (lambda: lower_states(STARTED), "a program of rotations takes unitary gates only"),
    (lambda: reached_words(STARTED, ql.Z(0)), "a program of rotations takes unitary gates only"),
    (lambda: ql.expectation(STARTED), "StatevectorEngine takes unitary gates only, got reset on qubit 1; use Density"),
    (lambda: ql.state(STARTED), "StatevectorEngine takes unitary gates only"),
    (lambda: ql.sample(STARTED, 10), "StatevectorEngine takes unitary gates only"),
    (lambda: ql.expectation(STARTED, shots=10), "StatevectorEngine takes unitary gates only"),
    (lambda: ql.state(STARTED, engine=ql.engines.ReferenceEngine()), "a mixed state has no state, expected a circuit"),
    (lambda: gradient(STARTED, differentiator="parameter-shift"), "takes unitary gates only, got reset on qubit 1"),
    (lambda: prepare_gradient(STARTED), "takes unitary gates only"),
    (lambda: ql.metric_tensor(STARTED + ql.ansatze.basic_entangler(2, 1), None, [1, 2]), "takes unitary gates only"),
    (lambda: QuantumLayer(STARTED), "StatevectorEngine takes unitary gates only, got reset on qubit 1; use Density"),
    (lambda: ql.expectation(Circuit(2).measure(1)), "got measure, a measurement, on qubit 1"),
    (lambda: controlled_gate(GATES["measure"]), "measure is a measurement and cannot be controlled"),
    (lambda: GATES["reset"].matrix(), "reset is a reset and has no matrix, expected a unitary gate"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "message"), NEEDS_UNITARY)
def test_refused_in_a_sentence(call, message):
    with pytest.raises(UnsupportedError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_an_engine_says_which_kinds_it_runs():
    """A newcomer that takes resets is asked for them, also where its values are measured."""

    class Resetting(ql.engines.ReferenceEngine):
        runs = frozenset({"unitary", "reset"})

        def evaluator(self, circuit, outputs):
            raise RuntimeError("reached")

    for call in (lambda: ql.expectation(STARTED, engine=Resetting()),):
        with pytest.raises(RuntimeError, match="reached"):
            call()
    assert ql.engines.Shots(Resetting(), 10).runs == Resetting.runs
    with pytest.raises(UnsupportedError, match="Resetting takes reset or unitary gates only, got measure"):
        ql.expectation(Circuit(1).measure(0), engine=Resetting())


def test_entries_that_are_no_gates():
    with pytest.raises(CircuitError, match="gate 'noise' is a channel, expected Kraus operators"):
        Gate("noise", 1, 0, "no operators", kind="channel")
    text = Circuit(1).reset(0).to_json().replace('"reset"', '"forget"')
    with pytest.raises(ArtifactError, match="unknown gate 'forget'"):
        Circuit.from_json(text)
