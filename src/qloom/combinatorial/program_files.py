"""Models in LP and MPS files: LP by dimod, MPS by OR-Tools."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from qloom.combinatorial.exchange import declare, model_from_dimod, model_to_dimod
from qloom.combinatorial.extras import package
from qloom.combinatorial.model import Comparison, Model
from qloom.errors import ProblemError
from qloom.files import replace_file

SUFFIXES = (".lp", ".mps")


def read_program(path: str | Path) -> Model:
    """A program of binary and integer variables in an LP file, its objective at most quadratic, or a linear one in MPS.

    Raises:
        ProblemError: for a file that cannot be read, or a variable that is continuous or without bounds.
    """
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES or not path.is_file():
        raise ProblemError(f"{path} cannot be read, expected a file that ends in {' or '.join(SUFFIXES)}")
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
    return replace_file(path, _linear(model).export_to_mps_string())


def _read_lp(path: Path) -> Model:
    try:
        text = path.read_text("utf-8-sig")
        theirs = package("dimod.lp", "read_program").loads(text)
    except (ValueError, UnicodeDecodeError):
        raise ProblemError(f"{path} is damaged, expected the LP format") from None
    # dimod turns what is to be large round; a line that begins with a backslash is a comment.
    is_max = re.match(r"(\s*\\.*\n)*\s*max", text, re.IGNORECASE)
    return model_from_dimod(theirs, "max" if is_max else "min")


def _read_mps(path: Path) -> Model:
    program = package("ortools.linear_solver.python.model_builder", "read_program").Model()
    if not program.import_from_mps_file(str(path)):
        raise ProblemError(f"{path} is damaged, expected the MPS format")
    rows = program.helper
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


def _linear(model: Model) -> Any:
    """OR-Tools' model of a linear one."""
    names, rows = (_plain(some) for some in _names(model))
    program = package("ortools.linear_solver.python.model_builder", "write_program").Model()
    bounds = zip(model.lower.tolist(), model.upper.tolist(), names, strict=True)
    variables = [program.new_int_var(lower, upper, name) for lower, upper, name in bounds]
    objective = model.constant
    for indices, values in model.terms:
        objective += sum(value * variables[k] for (k,), value in zip(indices.tolist(), values.tolist(), strict=True))
    (program.minimize if model.sense == "min" else program.maximize)(objective)
    for name, constraint in zip(rows, model.constraints, strict=True):
        pairs = zip(constraint.variables.tolist(), constraint.coefficients.tolist(), strict=True)
        left, right = sum(value * variables[k] for k, value in pairs), constraint.right
        low = -np.inf if constraint.comparison == "<=" else right
        program.add_linear_constraint(left, low, np.inf if constraint.comparison == ">=" else right, name)
    return program


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


RESERVED = {
    "free",
    "inf",
    "infinity",
    "st",
    "end",
    "bounds",
    "bin",
    "binary",
    "gen",
    "general",
    "min",
    "max",
    "subject",
}
