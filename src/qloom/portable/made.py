"""What every format gives: files, and what they predict for the rows that the export is checked on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from qloom.portable.lipschitz import lipschitz_constant, prediction_changes
from qloom.portable.original import Original, Rows
from qloom.portable.propagated import propagated
from qloom.portable.rounding import DOUBLE, ROUNDING, engine_rounding, rounding_bound
from qloom.portable.steps import AnyStep, CircuitStep, Step, run
from qloom.portable.trigonometric import exact_polynomial, n_coefficients

WHOLE, CLASSICAL = "whole", "classical"
PARTS = (WHOLE, CLASSICAL)


@dataclass(frozen=True)
class Options:
    """What may be asked of a format.

    Attributes:
        part: one of PARTS.
        cut: words of a propagated surrogate with coefficients up to it are dropped, 0 for none; None for an exact
            polynomial.
    """

    part: str = WHOLE
    cut: float | None = None


@dataclass(frozen=True)
class Made:
    """An export before it is written.

    Attributes:
        files: name -> content.
        predictions: by file, for the rows: (B, C) or (B,).
        bound: of the difference from the original's predictions, row by row, of the same shape.
        how: how the bound came about, in a sentence.
        runs_with: what it takes to run the files.
        details: for export.json.
        lines: what a reader has to know, a sentence each.
    """

    files: Mapping[str, bytes]
    predictions: Mapping[str, np.ndarray]
    bound: np.ndarray
    how: str
    runs_with: str
    details: Mapping[str, Any] = field(default_factory=dict)
    lines: Sequence[str] = ()


Format = Callable[[Original, Rows, Options], Made]

HOW_ROUNDED = (
    "rounding errors of the original and of the export, step by step, through the derivatives of the predictions at "
    "each row, to first order and doubled"
)
ORDINARY = "The model is this ordinary network; where it is small, nothing quantum is needed to serve it."


@dataclass(frozen=True)
class Ordinary:
    """A model without circuits.

    Attributes:
        steps: all, from features to predictions.
        middle: the step in the circuit's place; None where there was none.
        rounded: what the rounding of its coefficients can change of the circuit's values, (O,).
        dropped: what terms that were dropped can, (O,); None where none were.
        details: for export.json.
    """

    steps: Sequence[AnyStep]
    middle: Step | None = None
    rounded: np.ndarray = field(default_factory=lambda: np.zeros(0))
    dropped: np.ndarray | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


def ordinary(original: Original, cut: float | None) -> Ordinary:
    """The model as ordinary steps: in the circuit's place its trigonometric polynomial, or with a cut its words.

    Raises:
        UnsupportedError: for a circuit that is too large, with its size.
    """
    if original.place is None:
        return Ordinary([*original.steps, *original.readout])
    circuit = original.circuit
    rounded = engine_rounding(circuit, DOUBLE)
    if cut is None:
        step, rounded = exact_polynomial(circuit)
        count = n_coefficients(circuit.circuit, circuit.observables)
        details: dict[str, Any] = {"circuit_as": "exact trigonometric polynomial", "n_coefficients": count}
        return Ordinary(original.with_circuit(step), step, rounded, None, details)
    step, dropped = propagated(circuit, cut)
    n_terms, width = step.arrays["factors"].shape
    head = original.around()[1]
    details = {
        "circuit_as": "sum of words, cut" if cut else "sum of words", "cut": cut, "n_terms": n_terms,
        "most_factors": width, "dropped": dropped.tolist(),
        "lipschitz_constant_of_head": lipschitz_constant(head, len(dropped)),
    }  # fmt: skip
    return Ordinary(original.with_circuit(step), step, rounded, dropped, details)


def ordinary_bound(original: Original, made: Ordinary, x: np.ndarray, unit: float) -> tuple[np.ndarray, str]:
    """How far an ordinary network in arithmetic of a unit roundoff may be from the original, and how that is known."""
    step, head = made.middle, original.around()[1] if original.place is not None else []
    middle = None if step is None else lambda angles, y: made.rounded + ROUNDING[step.kind](step, angles, y, unit)
    bound = rounding_bound(original.steps, original.readout, x, original.unit, unit, middle)
    missing = original_bounds(original, x)
    if made.dropped is not None:
        missing = made.dropped[None] if missing is None else missing + made.dropped
    if missing is None or not missing.any():
        return bound, HOW_ROUNDED
    outputs = run(original.steps, x.astype(np.float64))
    bound = bound + prediction_changes(head, original.readout, outputs, missing)
    return bound, f"coefficients of all dropped words through the head by its Lipschitz constants; and {HOW_ROUNDED}"


def original_bounds(original: Original, x: np.ndarray) -> np.ndarray | None:
    """Of an original whose own engine drops words: what these can change of the circuit's values, (B, O)."""
    if original.place is None or original.circuit.engine.is_exact:
        return None
    circuit = original.circuit
    angles = run(original.around()[0], x.astype(np.float64))
    return bounds_of(circuit, angles)


def bounds_of(circuit: CircuitStep, angles: np.ndarray) -> np.ndarray:
    """The engine's own bounds of a circuit's values, (B, O)."""
    estimate = circuit.evaluator.estimate(circuit.batch(angles))
    assert estimate.bounds is not None
    return np.asarray(estimate.bounds)
