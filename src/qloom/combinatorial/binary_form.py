"""A model as a quadratic function of bits, with a penalty for each constraint.

Integer variables become sums of weighted bits, inequalities equations with a slack of bits, longer products pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from qloom.checks import LARGEST
from qloom.combinatorial.model import Constraint, Model
from qloom.combinatorial.products import Pieces, expand, merge, reduce
from qloom.combinatorial.quadratic import Quadratic
from qloom.errors import ProblemError

# Sums of integers up to this are exact in floating point.
MOST = 2.0**53
Inequalities = Literal["slack", "unbalanced"]


@dataclass(frozen=True)
class Penalty:
    """What one constraint costs: square h^2 + linear h of h = sum_k coefficients_k b[bits_k] + shift.

    Attributes:
        unit: by how much a flip of one of its variables changes h, in the root mean square.
    """

    bits: np.ndarray
    coefficients: np.ndarray
    shift: float
    square: float = 1.0
    linear: float = 0.0
    unit: float = 1.0


class BinaryForm:
    """sign * objective + sum_r P_r penalty_r, of bits: those of the variables, of slacks, and of products of two.

    Args:
        model: whose variables, objective and constraints it takes over.
        inequalities: "slack" adds bits that make them equations; "unbalanced" adds none, but its penalty is least one
            unit inside the constraint.

    Attributes:
        n_variable_bits: bits of the variables, the first ones.
        objective: without penalties, `Quadratic` of all bits, to be small.
        penalties: of the constraints, in their order.

    Raises:
        ProblemError: for continuous variables, or an inequality with more than three digits after the point, with
            "slack".
    """

    def __init__(self, model: Model, inequalities: Inequalities = "slack"):
        if inequalities not in ("slack", "unbalanced"):
            raise ProblemError(f"inequalities={inequalities!r}, expected 'slack' or 'unbalanced'")
        if not model.is_whole.all():
            raise ProblemError(
                "continuous variables, which bits cannot hold, expected whole ones; solve takes such models"
            )
        self.model, self.pieces = model, pieces_of(model)
        self.n_variable_bits = int(self.pieces.bits.max(initial=-1)) + 1
        sign = 1.0 if model.sense == "min" else -1.0
        shift = (np.full((1, 1), -1), np.array([sign * model.constant]))
        expanded = [expand(indices, sign * values, self.pieces) for indices, values in model.terms]
        products, pairs = reduce(merge([shift, *expanded]), self.n_variable_bits)
        n_bits = self.n_variable_bits + len(pairs)
        self.penalties: list[Penalty] = []
        for constraint in model.constraints:
            penalty, n_slack = self._penalty(constraint, n_bits, inequalities)
            self.penalties.append(penalty)
            n_bits += n_slack
        linear, none = np.zeros(n_bits), (np.zeros((0, 2), int), np.zeros(0))
        singles, values = products.get(1, none)
        linear[singles[:, 0]] = values
        bits, values = products.get(2, none)
        constant = products[0][1].sum() if 0 in products else 0.0
        self.objective = Quadratic.from_pairs("binary", bits[:, 0], bits[:, 1], values, linear, float(constant))

    @property
    def n_bits(self) -> int:
        """Bits of variables, products and slacks together."""
        return self.objective.n

    def bounds(self) -> np.ndarray:
        """Penalties to begin with, float64 (M,): for one unit, what a bit of the constraint changes the objective by.

        Where all coefficients are 1 no single bit gains from missing it; others may be missed by less than a unit, and
        their penalty is raised if they are.

        Source: Verma, Lewis 2022, Discrete Optimization 44, 100594, section 3.
        """
        change = self.changes
        floor = float(change[change > 0].min(initial=change.max(initial=0.0))) or 1.0
        return np.array([max(change[p.bits].max(initial=0.0), floor) / (p.square * p.unit**2) for p in self.penalties])

    def ceilings(self) -> np.ndarray:
        """Penalties beyond which nothing is gained, float64 (M,): the objective's whole range for the least violation.

        That is a unit of whole coefficients and a thousandth of others. Where numbers would get too large they end.
        """
        span = float(np.abs(self.objective.values).sum() + np.abs(self.objective.linear).sum())
        least = [1.0 if (p.coefficients == np.round(p.coefficients)).all() else 1e-3 for p in self.penalties]
        sizes = [max(np.abs(p.coefficients).sum(), abs(p.shift), 1.0) for p in self.penalties]
        needed = span / (np.array([p.square for p in self.penalties]) * np.square(least))
        return np.maximum(np.minimum(needed, 1e-3 * LARGEST / np.square(sizes)), self.bounds())

    @cached_property
    def changes(self) -> np.ndarray:
        """The most that a flip of each bit changes the objective by, float64 (n_bits,)."""
        rise, fall = np.maximum(self.objective.values, 0), np.minimum(self.objective.values, 0)
        ends = self.objective.first, self.objective.second
        most = self.objective.linear + sum(np.bincount(end, rise, self.n_bits) for end in ends)
        least = self.objective.linear + sum(np.bincount(end, fall, self.n_bits) for end in ends)
        return np.maximum(most, -least)

    def quadratic(self, penalties: np.ndarray) -> Quadratic:
        """The function to be small. Shapes: penalties (M,)."""
        from scipy.sparse import csr_array

        objective = self.objective
        if not self.penalties:
            return objective
        starts = np.cumsum([0, *(len(p.bits) for p in self.penalties)])
        columns = np.concatenate([p.bits for p in self.penalties])
        values = np.concatenate([p.coefficients for p in self.penalties])
        rows = csr_array((values, columns, starts), shape=(len(self.penalties), self.n_bits))
        square = penalties * [p.square for p in self.penalties]
        linear = penalties * [p.linear for p in self.penalties]
        shift = np.array([p.shift for p in self.penalties])
        products = (rows.T @ rows.multiply(square[:, None]).tocsr()).tocoo()
        return Quadratic.from_pairs(
            "binary",
            np.concatenate([objective.first, products.coords[0]]),
            np.concatenate([objective.second, products.coords[1]]),
            np.concatenate([objective.values, products.data]),
            objective.linear + rows.T @ (2 * square * shift + linear),
            objective.constant + float(square @ shift**2 + linear @ shift),
        )

    def decode(self, states: Any) -> np.ndarray:
        """Values of the model's variables. Shapes: states (B, n_bits) of 0 and 1 -> int64 (B, N)."""
        bits = np.atleast_2d(states)[:, : self.n_variable_bits].astype(np.int64)
        ones = np.ones((len(bits), 1), np.int64)  # what bit -1 stands for
        pieces = np.concatenate([bits, ones], axis=1)[:, self.pieces.bits] * self.pieces.weights.astype(np.int64)
        return np.add.reduceat(pieces, self.pieces.starts[:-1], axis=1)

    def _penalty(self, constraint: Constraint, n_bits: int, inequalities: Inequalities) -> tuple[Penalty, int]:
        """Of one constraint, its slack bits counted from n_bits, and their number."""
        sign = -1.0 if constraint.comparison == ">=" else 1.0
        own, values = expand(constraint.variables[:, None], sign * constraint.coefficients, self.pieces)
        variable = own[:, 0] >= 0
        shift = float(values[~variable].sum()) - sign * constraint.right
        bits, values = own[variable, 0], values[variable]
        unit = float(np.sqrt((values**2).mean())) or 1.0 if len(values) else 1.0
        if constraint.comparison == "==":
            return Penalty(bits, values, shift, unit=unit), 0
        if len(values) and (values == values[0]).all() and values[0] > 0 and 1 <= -shift / values[0] < 2:
            return Penalty(bits, np.ones(len(bits)), 0.0, square=0.5, linear=-0.5), 0
        if np.maximum(values, 0).sum() + shift <= 0:  # it always holds
            return Penalty(bits[:0], values[:0], 0.0), 0
        if inequalities == "unbalanced":
            return Penalty(bits, -values / unit, -shift / unit, square=0.5, linear=-1.0), 0
        scaled, shift = whole(constraint.name, values, shift)
        unit *= float(np.abs(scaled).sum() / np.abs(values).sum()) if values.any() else 1.0
        weights = bit_weights(int(-shift - np.minimum(scaled, 0).sum()))
        slack = np.arange(n_bits, n_bits + len(weights))
        return Penalty(np.append(bits, slack), np.append(scaled, weights), shift, unit=unit), len(weights)


def pieces_of(model: Model) -> Pieces:
    """Each variable by its lowest value and bits of weights; a spin by one bit that weighs 2, a continuous one as 0."""
    bits: list[np.ndarray] = []
    weights: list[np.ndarray] = []
    starts, n_bits = [0], 0
    whole_ends = (np.where(model.is_whole, ends, 0).astype(np.int64).tolist() for ends in (model.lower, model.upper))
    for lower, upper, is_spin in zip(*whole_ends, model.is_spin, strict=True):
        own = np.array([2]) if is_spin else bit_weights(upper - lower)
        if lower or not len(own):
            bits.append(np.array([-1]))
            weights.append(np.array([lower]))
        bits.append(np.arange(n_bits, n_bits + len(own)))
        weights.append(own)
        n_bits += len(own)
        starts.append(starts[-1] + len(own) + bool(lower or not len(own)))
    none = np.zeros(0, np.int64)
    return Pieces(np.array(starts), np.concatenate([none, *bits]), np.concatenate([none, *weights]).astype(float))


def whole(name: str, values: np.ndarray, shift: float) -> tuple[np.ndarray, float]:
    """Decimal numbers scaled to integers without a common divisor; what their sum is at most is rounded down.

    Raises:
        ProblemError: for numbers of more than three digits after the point, or too large ones.
    """
    for scale in (1.0, 10.0, 100.0, 1000.0):
        scaled = scale * values
        if np.abs(scaled - np.round(scaled)).max(initial=0.0) <= 1e-9 * np.abs(scaled).max(initial=0.0):
            if (size := float(np.abs(scaled).sum() + abs(scale * shift))) > MOST:
                raise ProblemError(
                    f"constraint {name!r} has numbers that add up to {size:g}, expected at most {MOST:g} for its "
                    "slack; use other units, or inequalities='unbalanced'"
                )
            divisor = int(np.gcd.reduce(np.round(np.abs(scaled)).astype(np.int64))) or 1
            least = scale * shift / divisor
            return np.round(scaled / divisor), float(np.ceil(least - 1e-9 * (1 + abs(least))))
    raise ProblemError(
        f"constraint {name!r} has coefficients that are not whole, expected at most three digits after the point for "
        "its slack; round them, or use inequalities='unbalanced'"
    )


def bit_weights(most: int) -> np.ndarray:
    """1, 2, 4, ..., and what is left: sums of some of them are all whole numbers from 0 to the most."""
    powers = 2 ** np.arange(max(most, 0).bit_length())[:-1]
    return np.append(powers, most - powers.sum()) if most > 0 else powers[:0]
