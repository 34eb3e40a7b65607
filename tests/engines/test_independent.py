"""An independent implementation: PennyLane's default.qubit on the same random circuits (same bit order as ours).

Needs PennyLane, which `make test-slow` installs; skipped without it.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qloom as ql
from qloom.circuits.gates import GATES
from qloom.gradients import gradient
from tests.circuits.strategies import circuits, random_values

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    qml = pytest.importorskip("pennylane", reason="PennyLane is not installed")
    from pennylane import numpy as autograd_numpy

pytestmark = pytest.mark.slow  # make test-slow installs PennyLane

PLAIN = {
    "id": "Identity", "x": "PauliX", "y": "PauliY", "z": "PauliZ", "h": "Hadamard", "s": "S", "t": "T", "sx": "SX",
    "rx": "RX", "ry": "RY", "rz": "RZ", "p": "PhaseShift", "u": "U3", "rot": "Rot", "cx": "CNOT", "cy": "CY",
    "cz": "CZ",
    "ch": "CH", "swap": "SWAP", "iswap": "ISWAP", "ecr": "ECR", "ccx": "Toffoli", "cswap": "CSWAP", "crx": "CRX",
    "cry": "CRY", "crz": "CRZ", "cp": "ControlledPhaseShift", "rxx": "IsingXX", "ryy": "IsingYY", "rzz": "IsingZZ",
    "xy": "IsingXY", "givens": "SingleExcitation", "u2": "U2", "ccz": "CCZ",
}  # fmt: skip
MADE = {
    "sdg": lambda a, q: qml.adjoint(qml.S(q[0])),
    "tdg": lambda a, q: qml.adjoint(qml.T(q[0])),
    "sxdg": lambda a, q: qml.adjoint(qml.SX(q[0])),
    "cs": lambda a, q: qml.ctrl(qml.S(q[1]), q[0]),
    "rzx": lambda a, q: qml.PauliRot(a[0], "ZX", q),
    "cu": lambda a, q: (qml.PhaseShift(a[3], q[0]), qml.ctrl(qml.U3(*a[:3], q[1]), q[0])),
    "global_phase": lambda a, q: qml.GlobalPhase(-a[0]),
    "r": lambda a, q: (qml.RZ(-a[1], q[0]), qml.RX(a[0], q[0]), qml.RZ(a[1], q[0])),
    "csdg": lambda a, q: qml.ctrl(qml.adjoint(qml.S(q[1])), q[0]),
    "csx": lambda a, q: qml.ctrl(qml.SX(q[1]), q[0]),
    "c3sx": lambda a, q: qml.ctrl(qml.SX(q[3]), q[:3]),
    "dcx": lambda a, q: (qml.CNOT(q), qml.CNOT(q[::-1])),
    "dcxdg": lambda a, q: (qml.CNOT(q[::-1]), qml.CNOT(q)),
    # Qiskit's, as its circuit library documents them.
    "rccx": lambda a, q: (
        qml.Hadamard(q[2]), qml.T(q[2]), qml.CNOT(q[1:]), qml.adjoint(qml.T(q[2])), qml.CNOT([q[0], q[2]]),
        qml.T(q[2]), qml.CNOT(q[1:]), qml.adjoint(qml.T(q[2])), qml.Hadamard(q[2]),
    ),
    "xx_plus_yy": lambda a, q: (qml.RZ(a[1], q[0]), qml.IsingXY(-a[0], q), qml.RZ(-a[1], q[0])),
    "xx_minus_yy": lambda a, q: (
        qml.RZ(-a[1], q[1]), qml.IsingXX(a[0] / 2, q), qml.IsingYY(-a[0] / 2, q), qml.RZ(a[1], q[1])
    ),
}  # fmt: skip


def apply(op, inputs, weights) -> None:
    """Queue our operation as PennyLane's."""
    values = [angle_value(angle, inputs, weights) for angle in op.angles]
    qubits = list(op.qubits)
    if op.gate.name in PLAIN:
        getattr(qml, PLAIN[op.gate.name])(*values, wires=qubits)
    elif op.gate.name in MADE:
        MADE[op.gate.name](values, qubits)
    elif op.gate.name == "pauli_rotation":
        qml.PauliRot(values[0], op.gate.data, wires=qubits)
    elif op.gate.name == "controlled":
        inner = type(op)(op.gate.data, op.qubits[1:], op.angles)
        qml.ctrl(lambda: apply(inner, inputs, weights), control=qubits[0])()
    else:
        qml.QubitUnitary(op.gate.matrix(*values), wires=qubits)


def angle_value(angle, inputs, weights):
    if angle.is_number:
        return angle.offset
    slots = inputs if angle.source == "input" else weights
    return angle.scale * slots[angle.index] + angle.offset


def test_every_gate_has_a_counterpart():
    assert set(PLAIN) | set(MADE) == {name for name, gate in GATES.items() if gate.is_unitary}


@pytest.mark.filterwarnings("ignore")  # of autograd inside PennyLane
@settings(max_examples=60)
@given(circuits(max_qubits=4, max_gates=10), st.integers(0, 2**32 - 1))
def test_states_values_and_gradients(circuit, seed):
    n = circuit.n_qubits
    inputs, weights = random_values(circuit, 1, seed)
    letters = "".join(np.random.default_rng(seed).choice(list("XYZ"), n))
    device = qml.device("default.qubit", wires=n)

    @qml.qnode(device)
    def state():
        for op in circuit.operations:
            apply(op, inputs[0], weights)
        return qml.state()

    @qml.qnode(device, diff_method="backprop")
    def value(x, w):
        for op in circuit.operations:
            apply(op, x, w)
        return qml.expval(qml.pauli.string_to_pauli_word(letters))

    theirs = state()
    np.testing.assert_allclose(ql.state(circuit, inputs, weights)[0], theirs, atol=1e-10)
    observable = ql.pauli(letters, range(n))
    x = autograd_numpy.array(inputs[0], requires_grad=True)
    w = autograd_numpy.array(weights, requires_grad=True)
    np.testing.assert_allclose(ql.expectation(circuit, observable, inputs, weights)[0, 0], value(x, w), atol=1e-10)
    if circuit.n_inputs and circuit.n_weights:
        d_inputs, d_weights = gradient(circuit, observable, inputs, weights)
        their_x, their_w = qml.grad(value)(x, w)
        np.testing.assert_allclose(d_inputs[0], their_x, atol=1e-10)
        np.testing.assert_allclose(d_weights, their_w, atol=1e-10)
