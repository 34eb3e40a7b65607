"""Models in LP and MPS files."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from qloom.combinatorial.extras import package
from qloom.combinatorial.model import Comparison, Model
from qloom.errors import ProblemError

SUFFIXES = (".lp", ".mps")


def read_program(path: str | Path) -> Model:
    """A program in an LP or MPS file, of binary and integer variables, its objective at most quadratic.

    Raises:
        ProblemError: for a file that cannot be read, or a variable that is continuous or without bounds.
    """
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES or not path.is_file():
        raise ProblemError(f"{path} cannot be read, expected a file that ends in {' or '.join(SUFFIXES)}")
    highspy = package("highspy", "read_program")
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    if highs.readModel(str(path)) == highspy.HighsStatus.kError:
        raise ProblemError(f"{path} is damaged, expected the {path.suffix[1:].upper()} format")
    program, hessian = highs.getLp(), highs.getModel().hessian_
    model = Model("min" if program.sense_ == highspy.ObjSense.kMinimize else "max")
    kinds = ["INTEGER" if kind == highspy.HighsVarType.kInteger else "REAL" for kind in program.integrality_]
    for k in range(program.num_col_):
        name = program.col_names_[k] if program.col_names_ else f"x{k}"
        declare(model, name, kinds[k] if kinds else "REAL", program.col_lower_[k], program.col_upper_[k])
    model.add(program.offset_)
    model.add(np.array(program.col_cost_), np.arange(model.n))
    for first, (begin, end) in enumerate(pairwise(hessian.start_)):
        for second, value in zip(hessian.index_[begin:end], hessian.value_[begin:end], strict=True):
            model.add(value / 2 if first == second else value, first, second)
    _add_rows(model, program, highs)
    return model


def write_program(model: Model, path: str | Path) -> Path:
    """The model as an LP or MPS file, whole or not at all; one with products of more than two is refused.

    Raises:
        ProblemError: for another ending, spins, or products of more than two.
    """
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise ProblemError(f"{path}, expected a name that ends in {' or '.join(SUFFIXES)}")
    if model.is_spin.any() or any(indices.shape[1] > 2 for indices, _ in model.terms):
        raise ProblemError("spins or products of more than two, which these files do not have; write the BinaryForm's")
    highspy = package("highspy", "write_program")
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.passModel(_highs_model(highspy, model))
    temporary = path.with_name(f"{path.stem}.part{path.suffix}")
    if highs.writeModel(str(temporary)) == highspy.HighsStatus.kError:
        raise ProblemError(f"{path} cannot be written, expected a folder that is there")
    os.replace(temporary, path)
    return path


def declare(model: Model, name: str, kind: str, lower: float, upper: float) -> int:
    """The number of a new variable of a foreign model."""
    if kind == "SPIN":
        return int(model.spin(name))
    if kind not in ("BINARY", "INTEGER"):
        raise ProblemError(f"variable {name!r} is continuous, expected binary or integer ones")
    if not (np.isfinite([lower, upper]).all() and upper - lower < 2**31):
        raise ProblemError(f"variable {name!r} lies from {lower:g} to {upper:g}, expected bounds")
    if (lower, upper) == (0, 1):
        return int(model.binary(name))
    return int(model.integer(name, int(np.ceil(lower)), int(np.floor(upper))))


def _add_rows(model: Model, program: Any, highs: Any) -> None:
    """A row with two limits becomes two constraints."""
    for k in range(program.num_row_):
        _, columns, values = highs.getRowEntries(k)
        name = program.row_names_[k] if program.row_names_ else f"row{k}"
        low, high = program.row_lower_[k], program.row_upper_[k]
        if low == high:
            model.constrain(name, columns, values, "==", low)
            continue
        comparisons: list[tuple[Comparison, float]] = [(">=", low), ("<=", high)]
        there = [(comparison, limit) for comparison, limit in comparisons if np.isfinite(limit)]
        for comparison, limit in there:
            model.constrain(name if len(there) == 1 else f"{name} {comparison}", columns, values, comparison, limit)


def _highs_model(highspy: ModuleType, model: Model) -> Any:
    out = highspy.HighsModel()
    program, hessian = out.lp_, out.hessian_
    costs, products = np.zeros(model.n), np.zeros((0, 3))
    for indices, values in model.terms:
        if indices.shape[1] == 1:
            np.add.at(costs, indices[:, 0], values)
        else:
            products = np.concatenate([products, np.column_stack([np.sort(indices, axis=1), values])])
    program.num_col_, program.num_row_, program.offset_ = model.n, len(model.constraints), model.constant
    program.sense_ = highspy.ObjSense.kMinimize if model.sense == "min" else highspy.ObjSense.kMaximize
    program.col_cost_, program.col_lower_, program.col_upper_ = (
        costs,
        model.lower.astype(float),
        model.upper.astype(float),
    )
    program.integrality_ = [highspy.HighsVarType.kInteger] * model.n
    program.col_names_ = [_plain(name) for name in model.labels]
    program.row_names_ = [_plain(constraint.name) for constraint in model.constraints]
    infinite = highspy.kHighsInf
    program.row_lower_ = np.where(model.comparisons == "<=", -infinite, model.rights)
    program.row_upper_ = np.where(model.comparisons == ">=", infinite, model.rights)
    rows = model.rows
    program.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    program.a_matrix_.start_, program.a_matrix_.index_, program.a_matrix_.value_ = rows.indptr, rows.indices, rows.data
    if len(products):
        _fill(hessian, highspy, model.n, products)
    return out


def _fill(hessian: Any, highspy: ModuleType, n: int, products: np.ndarray) -> None:
    """Half x' Q x, of the lower triangle by columns."""
    from scipy.sparse import coo_array

    low, high, values = products.T
    doubled = np.where(low == high, 2 * values, values)
    lower = coo_array((doubled, (high.astype(int), low.astype(int))), shape=(n, n)).tocsc()
    hessian.dim_, hessian.format_ = n, highspy.HessianFormat.kTriangular
    hessian.start_, hessian.index_, hessian.value_ = lower.indptr, lower.indices, lower.data


def _plain(name: str) -> str:
    """These files take no spaces or brackets in names."""
    return "".join(letter if letter.isalnum() else "_" for letter in name)
