"""Unitary folding: more noise from the same circuit, U -> U (U^dagger U)^k, and parts of it in between.

The scale is how many gates there are for each one of the circuit. Not every scale is reached: a circuit of d gates has
scales 1, 1 + 2/d, 1 + 4/d, ..., and what was reached is returned beside the circuit.

Source: Giurgica-Tiron et al. 2020, IEEE QCE, 306.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np

from qloom.checks import is_real
from qloom.circuits.circuit import Circuit
from qloom.circuits.gates import GATES
from qloom.circuits.operations import Operation
from qloom.circuits.parameters import as_angle
from qloom.engines.readout import without_readout
from qloom.errors import CircuitError, UnsupportedError

Way = Literal["folding", "local_folding"]


def fold(circuit: Circuit, scale: float, by: Way = "folding") -> tuple[Circuit, float]:
    """A circuit that does the same with more gates, and the scale that it reaches, the nearest that there is.

    Args:
        circuit: of unitary gates.
        scale: at least 1.
        by: "folding" runs the whole circuit back and forth, and of its end a part once more; "local_folding" every
            gate by itself, and some, evenly spread, once more.

    Raises:
        UnsupportedError: for a circuit with channels, measurements or resets, or without gates.
        CircuitError: for a scale below 1, or another `by`.

    Source: Giurgica-Tiron et al. 2020, IEEE QCE, 306.
    """
    if not is_real(scale) or not 1 <= scale < np.inf:
        raise CircuitError(f"scale={scale!r} of folding, expected a number of at least 1")
    if by not in ("folding", "local_folding"):
        raise CircuitError(f'by={by!r}, expected "folding" or "local_folding"')
    circuit, readout = without_readout(circuit)
    _check_unitary(circuit)
    gates = [op for op in circuit.operations if op.qubits]
    if not gates:
        raise UnsupportedError("a circuit without gates has nothing to fold, expected gates; mitigate its readout")
    pairs = round((scale - 1) * len(gates) / 2)
    whole, more = divmod(pairs, len(gates))
    folded = circuit.copy()
    if by == "folding":
        folded.operations = list(circuit.operations)
        for _ in range(whole):
            folded.operations += undone(circuit, circuit.operations)
            folded.operations += circuit.operations
        last = gates[len(gates) - more :]
        folded.operations += [*undone(circuit, last), *last]
    else:
        times = whole + _spread(more, len(gates))
        folded.operations = list(_folded_each(circuit, times))
    folded.operations += readout
    return folded, 1 + 2 * pairs / len(gates)


def _folded_each(circuit: Circuit, times: np.ndarray) -> Iterable[Operation]:
    """Every gate of at least a qubit with so many of its own folds behind it."""
    remaining = iter(times)
    for op in circuit.operations:
        yield op
        for _ in range(next(remaining) if op.qubits else 0):
            yield from undone(circuit, [op])
            yield op


def _spread(count: int, places: int) -> np.ndarray:
    """Ones at `count` of so many places, evenly, (places,)."""
    edges = np.arange(places + 1) * count // places
    return np.diff(edges)


def undone(circuit: Circuit, operations: Sequence[Operation]) -> list[Operation]:
    """The inverses of some of a circuit's operations in reverse order, in the gates of the circuit where there is a
    choice: beside RZ the inverse of SX is an SX between two half turns, as machines have no other."""
    native = {"sx", "rz"} <= {op.gate.name for op in circuit.operations}
    out: list[Operation] = []
    for op in reversed(operations):
        if native and op.gate is GATES["sx"]:
            half, back = (Operation(GATES["rz"], op.qubits, (as_angle(a),)) for a in (np.pi, -np.pi))
            out += [half, op, back]
            continue
        gate, angles = op.gate.inverted(op.angles)
        out.append(Operation(gate, op.qubits, tuple(map(as_angle, angles))))
    return out


def _check_unitary(circuit: Circuit) -> None:
    for op in circuit.operations:
        if not op.gate.is_unitary:
            raise UnsupportedError(
                f"{op.gate.name}, a {op.gate.kind}, cannot be folded, expected unitary gates; give the noise as a "
                'model to Noisy(engine, model), or scale it by="rates"'
            )
