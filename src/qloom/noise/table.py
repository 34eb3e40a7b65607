"""A noise model as a table for people: what acts where, and what was cut or left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from qloom.circuits.operations import Operation
from qloom.circuits.parameters import Angle
from qloom.noise.model import NoiseModel
from qloom.noise.rules import CLASSES, Duration, Entry, OverRotation, Places, Readout, Rule

# A gate's places are a line each up to here, and one line with medians beyond; so are qubits in lists.
MOST_SHOWN = 6
RELAXATION = "thermal_relaxation"
RATE_NAMES = {
    "depolarizing": ("p",),
    "amplitude_damping": ("g",),
    "phase_damping": ("g",),
    "generalized_amplitude_damping": ("g", "excited"),
    "readout_error": ("1 for 0", "0 for 1"),
}
CLASS_TITLES = {name: f"{name.replace('_', '-')} gates" for name in CLASSES}
Row = tuple[str, str, str]
Column = list[tuple[Angle, ...]]


def table(model: NoiseModel) -> str:
    """The model, some lines of text; numbers of many places are medians, with the least and the largest."""
    where = "" if model.n_qubits is None else f", {model.n_qubits} qubits"
    where += f", times in {model.unit}" if model.unit else ""
    rows = [*_gate_rows(model.entries), *_time_rows(model), *_readout_rows(model.readouts), *_other_rows(model)]
    lines = [f"{model.name or 'noise model'}{where}", *_aligned(rows)]
    if model.labels and model.labels != tuple(map(str, range(len(model.labels)))):
        lines.append(f"qubits 0, 1, ... are {_listed(model.labels)} of the device")
    if model.notes:
        lines += ["cut or left out:", *_note_lines(model)]
    return "\n".join(lines)


def _aligned(rows: Sequence[Row]) -> list[str]:
    widths = [max((len(row[k]) for row in rows), default=0) for k in (0, 1)]
    return [f"  {row[0]:{widths[0]}s}  {row[1]:{widths[1]}s}  {row[2]}" for row in rows]


# -- gates


def _gate_rows(entries: Iterable[Entry]) -> Iterator[Row]:
    gates: dict[str, dict[Places | None, list[Entry]]] = {}
    for entry in entries:
        gates.setdefault(entry.gates, {}).setdefault(entry.qubits, []).append(entry)
    for name, places in gates.items():
        title = CLASS_TITLES.get(name, name)
        if len(places) <= MOST_SHOWN:
            yield from ((title, _where(qubits), _text([found])) for qubits, found in places.items())
        else:
            yield title, f"{len(places)} places", _text(list(places.values()))


def _text(places: Sequence[Sequence[Entry]]) -> str:
    """What acts at places of one gate: each kind of thing with its numbers, and at how many where not at all."""
    columns: dict[str, Column] = {}
    acting = [dict(item for entry in entries for item in _things(entry)) for entries in places]
    for found in sorted(acting, key=len, reverse=True):  # so that all come in the order in which they act
        relaxes = any(kind.startswith("relaxation") for kind in found)
        for kind, numbers in found.items():
            if not (relaxes and kind == "takes"):  # the same time again
                columns.setdefault(kind, []).append(numbers)
    parts = [
        kind + _numbers(kind, column) + (f" at {len(column)}" if len(column) < len(places) else "")
        for kind, column in columns.items()
    ]
    return ", then ".join(parts) or "no noise"


def _things(entry: Entry) -> Iterator[tuple[str, tuple[Angle, ...]]]:
    """What an entry does, by its kind, with the numbers that belong to it."""
    if isinstance(entry, OverRotation):
        yield "turns too far, by a fraction of", (entry.fraction,)
    elif isinstance(entry, Duration):
        yield "takes", (_number(entry.time),)
    else:
        for op in entry.operations:
            yield _kind(op, entry), op.angles[2:3] if op.gate.name == RELAXATION else op.angles


def _kind(op: Operation, rule: Rule) -> str:
    name = "relaxation over" if op.gate.name == RELAXATION else op.gate.name
    # Relaxation over one time on each of a gate's qubits is one thing.
    partial = len(op.qubits) < rule.width and op.gate.name != RELAXATION
    where = f" on its qubit {' '.join(map(str, op.qubits))}" if partial else ""
    return f"{name}{where}{' before it' if rule.precedes else ''}"


def _numbers(kind: str, column: Column) -> str:
    names = RATE_NAMES.get(kind.split(" ")[0], ())
    texts = []
    for k in range(len(column[0])):
        name = f" {names[k]}" if k < len(names) else ""
        texts.append(f"{name} {_figure([numbers[k] for numbers in column])}")
    return ",".join(texts)


def _figure(numbers: Sequence[Angle]) -> str:
    """A number or slot, or the median of several numbers with the least and the largest."""
    if not all(number.is_number for number in numbers):
        return repr(numbers[0]) + (" and others" if len(set(numbers)) > 1 else "")
    values = [number.offset for number in numbers]
    least, most = min(values), max(values)
    middle = f"{float(np.median(values)):.3g}"
    return middle if least == most else f"{middle} ({least:.3g} to {most:.3g})"


def _number(value: float) -> Angle:
    return Angle("number", 0, 0.0, value)


# -- times, readout, the rest


def _time_rows(model: NoiseModel) -> list[Row]:
    """T1 and T2, which are those of qubits, not of gates."""
    rules = [entry for entry in model.entries if isinstance(entry, Rule)]
    times: dict[int | None, tuple[Angle, ...]] = {}
    for rule in rules:
        for op in (op for op in rule.operations if op.gate.name == RELAXATION):
            times[None if rule.qubits is None else rule.qubits[op.qubits[0] if rule.width > 1 else 0]] = op.angles[:2]
    rows = _by_qubit("T1, T2", times)
    idle: dict[int | None, tuple[Angle, ...]] = {e.qubit: (_number(e.t1), _number(e.t2)) for e in model.relaxations}
    return rows + _by_qubit("T1, T2 while idle", idle)


def _by_qubit(title: str, numbers: dict[int | None, tuple[Angle, ...]]) -> list[Row]:
    if len(numbers) > MOST_SHOWN:
        return [(title, f"{len(numbers)} qubits", _numbers("", list(numbers.values())).strip())]
    ordered = sorted(numbers.items(), key=lambda item: -1 if item[0] is None else item[0])
    return [(title, "any" if q is None else str(q), _numbers("", [pair]).strip()) for q, pair in ordered]


def _readout_rows(readouts: Sequence[Readout]) -> list[Row]:
    single = [entry for entry in readouts if entry.operation.angles]
    joint = [entry for entry in readouts if not entry.operation.angles]
    if len(single) <= MOST_SHOWN:
        rows = [("readout", _where(entry.qubits), _readout_text([entry])) for entry in single]
    else:
        rows = [("readout", f"{len(single)} qubits", _readout_text(single))]
    return rows + [("readout", _where(entry.qubits), "confusion of all outcomes") for entry in joint]


def _readout_text(entries: Sequence[Readout]) -> str:
    return _numbers(entries[0].operation.gate.name, [entry.operation.angles for entry in entries]).strip()


def _other_rows(model: NoiseModel) -> Iterator[Row]:
    if model.crosstalk is not None:
        turn = f"rzz {model.crosstalk.angle!r} while one of them is in a gate"
        yield "crosstalk", f"{len(model.crosstalk.pairs)} pairs", turn
    if model.free:
        yield ", ".join(model.free), "any", "no noise"
    if model.is_strict:
        yield "other gates", "any", "refused"


def _where(qubits: Sequence[int] | None) -> str:
    return "any" if qubits is None else " ".join(map(str, qubits))


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words[:MOST_SHOWN]) + (f" and {len(words) - MOST_SHOWN} more" if len(words) > MOST_SHOWN else "")


def _note_lines(model: NoiseModel) -> list[str]:
    texts: dict[str, list[str]] = {}
    for note in model.notes:
        texts.setdefault(note.text, []).append(" ".join(map(str, note.qubits)))
    return [f"  {text}" + (f": {_listed(places)}" if any(places) else "") for text, places in texts.items()]
