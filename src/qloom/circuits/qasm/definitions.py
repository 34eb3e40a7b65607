"""Gates by the names that OpenQASM files call them, and what modifiers make of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import reduce
from math import isfinite
from typing import Any

import numpy as np
from scipy.linalg import schur

from qloom.circuits.gate import Gate
from qloom.circuits.gates import GATES, controlled_gate
from qloom.circuits.parameters import Angle, as_angle
from qloom.circuits.qasm.program import MOST_STEPS
from qloom.circuits.qasm.values import Unsupported
from qloom.circuits.synthesis import unitary_gate

# Of the paper on version 2, arXiv 1707.03429, and of the specification of version 3: these files define them.
QELIB1 = frozenset({
    "u3", "u2", "u1", "cx", "id", "x", "y", "z", "h", "s", "sdg", "t", "tdg", "rx", "ry", "rz", "cz", "cy",
    "ch", "ccx", "crz", "cu1", "cu3",
})  # fmt: skip
STDGATES = frozenset({
    "p", "x", "y", "z", "h", "s", "sdg", "t", "tdg", "sx", "rx", "ry", "rz", "cx", "cy", "cz", "cp", "crx",
    "cry", "crz", "ch", "swap", "ccx", "cswap", "cu", "CX", "phase", "cphase", "id", "u1", "u2", "u3",
})  # fmt: skip
_OTHER_NAMES = {
    "U": "u", "CX": "cx", "u1": "p", "u3": "u", "phase": "p", "cphase": "cp", "cu1": "cp", "toffoli": "ccx",
    "gphase": "global_phase", "cnot": "cx", "phaseshift": "p", "cphaseshift": "cp", "si": "sdg", "ti": "tdg", "v": "sx",
    "vi": "sxdg", "i": "id", "ccnot": "ccx", "cv": "csx", "xx": "rxx", "yy": "ryy", "zz": "rzz",
}  # fmt: skip
# A number of any size stands for nothing here: u0 waits.
_WAITS = "u0"
# Qubits of a gate that is taken to a power that is no whole number, and whole powers.
_MOST_QUBITS, _MOST_POWER = 6, 1 << 12


def _controlled(name: str, times: int = 1) -> Gate:
    gate = GATES[name]
    for _ in range(times):
        gate = controlled_gate(gate)
    return gate


_MADE = {
    "cu3": lambda: _controlled("u"), "c3x": lambda: _controlled("x", 3), "c4x": lambda: _controlled("x", 4),
    "mcx": lambda: _controlled("x", 3), "c3sqrtx": lambda: _controlled("sx", 3), "cs": lambda: _controlled("s"),
}  # fmt: skip


def known_gate(name: str) -> Gate | None:
    """The gate of a name; None if there is none."""
    if name in _MADE and name not in GATES:
        return _MADE[name]()
    found = GATES.get(_OTHER_NAMES.get(name, name))
    return found if found is not None and found.is_unitary else None


def nearest(name: str, defined: Iterable[str]) -> str:
    """A sentence's end that names a known gate that is spelt alike."""
    names = [*defined, *GATES, *_OTHER_NAMES, *_MADE]
    found = get_close_matches(name, names, 1) or get_close_matches(name.lower(), names, 1)
    return f", did you mean {found[0]}?" if found else ", expected one defined before, or in the included file"


@dataclass(frozen=True, slots=True)
class Step:
    """A gate on qubits of a definition."""

    gate: Gate
    angles: tuple[Angle, ...]
    qubits: tuple[int, ...]


def waits(name: str) -> bool:
    return name == _WAITS


def inverted(steps: Sequence[Step]) -> list[Step]:
    out = []
    for step in reversed(steps):
        gate, angles = step.gate.inverted(step.angles)
        out.append(Step(gate, tuple(map(as_angle, angles)), step.qubits))
    return out


def controlled(steps: Sequence[Step], on_zero: bool = False) -> list[Step]:
    """By a qubit more, the first; phases of the whole state turn it."""
    flip = [Step(GATES["x"], (), (0,))] if on_zero else []
    moved = [_controlled_step(step) for step in steps]
    return [*flip, *moved, *flip]


def _controlled_step(step: Step) -> Step:
    qubits = (0, *(q + 1 for q in step.qubits))
    if step.gate.name == "global_phase":
        return Step(GATES["p"], step.angles, qubits)
    return Step(controlled_gate(step.gate), step.angles, qubits)


def powered(steps: Sequence[Step], power: Any, n_qubits: int) -> list[Step]:
    """Whole powers by repeating; others by the principal power of the matrix."""
    if isinstance(power, bool) or not isinstance(power, int | float) or not _is_finite(power):
        raise Unsupported("pow(...) of what is no finite number")
    if n_qubits == 0:
        return [Step(step.gate, tuple(angle * float(power) for angle in step.angles), ()) for step in steps]
    if float(power) == int(power):
        times = int(power)
        if abs(times) > _MOST_POWER or abs(times) * len(steps) > MOST_STEPS:
            raise Unsupported(f"pow({times}) of {len(steps)} gates, expected at most {_MOST_POWER}, and fewer gates")
        return list(steps if times >= 0 else inverted(steps)) * abs(times)
    if n_qubits > _MOST_QUBITS or any(not angle.is_number for step in steps for angle in step.angles):
        raise Unsupported(
            f"pow({power}) of a gate on {n_qubits} qubits or with input parameters, expected a whole number, or "
            f"numbers on at most {_MOST_QUBITS}"
        )
    triangle, vectors = schur(matrix_of(steps, n_qubits), output="complex")  # of a unitary matrix it is diagonal
    phases = np.angle(np.diag(triangle))
    phases[np.abs(phases + np.pi) < 1e-12] = np.pi
    root = vectors * np.exp(1j * float(power) * phases) @ vectors.conj().T
    return [Step(unitary_gate(root), (), tuple(range(n_qubits)))]


def _is_finite(number: float) -> bool:
    try:
        return isfinite(number)
    except OverflowError:
        return False


def matrix_of(steps: Sequence[Step], n_qubits: int) -> np.ndarray:
    """Of steps with numbers for angles, the first qubit the most significant."""
    return reduce(lambda out, step: _applied(step, out, n_qubits), steps, np.eye(2**n_qubits, dtype=complex))


def _applied(step: Step, to: np.ndarray, n: int) -> np.ndarray:
    k = len(step.qubits)
    matrix = np.asarray(step.gate.matrix(*(angle.offset for angle in step.angles))).reshape([2] * (2 * k))
    cube = to.reshape([2] * n + [-1])
    moved = np.tensordot(matrix, cube, axes=(range(k, 2 * k), step.qubits))
    return np.moveaxis(moved, range(k), step.qubits).reshape(to.shape)
