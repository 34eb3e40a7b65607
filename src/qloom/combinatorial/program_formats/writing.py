"""Models as LP and MPS files that the field's solvers read alike, each number with all its digits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import inf

import numpy as np

from qloom.combinatorial.model import Model
from qloom.combinatorial.program_formats.lp import RESERVED

# MPS's letters of the comparisons, and a name of the objective that `plain` gives to no row.
LETTERS = {"<=": "L", "==": "E", ">=": "G"}
OBJECTIVE = "_objective"
# Some readers of LP files take a number in the objective for a variable's name.
CONSTANT = "v_constant"


def lp_text(model: Model) -> str:
    """An objective at most quadratic; a constant is a variable of one value."""
    names, rows = plain(model.labels), plain([constraint.name for constraint in model.constraints])
    constant = CONSTANT if CONSTANT not in names else f"{CONSTANT}_{len(names)}"
    kinds = kinds_of(model)
    lines = ["Maximize" if model.sense == "max" else "Minimize", *_objective(model, names, constant), "Subject To"]
    for row, c in zip(rows, model.constraints, strict=True):
        terms = [_term(value, names[k]) for k, value in zip(c.variables, c.coefficients.tolist(), strict=True)]
        lines += [f" {row}:", *_wrapped(terms or [f"0 {names[0]}"])]
        lines[-1] += f" {c.comparison.replace('==', '=')} {c.right!r}"
    lines += ["Bounds", *([f" {constant} = 1"] if model.constant else [])]
    for name, low, high, kind in zip(names, model.lower.tolist(), model.upper.tolist(), kinds, strict=True):
        if kind != "binary":
            free = (low, high) == (-inf, inf)
            lines.append(f" {name} free" if free else f" {_end(low)} <= {name} <= {_end(high)}")
    for title, kind in (("Generals", "integer"), ("Binaries", "binary")):
        chosen = [name for name, own in zip(names, kinds, strict=True) if own == kind]
        lines += [title, *(f" {name}" for name in chosen)] if chosen else []
    return "\n".join([*lines, "End"]) + "\n"


def mps_text(model: Model) -> str:
    """A linear model in free MPS."""
    names, rows = plain(model.labels), plain([constraint.name for constraint in model.constraints])
    columns = [[f"    {name} {OBJECTIVE} {value!r}"] for name, value in zip(names, _linear(model), strict=True)]
    for row, c in zip(rows, model.constraints, strict=True):
        for k, value in zip(c.variables.tolist(), c.coefficients.tolist(), strict=True):
            columns[k].append(f"    {names[k]} {row} {value!r}")
    kinds = kinds_of(model)
    lines = [
        "NAME",
        *(["OBJSENSE", "    MAX"] if model.sense == "max" else []),
        "ROWS",
        f" N {OBJECTIVE}",
        *(f" {LETTERS[c.comparison]} {row}" for row, c in zip(rows, model.constraints, strict=True)),
        "COLUMNS",
        *_marked(columns, [kind != "continuous" for kind in kinds]),
        "RHS",
        *([f"    RHS {OBJECTIVE} {-model.constant!r}"] if model.constant else []),
        *(f"    RHS {row} {c.right!r}" for row, c in zip(rows, model.constraints, strict=True)),
        "BOUNDS",
    ]
    for name, low, high in zip(names, model.lower.tolist(), model.upper.tolist(), strict=True):
        lines.append(f" MI BOUND {name}" if low == -inf else f" LO BOUND {name} {low!r}")
        lines.append(f" PL BOUND {name}" if high == inf else f" UP BOUND {name} {high!r}")
    return "\n".join([*lines, "ENDATA"]) + "\n"


def kinds_of(model: Model) -> list[str]:
    """Of the variables one by one."""
    out = [""] * model.n
    for variables in model.variables:
        for number in variables.numbers.ravel():
            out[number] = variables.kind
    return out


def plain(names: list[str]) -> list[str]:
    """Letters, digits and underscores, no words of the formats, each once: what all readers take."""
    out: dict[str, None] = {}
    for name in names:
        own = re.sub(r"[^A-Za-z0-9_]", "_", name)
        if not own[:1].isalpha() or own.lower() in RESERVED or own[:1] in "eE":
            own = f"v_{own}"
        while own in out:
            own = f"{own}_{len(out)}"
        out[own] = None
    return list(out)


def _linear(model: Model) -> list[float]:
    out = np.zeros(model.n)
    for indices, values in model.terms:
        if indices.shape[1] == 1:
            np.add.at(out, indices[:, 0], values)
    return out.tolist()


def _objective(model: Model, names: list[str], constant: str) -> Iterator[str]:
    linear = [_term(value, name) for value, name in zip(_linear(model), names, strict=True) if value]
    linear += [_term(model.constant, constant)] if model.constant else []
    squares = dict[tuple[int, int], float]()
    for indices, values in model.terms:
        if indices.shape[1] == 2:
            for (i, j), value in zip(np.sort(indices, axis=1).tolist(), values.tolist(), strict=True):
                squares[i, j] = squares.get((i, j), 0.0) + 2 * value
    yield " obj:"
    yield from _wrapped(linear or [f"0 {names[0]}"])
    if squares:
        yield " + ["
        yield from _wrapped(
            [
                _term(value, f"{names[i]} ^ 2" if i == j else f"{names[i]} * {names[j]}")
                for (i, j), value in squares.items()
            ]
        )
        yield " ] / 2"


def _term(value: float, name: str) -> str:
    return f"{'-' if value < 0 else '+'} {abs(value)!r} {name}"


def _wrapped(terms: list[str]) -> list[str]:
    """Lines of a few terms, as some readers take short ones only."""
    return [" " + " ".join(terms[k : k + 5]) for k in range(0, len(terms), 5)]


def _end(value: float) -> str:
    return "-inf" if value == -inf else "inf" if value == inf else repr(value)


def _marked(columns: list[list[str]], whole: list[bool]) -> Iterator[str]:
    """The lines of columns, markers around integers."""
    inside = False
    for number, (lines, own) in enumerate(zip(columns, whole, strict=True)):
        if own != inside:
            yield f"    M{number} 'MARKER' {chr(39)}{'INTORG' if own else 'INTEND'}{chr(39)}"
            inside = own
        yield from lines
    if inside:
        yield "    M 'MARKER' 'INTEND'"
