"""A noise model as a table for people: what acts where, and what was cut or left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from qloom.circuits.operations import Operation
from qloom.noise.model import NoiseModel
from qloom.noise.rules import CLASSES, Duration, Entry, OverRotation, Readout, Rule

# Entries that differ in their numbers alone are one line each up to here, and one line with medians beyond.
MOST_LINES, MOST_NOTES = 6, 8
RATE_NAMES = {
    "depolarizing": ("p",),
    "thermal_relaxation": ("T1", "T2", "t", "excited"),
    "amplitude_damping": ("g",),
    "phase_damping": ("g",),
    "generalized_amplitude_damping": ("g", "excited"),
    "readout_error": ("1 for 0", "0 for 1"),
    "reset_error": ("0", "1"),
}
CLASS_TITLES = {name: f"{name.replace('_', '-')} gates" for name in CLASSES}


def table(model: NoiseModel) -> str:
    """The model, some lines of text."""
    where = "" if model.n_qubits is None else f", {model.n_qubits} qubits"
    rows = [*_gate_rows(model.entries), *_readout_rows(model.readouts), *_other_rows(model)]
    lines = [f"{model.name or 'noise model'}{where}", *_aligned(rows)]
    if model.labels and model.labels != tuple(map(str, range(len(model.labels)))):
        lines.append(f"qubits 0, 1, ... are {_listed(model.labels)} of the device")
    if model.notes:
        lines += ["cut or left out:", *_note_lines(model)]
    return "\n".join(lines)


def _aligned(rows: Sequence[tuple[str, str, str]]) -> list[str]:
    widths = [max((len(row[k]) for row in rows), default=0) for k in (0, 1)]
    return [f"  {row[0]:{widths[0]}s}  {row[1]:{widths[1]}s}  {row[2]}" for row in rows]


def _gate_rows(entries: Iterable[Entry]) -> list[tuple[str, str, str]]:
    groups: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        groups.setdefault((entry.gates, _kind(entry)), []).append(entry)
    rows = []
    for (gates, _), group in groups.items():
        title = CLASS_TITLES.get(gates, gates)
        if len(group) <= MOST_LINES:
            rows += [(title, _where(entry.qubits), _text([entry])) for entry in group]
        else:
            rows.append((title, f"{len(group)} places", _text(group)))
    return rows


def _kind(entry: Entry) -> str:
    """What entries that can stand in one line have in common."""
    if isinstance(entry, Rule):
        return f"{entry.precedes} {entry.width} " + " ".join(f"{op.gate.name}{op.qubits}" for op in entry.operations)
    return type(entry).__name__


def _text(group: Sequence[Entry]) -> str:
    first = group[0]
    if isinstance(first, OverRotation):
        return (
            f"turns by {_figure([e.fraction.offset for e in group if isinstance(e, OverRotation)])} of its angle more"
        )
    if isinstance(first, Duration):
        return f"takes {_figure([e.time for e in group if isinstance(e, Duration)])}"
    rules = [entry for entry in group if isinstance(entry, Rule)]
    parts = [_operation_text([rule.operations[k] for rule in rules], first) for k in range(len(first.operations))]
    before = "before it " if first.precedes else ""
    return before + (", then ".join(parts) or "nothing")


def _operation_text(ops: Sequence[Operation], rule: Rule) -> str:
    op = ops[0]
    where = f" on its qubit {', '.join(map(str, op.qubits))}" if 0 < len(op.qubits) < rule.width else ""
    return f"{op.gate.name}{_numbers(ops)}{where}"


def _numbers(ops: Sequence[Operation]) -> str:
    """The numbers of operations of one kind; excited populations of 0 are left out."""
    names = RATE_NAMES.get(ops[0].gate.name, ())
    texts = []
    for k, angle in enumerate(ops[0].angles):
        name = names[k] if k < len(names) else ""
        numbers = [op.angles[k] for op in ops]
        if name == "excited" and all(number.is_number and number.offset == 0 for number in numbers):
            continue
        slots = [number for number in numbers if not number.is_number]
        text = repr(angle) if slots else _figure([number.offset for number in numbers])
        texts.append(f" {name} {text}" if name else f" {text}")
    return ",".join(texts)


def _figure(numbers: Sequence[float]) -> str:
    """A number, or the median of several with the least and the largest."""
    least, most = min(numbers), max(numbers)
    middle = f"{float(np.median(numbers)):.3g}"
    return middle if least == most else f"{middle} ({least:.3g} to {most:.3g})"


def _readout_rows(readouts: Sequence[Readout]) -> list[tuple[str, str, str]]:
    single = [entry for entry in readouts if entry.operation.gate.n_qubits == 1 and entry.operation.angles]
    joint = [entry for entry in readouts if entry not in single]
    if len(single) <= MOST_LINES:
        rows = [("readout", _where(entry.qubits), _numbers([entry.operation]).strip()) for entry in single]
    else:
        rows = [("readout", f"{len(single)} qubits", _numbers([entry.operation for entry in single]).strip())]
    return rows + [("readout", _where(entry.qubits), "misread together") for entry in joint]


def _other_rows(model: NoiseModel) -> list[tuple[str, str, str]]:
    rows = []
    if model.relaxations:
        own = [entry for entry in model.relaxations if entry.qubit is not None]
        where = f"{len(own)} qubits" if own else "any"
        times = [_figure([getattr(entry, name) for entry in model.relaxations]) for name in ("t1", "t2")]
        rows.append(("idle", where, f"thermal_relaxation T1 {times[0]}, T2 {times[1]}"))
    if model.crosstalk is not None:
        rows.append(
            ("crosstalk", f"{len(model.crosstalk.pairs)} pairs", f"rzz {model.crosstalk.angle!r} beside a gate")
        )
    if model.free:
        rows.append((", ".join(model.free), "any", "no noise"))
    if model.is_strict:
        rows.append(("other gates", "any", "refused"))
    return rows


def _where(qubits: Sequence[int] | None) -> str:
    return "any" if qubits is None else " ".join(map(str, qubits))


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words[:MOST_LINES]) + (f" and {len(words) - MOST_LINES} more" if len(words) > MOST_LINES else "")


def _note_lines(model: NoiseModel) -> list[str]:
    texts: dict[str, list[str]] = {}
    for note in model.notes:
        texts.setdefault(note.text, []).append(" ".join(map(str, note.qubits)))
    return [
        f"  {text}" + (f": {_listed(places)}" if any(places) else "")
        for text, places in list(texts.items())[: MOST_NOTES * 4]
    ]
