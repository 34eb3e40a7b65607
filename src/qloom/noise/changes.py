"""Models from models: both together, with rates times a factor, on other qubits."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from qloom.checks import as_tuple, is_integer, is_real
from qloom.circuits.circuit import Circuit
from qloom.circuits.gate import Scalar
from qloom.circuits.parameters import Angle
from qloom.errors import CircuitError
from qloom.noise.model import NoiseModel, Note
from qloom.noise.rules import Crosstalk, Duration, Entry, OverRotation, Readout, Relaxation, Rule
from qloom.noise.scaling import scaled, times

PARTS = ("readout", "idle", "crosstalk")
T = TypeVar("T", bound=Entry | Readout)


def joined(first: NoiseModel, second: NoiseModel) -> NoiseModel:
    """See `NoiseModel.__add__`; names, widths and labels are those of the model that has them, at best the first."""
    if first.crosstalk is not None and second.crosstalk is not None:
        raise CircuitError("both noise models have crosstalk, expected one of them; make it one list of pairs")
    if first.unit and second.unit and first.unit != second.unit:
        raise CircuitError(f"noise models with times in {first.unit} and {second.unit}, expected one unit")
    return NoiseModel(
        " + ".join(filter(None, (first.name, second.name))),
        first.entries + second.entries,
        first.readouts + second.readouts,
        first.relaxations + second.relaxations,
        first.crosstalk or second.crosstalk,
        tuple(dict.fromkeys(first.free + second.free)),
        first.is_strict or second.is_strict,
        first.n_qubits if first.n_qubits is not None else second.n_qubits,
        first.labels or second.labels,
        first.unit or second.unit,
        first.notes + second.notes,
    )


# -- rates times a factor


def scaled_model(model: NoiseModel, factor: Scalar, only: Collection[str] | str | None) -> NoiseModel:
    """See `NoiseModel.scaled`."""
    if not (isinstance(factor, Angle) or is_real(factor)):
        raise CircuitError(f"factor={factor!r}, expected a number or a slot of a circuit")
    chosen = _chosen(model, only)
    out = replace(model, entries=tuple(_scaled_entry(e, factor) if e.gates in chosen else e for e in model.entries))
    if "readout" in chosen:
        out = replace(out, readouts=tuple(_scaled_readout(entry, factor) for entry in model.readouts))
    if "idle" in chosen:
        out = replace(out, relaxations=tuple(_scaled_idle(entry, factor) for entry in model.relaxations))
    if "crosstalk" in chosen and model.crosstalk is not None:
        out = replace(out, crosstalk=Crosstalk(times(factor, model.crosstalk.angle), model.crosstalk.pairs))
    return out


def _chosen(model: NoiseModel, only: Collection[str] | str | None) -> set[str]:
    known = dict.fromkeys(entry.gates for entry in model.entries if not isinstance(entry, Duration))
    has = {"readout": model.readouts, "idle": model.relaxations, "crosstalk": model.crosstalk}
    names = [*known, *(part for part in PARTS if has[part])]
    chosen = set(names if only is None else [only] if isinstance(only, str) else only)
    if chosen - set(names):
        raise CircuitError(
            f"rates of {', '.join(sorted(chosen - set(names)))}, expected some of {', '.join(names) or 'none'}"
        )
    return chosen


def _scaled_entry(entry: Entry, factor: Scalar) -> Entry:
    if isinstance(entry, Rule):
        return replace(entry, operations=tuple(scaled(op, factor) for op in entry.operations))
    if isinstance(entry, OverRotation):
        return replace(entry, fraction=times(factor, entry.fraction))
    return entry


def _scaled_readout(entry: Readout, factor: Scalar) -> Readout:
    if entry.operation.angles:
        return replace(entry, operation=scaled(entry.operation, factor))
    if isinstance(factor, Angle):
        raise CircuitError("joint confusion has no slots, expected a number as factor; use readout errors of one qubit")
    # Off-diagonal probabilities are the rates; each column still sums to 1.
    confusion = entry.operation.gate.confusion
    assert confusion is not None
    matrix = np.array(confusion())
    size = len(matrix)
    wider = np.eye(size) + factor * (matrix - np.eye(size))
    width = size.bit_length() - 1
    return replace(entry, operation=Circuit(width).confusion(wider, tuple(range(width))).operations[0])


def _scaled_idle(entry: Relaxation, factor: Scalar) -> Relaxation:
    if isinstance(factor, Angle):
        raise CircuitError('noise of idle qubits takes no slots, expected a number as factor, or only= without "idle"')
    if factor < 0:
        raise CircuitError(f"idle times {factor:g}, expected a factor of at least 0")
    if factor == 0:
        return replace(entry, t1=np.inf, t2=np.inf)
    return replace(entry, t1=entry.t1 / factor, t2=entry.t2 / factor)


# -- other qubits


def on_qubits(model: NoiseModel, qubits: Sequence[int | str]) -> NoiseModel:
    """See `NoiseModel.on`."""
    chosen = tuple(_number(model, q) for q in as_tuple("model.on", qubits))
    if not chosen or len(set(chosen)) != len(chosen):
        raise CircuitError(f"model.on got qubits {tuple(qubits)}, expected different ones, at least one")
    place = {q: k for k, q in enumerate(chosen)}
    labels = tuple(model.labels[q] if model.labels else str(q) for q in chosen)
    pairs = _pairs(model.crosstalk, place)
    return replace(
        model,
        entries=_moved(model.entries, place),
        readouts=_moved(model.readouts, place),
        relaxations=tuple(
            entry if entry.qubit is None else replace(entry, qubit=place[entry.qubit])
            for entry in model.relaxations
            if entry.qubit is None or entry.qubit in place
        ),
        crosstalk=None if model.crosstalk is None else replace(model.crosstalk, pairs=pairs),
        n_qubits=len(chosen),
        labels=labels,
        notes=tuple(
            Note(tuple(place[q] for q in note.qubits), note.text)
            for note in model.notes
            if set(note.qubits) <= set(place)
        ),
    )


def _number(model: NoiseModel, qubit: int | str) -> int:
    if isinstance(qubit, str) and model.labels and qubit in model.labels:
        return model.labels.index(qubit)
    most = model.n_qubits
    if not is_integer(qubit) or int(qubit) < 0 or (most is not None and int(qubit) >= most):
        known = f"0 to {most - 1}" if most is not None else "integers of at least 0"
        names = f" or names such as {model.labels[0]!r}" if model.labels else ""
        raise CircuitError(f"qubit {qubit!r} is none of {model.name or 'the model'}, expected {known}{names}")
    return int(qubit)


def _moved(entries: tuple[T, ...], place: dict[int, int]) -> tuple[T, ...]:
    """Those on chosen qubits, moved, and those for any."""
    kept: list[T] = []
    for entry in entries:
        if entry.qubits is None:
            kept.append(entry)
        elif set(entry.qubits) <= set(place):
            kept.append(replace(entry, qubits=tuple(place[q] for q in entry.qubits)))
    return tuple(kept)


def _pairs(crosstalk: Crosstalk | None, place: dict[int, int]) -> tuple[tuple[int, int], ...]:
    if crosstalk is None:
        return ()
    moved = [(place[a], place[b]) for a, b in crosstalk.pairs if a in place and b in place]
    return tuple(sorted((min(pair), max(pair)) for pair in moved))
