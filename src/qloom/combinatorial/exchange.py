"""Models from and to dimod."""

from __future__ import annotations

from typing import Any

import numpy as np

from qloom.combinatorial.model import Model, Sense
from qloom.combinatorial.quadratic import Kind, Quadratic
from qloom.errors import ProblemError
from qloom.extras import package


def quadratic_to_dimod(function: Quadratic) -> Any:
    """The function as dimod's BinaryQuadraticModel, of variables 0 to N - 1.

    Raises:
        ExtraError: without dimod.
    """
    dimod = package("dimod", "quadratic_to_dimod", "combinatorial")
    kind = dimod.BINARY if function.kind == "binary" else dimod.SPIN
    pairs = zip(function.first.tolist(), function.second.tolist(), function.values.tolist(), strict=True)
    out = dimod.BinaryQuadraticModel(dict(enumerate(function.linear.tolist())), {}, function.constant, kind)
    out.add_quadratic_from(pairs)
    return out


def quadratic_from_dimod(quadratic_model: Any) -> tuple[Quadratic, list[Any]]:
    """The function of a BinaryQuadraticModel, and the names of its variables in order.

    Args:
        quadratic_model: dimod's.
    """
    names = list(quadratic_model.variables)
    place = {name: k for k, name in enumerate(names)}
    pairs = [(place[i], place[j], value) for (i, j), value in quadratic_model.quadratic.items()]
    first, second, values = np.array(pairs, float).reshape(-1, 3).T
    linear = [quadratic_model.linear[name] for name in names]
    kind: Kind = "spin" if quadratic_model.vartype.name == "SPIN" else "binary"
    indices = first.astype(int), second.astype(int)
    return Quadratic.from_pairs(kind, *indices, values, linear, float(quadratic_model.offset)), names


def model_to_dimod(model: Model, labels: list[str] | None = None, rows: list[str] | None = None) -> Any:
    """A ConstrainedQuadraticModel, to be small; the members of an array of variables are called name[k].

    Args:
        model: to be taken over.
        labels, rows: other names for its variables and constraints.

    Raises:
        ProblemError: for products of more than two, which dimod does not have.
        ExtraError: without dimod.
    """
    out, names = package("dimod", "model_to_dimod", "combinatorial").ConstrainedQuadraticModel(), labels or model.labels
    for variables in model.variables:
        for number in variables.numbers.ravel():
            bounds = {"lower_bound": model.lower[number].item(), "upper_bound": model.upper[number].item()}
            kind = variables.kind.upper().replace("CONTINUOUS", "REAL")
            out.add_variable(kind, names[number], **(bounds if kind in ("INTEGER", "REAL") else {}))
    sign = 1.0 if model.sense == "min" else -1.0
    objective: list[tuple[Any, ...]] = [(sign * model.constant,)]
    for indices, values in model.terms:
        if indices.shape[1] > 2:
            raise ProblemError(
                f"products of {indices.shape[1]} variables, expected at most 2 for dimod; see BinaryForm"
            )
        objective += [(*(names[k] for k in row), sign * value) for row, value in zip(indices, values, strict=True)]
    out.set_objective(objective)
    for k, constraint in enumerate(model.constraints):
        label = rows[k] if rows else constraint.name
        row = [(names[k], value) for k, value in zip(constraint.variables, constraint.coefficients, strict=True)]
        out.add_constraint(row, constraint.comparison, rhs=constraint.right, label=label)
    return out


def model_from_dimod(constrained: Any, sense: Sense = "min") -> Model:
    """The model of a ConstrainedQuadraticModel whose constraints are linear; "max" turns its objective round.

    Args:
        constrained: dimod's model.
        sense: of its objective.

    Raises:
        ProblemError: for a semicontinuous variable, or a constraint with products or a weight.
    """
    model, place, sign = Model(sense), {}, 1.0 if sense == "min" else -1.0
    for name in constrained.variables:
        kind = constrained.vartype(name).name
        bounds = constrained.lower_bound(name), constrained.upper_bound(name)
        place[name] = declare(model, str(name), kind, *bounds)
    objective = constrained.objective
    model.add(sign * float(objective.offset))
    for name, value in objective.linear.items():
        model.add(sign * value, place[name])
    for first, second, value in objective.iter_quadratic():
        model.add(sign * value, place[first], place[second])
    soft = getattr(constrained, "_soft", {})
    for label, constraint in constrained.constraints.items():
        left = constraint.lhs
        if not left.is_linear() or label in soft:
            raise ProblemError(f"constraint {label!r} has products or a weight, expected linear ones that must hold")
        columns, values = [place[name] for name in left.linear], list(left.linear.values())
        model.constrain(str(label), columns, values, constraint.sense.value, constraint.rhs - left.offset)
    return model


def declare(model: Model, name: str, kind: str, lower: float, upper: float) -> int:
    """The number of a new variable of a foreign model.

    Raises:
        ProblemError: for a whole one without bounds, or one of another kind.
    """
    if kind == "SPIN":
        return int(model.spin(name))
    if kind == "REAL":
        return int(model.continuous(name, lower, upper))
    if kind not in ("BINARY", "INTEGER"):
        raise ProblemError(f"variable {name!r} is {kind}, expected binary, integer or real ones")
    if not (np.isfinite([lower, upper]).all() and upper - lower < 2**31):
        raise ProblemError(f"variable {name!r} lies from {lower:g} to {upper:g}, expected bounds")
    if (lower, upper) == (0, 1):
        return int(model.binary(name))
    return int(model.integer(name, int(np.ceil(lower)), int(np.floor(upper))))
