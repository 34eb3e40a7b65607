"""Models in LP and MPS files: LP by dimod, MPS by OR-Tools."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from qloom.combinatorial.exchange import declare, model_from_dimod, model_to_dimod
from qloom.combinatorial.extras import package
from qloom.combinatorial.model import Comparison, Model
from qloom.combinatorial.problems.text import FormatError, text_of
from qloom.errors import ProblemError
from qloom.files import replace_file

SUFFIXES = (".lp", ".mps")
# MPS's letters of the comparisons, and a name of the objective that `_plain` gives to no row.
LETTERS = {"<=": "L", "==": "E", ">=": "G"}
OBJECTIVE = "_objective"


def read_program(path: str | Path) -> Model:
    """A program of binary and integer variables in an LP file, its objective at most quadratic, or a linear one in MPS.

    Raises:
        ProblemError: for a file that cannot be read, or a variable that is continuous or without bounds.
    """
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise FormatError(f"{path} cannot be read, expected a file that ends in {' or '.join(SUFFIXES)}")
    model = _read_lp(path) if path.suffix.lower() == ".lp" else _read_mps(path)
    if not model.n:
        raise ProblemError(f"{path} holds no variables, expected the {path.suffix[1:].upper()} format")
    return model


def write_program(model: Model, path: str | Path) -> Path:
    """The model as an LP file, or a linear one as MPS, whole or not at all; names become what the formats take.

    Raises:
        ProblemError: for another ending, a folder that is not there, spins, products of more than two, in MPS of two.
    """
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES or not path.parent.is_dir():
        raise ProblemError(f"{path}, expected a name that ends in {' or '.join(SUFFIXES)} in a folder that is there")
    most = 2 if path.suffix.lower() == ".lp" else 1
    if model.is_spin.any() or any(indices.shape[1] > most for indices, _ in model.terms):
        raise ProblemError(f"spins or products of more than {most}, which {path.suffix[1:].upper()} files do not have")
    if path.suffix.lower() == ".lp":
        theirs = model_to_dimod(model, *(_plain(names) for names in _names(model)))
        return replace_file(path, package("dimod.lp", "write_program").dumps(theirs))
    return replace_file(path, _mps(model))


def _read_lp(path: Path) -> Model:
    text = text_of(path)
    try:
        theirs = package("dimod.lp", "read_program").loads(text)
    except ValueError as error:
        raise ProblemError(
            f"{path} is damaged, expected the LP format; dimod, which names no line, says: {error}"
        ) from None
    # dimod turns what is to be large round; a line that begins with a backslash is a comment.
    is_max = re.match(r"(\s*\\.*\n)*\s*max", text, re.IGNORECASE)
    return model_from_dimod(theirs, "max" if is_max else "min")


def _read_mps(path: Path) -> Model:
    program, text = package("ortools.linear_solver.python.model_builder", "read_program").Model(), text_of(path)
    if not re.search(r"^ENDATA", text, re.MULTILINE):
        raise ProblemError(
            f"{path}, line {len(text.splitlines())}: the file ends, expected a line ENDATA, as MPS has it"
        )
    if not program.import_from_mps_string(text):
        raise ProblemError(f"{path} is damaged, expected the MPS format; OR-Tools names no line")
    rows = program.helper
    declared = re.findall(r"^ROWS.*?^COLUMNS", text, re.MULTILINE | re.DOTALL)
    if program.num_constraints > len(re.findall(r"^[ \t]*[LGE][ \t]", "".join(declared), re.MULTILINE | re.IGNORECASE)):
        last = rows.constraint_name(program.num_constraints - 1)
        raise ProblemError(f"{path} has numbers of a row {last!r}, expected one of its section ROWS")
    model = Model("max" if rows.maximize() else "min")
    model.add(program.objective_offset)
    for variable in program.get_variables():
        kind = "INTEGER" if variable.is_integral else "REAL"
        number = declare(model, variable.name, kind, variable.lower_bound, variable.upper_bound)
        model.add(variable.objective_coefficient, number)
    for k in range(program.num_constraints):
        columns, values = rows.constraint_var_indices(k), rows.constraint_coefficients(k)
        limits = rows.constraint_lower_bound(k), rows.constraint_upper_bound(k)
        _add_row(model, rows.constraint_name(k) or f"row{k}", columns, values, *limits)
    return model


def _add_row(model: Model, name: str, columns: Any, values: Any, low: float, high: float) -> None:
    """A row with two limits becomes two constraints."""
    if low == high:
        model.constrain(name, columns, values, "==", low)
        return
    comparisons: list[tuple[Comparison, float]] = [(">=", low), ("<=", high)]
    there = [(comparison, limit) for comparison, limit in comparisons if np.isfinite(limit)]
    for comparison, limit in there:
        model.constrain(name if len(there) == 1 else f"{name} {comparison}", columns, values, comparison, limit)


def _mps(model: Model) -> str:
    """A linear model in free MPS, each number with all its digits, of which OR-Tools' own export keeps six."""
    names, rows = (_plain(some) for some in _names(model))
    objective = np.zeros(model.n)
    for indices, values in model.terms:
        np.add.at(objective, indices[:, 0], values)
    columns = [[f"    {name} {OBJECTIVE} {value!r}"] for name, value in zip(names, objective.tolist(), strict=True)]
    for row, constraint in zip(rows, model.constraints, strict=True):
        for k, value in zip(constraint.variables.tolist(), constraint.coefficients.tolist(), strict=True):
            columns[k].append(f"    {names[k]} {row} {value!r}")
    bounds = zip(names, model.lower.tolist(), model.upper.tolist(), strict=True)
    lines = [
        "NAME",
        *(["OBJSENSE", "    MAX"] if model.sense == "max" else []),
        "ROWS",
        f" N {OBJECTIVE}",
        *(f" {LETTERS[c.comparison]} {row}" for row, c in zip(rows, model.constraints, strict=True)),
        "COLUMNS",
        "    INTEGERS 'MARKER' 'INTORG'",
        *(line for column in columns for line in column),
        "    INTEGERS 'MARKER' 'INTEND'",
        "RHS",
        f"    RHS {OBJECTIVE} {-model.constant!r}",
        *(f"    RHS {row} {c.right!r}" for row, c in zip(rows, model.constraints, strict=True)),
        "BOUNDS",
        *(
            f" {kind} BOUND {name} {end}"
            for name, *ends in bounds
            for kind, end in zip(("LO", "UP"), ends, strict=True)
        ),
        "ENDATA",
    ]
    return "\n".join(lines) + "\n"


def _names(model: Model) -> tuple[list[str], list[str]]:
    """Of variables and constraints."""
    return model.labels, [constraint.name for constraint in model.constraints]


def _plain(names: list[str]) -> list[str]:
    """Letters, digits and underscores, no reserved words, each once: what the files take."""
    out: list[str] = []
    for name in names:
        plain = re.sub(r"[^A-Za-z0-9_]", "_", name)
        if not plain[:1].isalpha() or plain.lower() in RESERVED or plain[:1] in "eE":
            plain = f"v_{plain}"
        out.append(plain if plain not in out else f"{plain}_{len(out)}")
    return out


# LP's words, lower case.
RESERVED = {
    "free", "inf", "infinity", "st", "subject", "such", "end", "bound", "bounds", "bin", "binary", "binaries", "int",
    "integer", "integers", "gen", "general", "generals", "semi", "semis", "sos", "sos1", "sos2", "min", "minimum",
    "minimize", "minimise", "max", "maximum", "maximize", "maximise",
}  # fmt: skip
