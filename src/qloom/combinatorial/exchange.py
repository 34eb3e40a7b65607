"""Models from and to dimod."""

from __future__ import annotations

from typing import Any

import numpy as np

from qloom.combinatorial.extras import package
from qloom.combinatorial.model import Model
from qloom.combinatorial.program_files import declare
from qloom.combinatorial.quadratic import Kind, Quadratic
from qloom.errors import ProblemError


def quadratic_to_dimod(function: Quadratic) -> Any:
    """A BinaryQuadraticModel of variables 0 to N - 1."""
    dimod = package("dimod", "quadratic_to_dimod")
    kind = dimod.BINARY if function.kind == "binary" else dimod.SPIN
    pairs = zip(function.first.tolist(), function.second.tolist(), function.values.tolist(), strict=True)
    out = dimod.BinaryQuadraticModel(dict(enumerate(function.linear.tolist())), {}, function.constant, kind)
    out.add_quadratic_from(pairs)
    return out


def quadratic_from_dimod(quadratic_model: Any) -> tuple[Quadratic, list[Any]]:
    """The function of a BinaryQuadraticModel, and the names of its variables in order."""
    names = list(quadratic_model.variables)
    place = {name: k for k, name in enumerate(names)}
    pairs = [(place[i], place[j], value) for (i, j), value in quadratic_model.quadratic.items()]
    first, second, values = np.array(pairs, float).reshape(-1, 3).T
    linear = [quadratic_model.linear[name] for name in names]
    kind: Kind = "spin" if quadratic_model.vartype.name == "SPIN" else "binary"
    indices = first.astype(int), second.astype(int)
    return Quadratic.from_pairs(kind, *indices, values, linear, float(quadratic_model.offset)), names


def model_to_dimod(model: Model) -> Any:
    """A ConstrainedQuadraticModel, to be small; the members of an array of variables are called name[k].

    Raises:
        ProblemError: for products of more than two, which dimod does not have.
    """
    out, names = package("dimod", "model_to_dimod").ConstrainedQuadraticModel(), model.labels
    for variables in model.variables:
        for number in variables.numbers.ravel():
            bounds = {"lower_bound": int(model.lower[number]), "upper_bound": int(model.upper[number])}
            options = bounds if variables.kind == "integer" else {}
            out.add_variable(variables.kind.upper(), names[number], **options)
    sign = 1.0 if model.sense == "min" else -1.0
    objective: list[tuple[Any, ...]] = [(sign * model.constant,)]
    for indices, values in model.terms:
        if indices.shape[1] > 2:
            raise ProblemError(
                f"products of {indices.shape[1]} variables, expected at most 2 for dimod; see BinaryForm"
            )
        objective += [(*(names[k] for k in row), sign * value) for row, value in zip(indices, values, strict=True)]
    out.set_objective(objective)
    for constraint in model.constraints:
        row = [(names[k], value) for k, value in zip(constraint.variables, constraint.coefficients, strict=True)]
        out.add_constraint(row, constraint.comparison, rhs=constraint.right, label=constraint.name)
    return out


def model_from_dimod(constrained: Any) -> Model:
    """The model of a ConstrainedQuadraticModel whose constraints are linear.

    Raises:
        ProblemError: for a variable that is not whole, or a constraint with products or a weight.
    """
    model, place = Model("min"), {}
    for name in constrained.variables:
        kind = constrained.vartype(name).name
        bounds = constrained.lower_bound(name), constrained.upper_bound(name)
        place[name] = declare(model, str(name), kind, *bounds)
    objective = constrained.objective
    model.add(float(objective.offset))
    for name, value in objective.linear.items():
        model.add(value, place[name])
    for first, second, value in objective.iter_quadratic():
        model.add(value, place[first], place[second])
    soft = getattr(constrained, "_soft", {})
    for label, constraint in constrained.constraints.items():
        left = constraint.lhs
        if not left.is_linear() or label in soft:
            raise ProblemError(f"constraint {label!r} has products or a weight, expected linear ones that must hold")
        columns, values = [place[name] for name in left.linear], list(left.linear.values())
        model.constrain(str(label), columns, values, constraint.sense.value, constraint.rhs - left.offset)
    return model
