"""A model: named variables in arrays, an objective of products of them, linear constraints with names."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from qloom.checks import finite, is_integer
from qloom.errors import ProblemError

Sense = Literal["min", "max"]
Comparison = Literal["<=", "==", ">="]
# What rounding leaves of a constraint that holds, as a share of the sizes that were added up.
TOLERANCE = 1e-9
# What a linear program's solver leaves of one with continuous variables, as a share of their largest number, or of 1.
FEASIBLE = 1e-6
# Whole numbers after so many digits of the point are moved before it are compared exactly, if sums stay below EXACT.
DIGITS = 6
EXACT = 2.0**53
# More than any sum, still small enough for products.
FAR = 1e100
# Bounds of integers; differences of two still fit.
LARGEST = 2**31


@dataclass(frozen=True)
class Variables:
    """One array of variables: its name, and the numbers its members have in the model."""

    name: str
    numbers: np.ndarray
    kind: Literal["binary", "spin", "integer", "continuous"]


@dataclass(frozen=True)
class Constraint:
    """sum_k coefficients_k x[variables_k] compared with a right side."""

    name: str
    variables: np.ndarray
    coefficients: np.ndarray
    comparison: Comparison
    right: float


class Model:
    """Variables are numbers in arrays, so that numpy's indexing says which of them meet:

        model = Model("max")
        x = model.binary("taken", 5)
        model.add([3, 4, 5, 2, 6], x)                           # objective + sum 3 x_0 + 4 x_1 + ...
        model.add(-2, x[0], x[1])                               # - 2 x_0 x_1
        model.constrain("weight", x, [2, 3, 4, 1, 5], "<=", 8)

    Args:
        sense: whether the objective is to be small or large.

    Attributes:
        constant: of the objective.
        constraints: in their order.
        one_hot_groups: variables of which exactly one is 1.

    Raises:
        ProblemError: for another sense; by its methods, for names, shapes or numbers that do not fit.
    """

    def __init__(self, sense: Sense = "min"):
        if sense not in ("min", "max"):
            raise ProblemError(f"sense={sense!r}, expected 'min' or 'max'")
        self.sense: Sense = sense
        self.variables: list[Variables] = []
        self.constraints: list[Constraint] = []
        self.one_hot_groups: list[np.ndarray] = []
        self.constant = 0.0
        self.lower = np.zeros(0, np.int64)
        self.upper = np.zeros(0, np.int64)
        self._terms: list[tuple[np.ndarray, np.ndarray]] = []
        self._names: set[str] = set()
        self._constraint_names: set[str] = set()

    # --- what it is made of

    def binary(self, name: str, shape: int | tuple[int, ...] = ()) -> np.ndarray:
        """Variables 0 or 1; their numbers, in an array of that shape.

        Args:
            name: of the array; each once.
            shape: () for a single one.

        Raises:
            ProblemError: for a name that is there already, or a shape that is none.
        """
        return self._declare(name, shape, "binary", 0, 1)

    def spin(self, name: str, shape: int | tuple[int, ...] = ()) -> np.ndarray:
        """Variables -1 or 1; arguments as of `binary`."""
        return self._declare(name, shape, "spin", -1, 1)

    def integer(self, name: str, lower: int, upper: int, shape: int | tuple[int, ...] = ()) -> np.ndarray:
        """Variables of the whole numbers from lower to upper; the other arguments as of `binary`.

        Raises:
            ProblemError: for bounds that are not whole or not in order.
        """
        if not all(isinstance(end, int | float | np.number) and float(end).is_integer() for end in (lower, upper)) or (
            not -LARGEST <= lower <= upper <= LARGEST
        ):
            raise ProblemError(
                f"{name!r} from {lower} to {upper}, expected two integers below 2**31, the smaller first"
            )
        return self._declare(name, shape, "integer", int(lower), int(upper))

    def continuous(self, name: str, lower: float, upper: float, shape: int | tuple[int, ...] = ()) -> np.ndarray:
        """Variables of all numbers from lower to upper, which may be infinite; in objectives they stand alone.

        The other arguments are as of `binary`.

        Raises:
            ProblemError: for bounds that are no numbers or not in order.
        """
        ends = [end for end in (lower, upper) if isinstance(end, int | float | np.number)]
        if len(ends) < 2 or not lower <= upper or lower == np.inf or upper == -np.inf:
            raise ProblemError(f"{name!r} from {lower} to {upper}, expected two numbers, the smaller first")
        return self._declare(name, shape, "continuous", float(lower), float(upper))

    def one_hot(self, name: str, shape: int | tuple[int, ...], n_choices: int) -> np.ndarray:
        """Binary variables (*shape, C), and the constraint that exactly one along the last axis is 1.

        Args:
            name: of the array, and of the constraint with "one " before it.
            shape: of the groups, () for a single one.
            n_choices: C, at least 1.

        Raises:
            ProblemError: for fewer choices, or a name that is there already.
        """
        if n_choices < 1:
            raise ProblemError(f"{name!r} has n_choices={n_choices}, expected at least 1")
        numbers = self.binary(name, (*np.atleast_1d(np.array(shape, int)), n_choices))
        rows = numbers.reshape(-1, n_choices)
        self.constrain(f"one {name}", rows, 1, "==", 1)
        self.one_hot_groups.extend(rows)
        return numbers

    def add(self, values: Any, *variables: Any) -> None:
        """Add sum values * x[a] * x[b] * ... to the objective, arrays broadcast; without variables a constant.

        Args:
            values: numbers that broadcast against the variables.
            variables: arrays of variables' numbers, one for each factor of the product.

        Raises:
            ProblemError: for NaN or infinity, or numbers that are not variables of this model.
        """
        values = finite("values of the objective", values)
        if not variables:
            self.constant += float(values.sum())
            return
        members = [self._members(numbers) for numbers in variables]
        if len(members) > 1 and not all(self.is_whole[numbers].all() for numbers in members):
            raise ProblemError("products of continuous variables, expected such variables alone in the objective")
        try:
            values, *columns = np.broadcast_arrays(values, *members)
        except ValueError:
            shapes = [np.shape(part) for part in (values, *members)]
            raise ProblemError(f"values and variables have shapes {shapes}, expected ones that broadcast") from None
        indices = np.stack([column.ravel() for column in columns], axis=1)
        self._terms.append((indices, np.array(values, float).ravel()))
        self._forget()

    def constrain(self, name: str, variables: Any, coefficients: Any, comparison: Comparison, right: Any) -> None:
        """One constraint, or one a row of variables (R, K); then they are called name[0], name[1], ...

        Args:
            name: of its own.
            variables: numbers of variables.
            coefficients: one for each variable.
            comparison: "<=", "==" or ">=".
            right: the number on the right side.

        Shapes: variables (K,) or (R, K), coefficients to broadcast against them, right () or (R,).

        Raises:
            ProblemError: for NaN, an unknown comparison, a name that is taken, or a constraint that no values meet.
        """
        variables = self._members(variables)
        if comparison not in ("<=", "==", ">=") or variables.ndim not in (1, 2):
            raise ProblemError(
                f"constraint {name!r} has comparison={comparison!r} and variables of shape {variables.shape}, "
                "expected '<=', '==' or '>=' and (K,) or (R, K)"
            )
        rows = np.atleast_2d(variables)
        coefficients, right = (
            finite(f"coefficients of {name!r}", coefficients),
            finite(f"right side of {name!r}", right),
        )
        try:
            coefficients = np.broadcast_to(coefficients, variables.shape)
            rights = np.broadcast_to(right, (len(rows),))
        except ValueError:
            raise ProblemError(
                f"constraint {name!r} has variables {variables.shape}, coefficients {coefficients.shape}, right side "
                f"{right.shape}, expected shapes that broadcast"
            ) from None
        labels = [name] if variables.ndim == 1 else [f"{name}[{k}]" for k in range(len(rows))]
        if taken := next((label for label in labels if label in self._constraint_names), None):
            raise ProblemError(f"constraint {taken!r} is there already, expected a name of its own")
        order = np.argsort(rows, axis=1, kind="stable")
        rows = np.take_along_axis(rows, order, axis=1)
        factors = np.take_along_axis(np.atleast_2d(coefficients), order, axis=1)
        first = np.column_stack([np.ones(len(rows), bool), rows[:, 1:] != rows[:, :-1]])[:, : rows.shape[1]]
        for k in np.flatnonzero(~first.all(axis=1)):
            sums = np.bincount(np.cumsum(first[k]) - 1, factors[k])
            factors[k], factors[k, first[k]] = 0.0, sums
        self._check_reachable(labels, rows, factors, comparison, rights)
        once = bool(first.all())
        for label, row, own, limit, keep in zip(labels, rows, factors, rights.tolist(), first, strict=True):
            row, own = (row, own) if once else (row[keep], own[keep])
            self.constraints.append(Constraint(label, row, own, comparison, limit))
        self._constraint_names.update(labels)
        self._forget()

    # --- what it says

    @property
    def n(self) -> int:
        """N variables."""
        return len(self.lower)

    @property
    def is_spin(self) -> np.ndarray:
        """Which variables are -1 or 1 and nothing between, bool (N,)."""
        out = np.zeros(self.n, bool)
        for variables in self.variables:
            out[variables.numbers] = variables.kind == "spin"
        return out

    @cached_property
    def is_whole(self) -> np.ndarray:
        """Which variables take whole numbers only, bool (N,)."""
        out = np.ones(self.n, bool)
        for variables in self.variables:
            out[variables.numbers] = variables.kind != "continuous"
        return out

    @cached_property
    def terms(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """The objective's products by order: variables int (K, order) and values (K,), orders rising."""
        orders = sorted({indices.shape[1] for indices, _ in self._terms})
        chosen = {order: [term for term in self._terms if term[0].shape[1] == order] for order in orders}
        return [
            (np.concatenate([indices for indices, _ in same]), np.concatenate([values for _, values in same]))
            for same in chosen.values()
        ]

    @cached_property
    def rows(self) -> Any:
        """Coefficients of the constraints, scipy CSR (M, N)."""
        from scipy.sparse import csr_array

        starts = np.cumsum([0, *(len(c.variables) for c in self.constraints)])
        columns = np.concatenate([np.zeros(0, int), *(c.variables for c in self.constraints)])
        values = np.concatenate([np.zeros(0), *(c.coefficients for c in self.constraints)])
        return csr_array((values, columns, starts), shape=(len(self.constraints), self.n))

    @cached_property
    def rights(self) -> np.ndarray:
        """Right sides of the constraints, float64 (M,)."""
        return np.array([c.right for c in self.constraints], float)

    @cached_property
    def comparisons(self) -> np.ndarray:
        """Of the constraints, strings (M,)."""
        return np.array([c.comparison for c in self.constraints], dtype="U2")

    @property
    def labels(self) -> list[str]:
        """Names of the variables one by one: of their array, with a number where it has several."""
        out = [""] * self.n
        for variables in self.variables:
            flat = variables.numbers.ravel()
            for k, number in enumerate(flat):
                out[number] = variables.name if len(flat) == 1 else f"{variables.name}[{k}]"
        return out

    def objective(self, values: Any) -> np.ndarray:
        """Shapes: values (N,) or (B, N) -> () or (B,)."""
        x = self._values(values)
        out = np.full(x.shape[:-1], self.constant)
        for indices, weights in self.terms:
            out = out + x[..., indices].prod(axis=-1) @ weights
        return np.asarray(out)

    def magnitude(self, values: Any) -> np.ndarray:
        """Sizes of the objective's terms added up. Shapes: values (N,) or (B, N) -> () or (B,)."""
        x = self._values(values)
        sizes = (np.abs(x[..., indices].prod(axis=-1)) @ np.abs(weights) for indices, weights in self.terms)
        return np.asarray(sum(sizes, np.full(x.shape[:-1], abs(self.constant))))

    @cached_property
    def scales(self) -> np.ndarray:
        """What makes the numbers of each constraint whole, float64 (M,); 0 where no power of ten does."""
        rows, rights, n_rows = self.rows, self.rights, len(self.constraints)
        owner = np.repeat(np.arange(n_rows), np.diff(rows.indptr))
        sizes = np.maximum(np.abs(self.lower), np.abs(self.upper)).astype(float)
        sizes[~self.is_whole] = FAR
        reach = np.bincount(owner, np.abs(rows.data) * sizes[rows.indices], n_rows) + np.abs(rights)
        out = np.zeros(n_rows)
        for scale in 10.0 ** np.arange(DIGITS, -1, -1):
            entries, ends = (np.round(numbers * scale) / scale == numbers for numbers in (rows.data, rights))
            fits = (np.bincount(owner, ~entries, n_rows) == 0) & ends
            out[fits] = scale
        return np.where(out * reach < EXACT, out, 0.0)

    @cached_property
    def slack(self) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray]:
        """Rows and right sides, whole where that can be, and by how much they may be missed: of sizes, and fixed."""
        scales, rows = np.where(self.scales > 0, self.scales, 1.0), self.rows.copy()
        lengths = np.diff(rows.indptr)
        rows.data, rights = np.repeat(scales, lengths) * rows.data, scales * self.rights
        rows.data = np.where(np.repeat(self.scales > 0, lengths), np.round(rows.data), rows.data)
        rights = np.where(self.scales > 0, np.round(rights), rights)
        owner = np.repeat(np.arange(len(scales)), lengths)
        largest = np.ones(len(scales))
        continuous = ~self.is_whole[self.rows.indices]
        np.maximum.at(largest, owner, np.abs(self.rows.data) * continuous)
        mixed = np.bincount(owner, continuous, len(scales)) > 0
        fixed = np.where(mixed, FEASIBLE * largest, 0.0)
        return rows, rights, np.where(self.scales > 0, 0.0, TOLERANCE), fixed

    def violations(self, values: Any) -> np.ndarray:
        """By how much each constraint is missed, 0 where it holds. Shapes: values (N,) or (B, N) -> (M,) or (B, M).

        Sums of whole numbers, and of decimals of a few digits, are compared exactly, others up to rounding; with
        continuous variables as exactly as a linear program's solver does.

        Raises:
            ProblemError: for values of another shape.
        """
        x = self._values(values)
        rows, rights, share, fixed = self.slack
        over = (rows @ x.T).T - rights
        missed = np.where(self.comparisons == "==", np.abs(over), np.where(self.comparisons == "<=", over, -over))
        slack = fixed + share * (np.abs(rights) + (np.abs(rows) @ np.abs(x).T).T)
        return np.where(missed > slack, missed / np.where(self.scales > 0, self.scales, 1.0), 0.0)

    def violated(self, values: Any) -> dict[str, float]:
        """Constraints that are missed, by name, and by how much. Shapes: values (N,)."""
        missed = self.violations(values)
        return {c.name: float(amount) for c, amount in zip(self.constraints, missed, strict=True) if amount > 0}

    def named(self, values: Any) -> dict[str, Any]:
        """Values by the names of the variables, in their shapes. Shapes: values (N,)."""
        values = np.asarray(values)
        return {
            v.name: (values[v.numbers] if v.kind == "continuous" else np.round(values[v.numbers]).astype(int)).tolist()
            for v in self.variables
        }

    # --- checks, where data enters

    def _forget(self) -> None:
        """What was found from variables, terms and constraints before these changed."""
        for name in ("terms", "rows", "rights", "comparisons", "is_whole", "scales", "slack"):
            self.__dict__.pop(name, None)

    def _declare(self, name: str, shape: int | tuple[int, ...], kind: Any, lower: float, upper: float) -> np.ndarray:
        if name in self._names:
            raise ProblemError(f"variables {name!r} are there already, expected a name of their own")
        dimensions = list(shape) if isinstance(shape, tuple | list) else [shape]
        if not all(is_integer(length) and length >= 0 for length in dimensions):
            raise ProblemError(f"variables {name!r} have shape {shape!r}, expected integers from 0")
        size = int(np.prod(shape))
        numbers = np.arange(self.n, self.n + size).reshape(shape)
        self.variables.append(Variables(name, numbers, kind))
        self._names.add(name)
        self.lower = np.append(self.lower, np.full(size, lower))
        self.upper = np.append(self.upper, np.full(size, upper))
        self._forget()
        return numbers

    def _members(self, numbers: Any) -> np.ndarray:
        """As integers, which an empty list is not by itself."""
        numbers = np.asarray(numbers)
        if numbers.size and (numbers.dtype.kind not in "iu" or numbers.min() < 0 or numbers.max() >= self.n):
            raise ProblemError(f"variables {numbers.ravel()[:4]}, expected numbers below {self.n} that this model gave")
        return numbers.astype(np.int64)

    def _check_reachable(
        self, labels: list[str], rows: np.ndarray, factors: np.ndarray, comparison: Comparison, rights: np.ndarray
    ) -> None:  # fmt: skip
        """A constraint that no values meet is refused by name.

        Shapes: rows and factors (R, K), rights (R,).
        """
        ends = [np.multiply(factors, end[rows], out=np.zeros(rows.shape), where=factors != 0)
                for end in (self.lower, self.upper)]  # fmt: skip
        least, most = np.minimum(*ends).sum(axis=1), np.maximum(*ends).sum(axis=1)
        slack = TOLERANCE * np.abs(rights)
        beyond = (comparison != ">=") & (least > rights + slack) | (comparison != "<=") & (most < rights - slack)
        if len(wrong := np.flatnonzero(beyond)):
            k = int(wrong[0])
            raise ProblemError(
                f"constraint {labels[k]!r} asks for {comparison} {rights[k]:g}, its left side lies from {least[k]:g} "
                f"to {most[k]:g}; no values meet it"
            )

    def range_of(self, constraint: Constraint) -> tuple[float, float]:
        """The smallest and largest value of its left side that the variables' bounds allow."""
        lower, upper = self.lower[constraint.variables], self.upper[constraint.variables]
        factors = constraint.coefficients
        ends = np.stack(
            [np.multiply(factors, end, out=np.zeros(len(end)), where=factors != 0) for end in (lower, upper)]
        )
        return float(ends.min(axis=0).sum()), float(ends.max(axis=0).sum())

    def _values(self, values: Any) -> np.ndarray:
        x = np.asarray(values, float)
        if x.shape[-1:] != (self.n,) or x.ndim > 2:
            raise ProblemError(f"values has shape {x.shape}, expected ({self.n},) or (B, {self.n})")
        spin_between = self.is_spin & (x != 1) & (x != -1)
        between = self.is_whole & (x != np.round(x))
        room = np.where(self.is_whole, 0.0, FEASIBLE)
        outside = (x < self.lower - room) | (x > self.upper + room)
        if between.any() or outside.any() or spin_between.any():
            raise ProblemError("values lie outside the variables' bounds or are not whole, expected what they may be")
        return x


def room(capacities: np.ndarray, loads: np.ndarray) -> np.ndarray:
    """What sums of loads may be: the capacities if all is whole, else what rounding does not count against them."""
    is_whole = all((numbers == np.round(numbers)).all() for numbers in (capacities, loads))
    return np.asarray(capacities if is_whole else (1 + TOLERANCE) * capacities)
