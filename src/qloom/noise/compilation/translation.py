"""Circuits in the gates that a device has, on qubits that it joins.

One-qubit gates between others are multiplied and written as RZ, SX, RZ, SX, RZ, or fewer where fewer do: RZ is a change
of frame. Rotations by slots stay: one about X is one about Z between two gates H. Gates on two qubits are products of
rotations about Pauli words; one about two letters by pi / 2 is one CZ, any other an RZ between two CX. A CZ is what the
device has on the pair: cz, cx or ecr in either direction. Gates on more qubits are narrowed before (`narrowing.py`),
pairs that are not joined are brought together by `routing.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import pi

import numpy as np

from qloom.circuits import matrices as m
from qloom.circuits.circuit import Circuit
from qloom.circuits.gates import GATES
from qloom.circuits.operations import Operation
from qloom.circuits.parameters import Angle, as_angle
from qloom.errors import CircuitError
from qloom.noise.compilation.device_gates import DeviceGates
from qloom.noise.compilation.narrowing import narrowed
from qloom.noise.model import NoiseModel

SMALL = 1e-9
# V with V P V^dagger = Z, of each letter P.
TO_Z = {"X": m.H, "Y": m.rx(pi / 2), "Z": m.I2}


def translated(model: NoiseModel, circuit: Circuit) -> Circuit:
    """See `NoiseModel.translated`."""
    if circuit.initial is not None:
        raise CircuitError("circuit starts from given amplitudes, expected gates; prepare them by gates")
    writer = _Writer(model, circuit)
    for op in narrowed(circuit):
        writer.add(op)
    writer.flush(range(circuit.n_qubits))
    return writer.out


class _Writer:
    """Writes a circuit, one-qubit gates held back until something else needs their qubit."""

    def __init__(self, model: NoiseModel, circuit: Circuit):
        self.out = circuit.copy()
        self.out.operations = []
        self._gates = DeviceGates(model, circuit.n_qubits)
        self._held = [np.eye(2, dtype=complex) for _ in range(circuit.n_qubits)]
        names = {entry.gates for entry in model.entries}
        if "sx" not in names and "one_qubit" not in names:
            raise CircuitError(f"{model.name or 'the model'} has {', '.join(sorted(names))}, expected sx or one_qubit")
        self._has_sx = "sx" in names

    def add(self, op: Operation) -> None:
        """One gate, or what stands for it."""
        gate = op.gate
        if not gate.is_unitary or self._gates.has(gate.name, op.qubits):
            self.flush(op.qubits)
            self.out.append(gate, op.angles, op.qubits)
        elif len(op.qubits) == 1 and all(angle.is_number for angle in op.angles):
            self._hold(op.qubits[0], gate.matrix(*(angle.offset for angle in op.angles)))
        else:
            for letters, angle in gate.expansion(*op.angles).rotations:
                kept = [k for k, letter in enumerate(letters) if letter != "I"]
                self._rotation([letters[k] for k in kept], as_angle(angle), [op.qubits[k] for k in kept])

    def _hold(self, qubit: int, matrix: np.ndarray) -> None:
        self._held[qubit] = matrix @ self._held[qubit]

    # -- one qubit

    def flush(self, qubits: Sequence[int]) -> None:
        """Write what is held back on some qubits."""
        for q in qubits:
            self._write(q, self._held[q])
            self._held[q] = np.eye(2, dtype=complex)

    def _write(self, qubit: int, matrix: np.ndarray) -> None:
        theta, phi, lam = euler_angles(matrix)
        if abs(theta) < SMALL:
            self._turn(qubit, phi + lam)
        elif not self._has_sx:
            self.out.u(theta, phi, lam, qubit)
        elif abs(theta - pi / 2) < SMALL:
            self._turn(qubit, lam - pi / 2)
            self.out.sx(qubit)
            self._turn(qubit, phi + pi / 2)
        else:
            self._turn(qubit, lam)
            self.out.sx(qubit)
            self._turn(qubit, theta + pi)
            self.out.sx(qubit)
            self._turn(qubit, phi + pi)

    def _turn(self, qubit: int, angle: float) -> None:
        if abs((angle + pi) % (2 * pi) - pi) > SMALL:
            self.out.rz(angle, qubit)

    # -- rotations about words

    def _rotation(self, letters: Sequence[str], angle: Angle, qubits: Sequence[int]) -> None:
        """exp(-i a P / 2) as V^dagger exp(-i a Z...Z / 2) V."""
        for letter, q in zip(letters, qubits, strict=True):
            self._hold(q, TO_Z[letter])
        self._diagonal(angle, qubits)
        for letter, q in zip(letters, qubits, strict=True):
            self._hold(q, TO_Z[letter].conj().T)

    def _diagonal(self, angle: Angle, qubits: Sequence[int]) -> None:
        quarters = angle.offset / (pi / 2) if angle.is_number else 0.5
        if not qubits:
            return
        if abs(quarters - round(quarters)) < SMALL:
            self._by_quarters(round(quarters) % 4, qubits)
        elif len(qubits) == 1:
            self.flush(qubits)
            self.out.rz(angle, qubits[0])
        else:
            self._cx(*qubits)
            self._diagonal(angle, qubits[1:])
            self._cx(*qubits)

    def _by_quarters(self, quarters: int, qubits: Sequence[int]) -> None:
        """Z or ZZ turned by so many times pi / 2, phases left out."""
        if len(qubits) == 1 or quarters in (0, 2):
            for q in qubits if quarters else ():
                self._hold(q, m.rz(pi) if quarters == 2 else m.rz(quarters * pi / 2))
            return
        # CZ is RZZ(-pi / 2) with RZ(pi / 2) on both; three quarters are one the other way.
        self._cz(*qubits)
        for q in qubits:
            self._hold(q, m.rz(pi / 2 if quarters == 1 else -pi / 2))

    def _cx(self, control: int, target: int) -> None:
        self._hold(target, m.H)
        self._cz(control, target)
        self._hold(target, m.H)

    def _cz(self, first: int, second: int) -> None:
        """A CZ by the gate that is there, phases left out."""
        name, (a, b) = self._gates.gate_on(first, second)
        around = {"cz": m.I2, "cx": m.H, "ecr": m.H}[name]
        self._hold(b, around)
        self.flush((a, b))
        self.out.append(GATES[name], (), (a, b))
        self._hold(b, around)
        if name == "ecr":  # X on the first after RZX(pi / 2), which is RZZ(pi / 2) between gates H
            self._hold(a, m.rz(-pi / 2) @ m.X)
            self._hold(b, m.rz(-pi / 2))


def euler_angles(matrix: np.ndarray) -> tuple[float, float, float]:
    """theta in 0 to pi, phi and lambda with RZ(phi) RY(theta) RZ(lambda) = U up to a phase."""
    u = matrix / np.sqrt(np.linalg.det(matrix))
    theta = 2 * float(np.arctan2(abs(u[1, 0]), abs(u[0, 0])))
    total = 2 * float(np.angle(u[1, 1])) if abs(u[1, 1]) > SMALL else 0.0
    difference = 2 * float(np.angle(u[1, 0])) if abs(u[1, 0]) > SMALL else 0.0
    return theta, (total + difference) / 2, (total - difference) / 2
