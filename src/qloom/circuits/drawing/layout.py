"""Where each operation of a circuit stands in a drawing and what it shows there; text and figure share it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

import numpy as np

from qloom.circuits.circuit import Amplitudes, Circuit, Operation
from qloom.circuits.conditions import Condition, bits_read, bits_written, without_conditions
from qloom.circuits.gate import Gate
from qloom.circuits.gates import GATES
from qloom.circuits.parameters import Angle

CONTROL, TARGET, EXCHANGE = "●", "⊕", "×"
_LABELS = {"id": "I", "sdg": "S†", "tdg": "T†", "sx": "√X", "sxdg": "√X†", "rot": "Rot", "iswap": "iSWAP",
           "givens": "Givens", "global_phase": "Phase", "unitary": "Unitary", "diagonal": "Diag",
           "measure": "M", "reset": "|0⟩", "bit_flip": "X?", "phase_flip": "Z?", "bit_phase_flip": "Y?",
           "depolarizing": "Depol", "pauli_channel": "Pauli", "amplitude_damping": "Decay",
           "generalized_amplitude_damping": "GDecay", "phase_damping": "Dephase", "thermal_relaxation": "Relax",
           "reset_error": "Reset?", "kraus": "Kraus", "readout_error": "Read?", "confusion": "Read?"}  # fmt: skip
_LONGEST_WORD_IN_NAME = 4
_MOST_ANGLES_SHOWN = 4

Kind = Literal["number", "input", "weight"]


@dataclass(frozen=True)
class Item:
    """One operation, or the initial state, as it is drawn.

    Args:
        column: where it stands, from the left.
        symbols: qubit -> ●, ⊕ or ×.
        roles: qubit of the box -> its Pauli letter or its place among the gate's qubits, empty if alone.
        name: what the box is called.
        angles: one text an angle.
        short: the angles as one short text.
        kind: "input" if an angle depends on the sample, "weight" if one is trainable, else "number".
    """

    column: int
    symbols: dict[int, str]
    roles: dict[int, str]
    name: str
    angles: tuple[str, ...] = ()
    short: str = ""
    kind: Kind = "number"

    @property
    def rows(self) -> range:
        """Every qubit the drawing covers, those that only pass through included."""
        qubits = [*self.symbols, *self.roles]
        return range(min(qubits), max(qubits) + 1)

    @property
    def label(self) -> str:
        """Name with angles, e.g. RY(x[0])."""
        return f"{self.name}({','.join(self.angles)})" if self.angles else self.name


def layout(circuit: Circuit) -> list[Item]:
    """The circuit's operations in order, each in the first column where all rows it covers are free."""
    items = [] if circuit.initial is None else [_initial_item(circuit.initial, circuit.n_qubits)]
    free, free_bits = [len(items)] * circuit.n_qubits, [0] * circuit.n_bits
    for op in circuit.operations:
        bits = (*bits_read(op.gate), *bits_written(op.gate))
        item = _operation_item(op, free, max((free_bits[bit] for bit in bits), default=0))
        for row in item.rows:
            free[row] = item.column + 1
        for bit in bits:
            free_bits[bit] = item.column + 1
        items.append(item)
    return items


def _operation_item(op: Operation, free: Sequence[int], least: int) -> Item:
    qubits = op.qubits or (0,)  # a global phase belongs to no line: it stands on the first
    column = max(least, *free[min(qubits) : max(qubits) + 1])
    gate, label = _under_conditions(op.gate)
    gate, n_controls = _without_controls(gate)
    controls, targets = qubits[:n_controls], qubits[n_controls:]
    symbols = dict.fromkeys(controls, CONTROL)
    symbol = None if label else {"x": TARGET, "z": CONTROL}.get(gate.name) if controls else None
    symbol = EXCHANGE if gate.name == "swap" and not label else symbol
    if symbol:
        return Item(column, symbols | dict.fromkeys(targets, symbol), {}, "")
    roles = dict(zip(targets, _roles(gate), strict=True))
    many = len(op.angles) > _MOST_ANGLES_SHOWN
    angles = (f"{len(op.angles)} rates",) if many else tuple(map(_angle_text, op.angles))
    return Item(
        column,
        symbols,
        roles,
        label + _box_name(gate),
        angles,
        angles[0] if many else _short(op.angles),
        _kind(op.angles),
    )


def _under_conditions(gate: Gate) -> tuple[Gate, str]:
    """The gate inside, and its conditions as text, such as "c1=1? "."""
    inner, conditions = without_conditions(gate)
    return inner, "".join(map(_condition_text, conditions))


def _condition_text(condition: Condition) -> str:
    values, negated = condition.values, condition.negated
    if len(condition.bits) == 1 and negated:
        values, negated = frozenset({0, 1}) - values, False
    bits = ",".join(map(str, condition.bits))
    return f"c{bits}{'≠' if negated else '='}{','.join(map(str, sorted(values)))}? "


def _without_controls(gate: Gate) -> tuple[Gate, int]:
    """The gate that is left when its controls, the first qubits, are taken off, and how many they were."""
    n_controls = 0
    while True:
        inner = gate.data if gate.name == "controlled" else GATES.get(gate.name[1:]) if gate.name[0] == "c" else None
        if inner is None or inner.n_qubits != gate.n_qubits - 1:
            return gate, n_controls
        gate, n_controls = inner, n_controls + 1


def _letters(gate: Gate) -> str | None:
    """The word a gate rotates about, or None."""
    letters = gate.data if gate.name == "pauli_rotation" else gate.name[1:].upper() if gate.name[0] == "r" else ""
    return letters if letters and set(letters) <= set("IXYZ") else None


def _roles(gate: Gate) -> Iterable[str]:
    if gate.n_qubits <= 1:
        return ("",)
    return _letters(gate) or map(str, range(gate.n_qubits))


def _box_name(gate: Gate) -> str:
    letters = _letters(gate)
    if letters:
        return f"R{letters}" if len(letters) <= _LONGEST_WORD_IN_NAME else "R"
    if gate.kind == "measurement" and gate.data is not None:
        return f"M→c{gate.data}"
    return _LABELS.get(gate.name, gate.name.upper())


def _initial_item(initial: Amplitudes, n_qubits: int) -> Item:
    columns = [(mark, first) for mark, first in (("", initial.real), ("i ", initial.imaginary)) if first is not None]
    angles = tuple(f"{mark}x[{first}…{first + 2**n_qubits - 1}]" for mark, first in columns) or ("given",)
    roles = dict.fromkeys(range(n_qubits), "")
    return Item(0, {}, roles, "ψ", angles, " + ".join(angles), "input" if columns else "number")


def _kind(angles: Iterable[Angle]) -> Kind:
    sources = {angle.source for angle in angles}
    return "input" if "input" in sources else "weight" if "weight" in sources else "number"


def _angle_text(angle: Angle) -> str:
    offset = _radians_text(angle.offset)
    if angle.is_number:
        return offset
    slot = f"{'x' if angle.source == 'input' else 'w'}[{angle.index}]"
    factor = "" if angle.scale == 1 else "-" if angle.scale == -1 else f"{_radians_text(angle.scale)}*"
    sign = "" if offset.startswith("-") else "+"
    return f"{factor}{slot}" + (f"{sign}{offset}" if angle.offset else "")


def _radians_text(value: float) -> str:
    """A number to four digits, or as a fraction of π where it is one."""
    quarters = round(value / (np.pi / 4))
    if value == 0 or quarters == 0 or abs(value - quarters * np.pi / 4) > 1e-9:
        return f"{value:.4g}"
    numerator, denominator = next((quarters * d // 4, d) for d in (1, 2, 4) if quarters * d % 4 == 0)
    factor = {1: "", -1: "-"}.get(numerator, str(numerator))
    return f"{factor}π" + (f"/{denominator}" if denominator > 1 else "")


def _short(angles: Sequence[Angle]) -> str:
    """The angles joined, a run of consecutive bare slots as w[3…5]."""
    first = angles[0] if angles else None
    run = first and [Angle(first.source, first.index + k) for k in range(len(angles))]
    if first and len(angles) > 1 and not first.is_number and list(angles) == run:
        return f"{_angle_text(first)[0]}[{first.index}…{angles[-1].index}]"
    return ", ".join(map(_angle_text, angles))


def by_column(items: Iterable[Item]) -> list[list[Item]]:
    """Items that stand in one column together, from left to right."""
    return [list(group) for _, group in groupby(sorted(items, key=lambda i: i.column), lambda i: i.column)]


def fold(widths: Sequence[float], room: float) -> list[tuple[int, int]]:
    """(first, end) of the runs of columns that fit into `room` one after the other; at least one run."""
    folds, first, used = [], 0, 0.0
    for k, width in enumerate(widths):
        if used + width > room and k > first:
            folds.append((first, k))
            first, used = k, 0.0
        used += width
    return [*folds, (first, len(widths))]
