"""Products within constraints: a variable of its own for each, held to its factors by rows."""

from __future__ import annotations

import numpy as np

from qloom.combinatorial.binary_form import bit_weights
from qloom.combinatorial.model import Model
from qloom.errors import ProblemError

# A sum of variables by number.
Linear = dict[int, float]


class Products:
    """Of one model; each product and each variable's bits are made once.

    Source: McCormick 1976, Mathematical Programming 10, 147.
    """

    def __init__(self, model: Model):
        self.model, self.labels = model, model.labels
        self.made: dict[tuple[int, int], Linear] = {}
        self.split: dict[int, Linear] = {}

    def of(self, first: int, second: int) -> Linear:
        """The product of two variables as a sum of others.

        Raises:
            ProblemError: for two continuous variables, or a factor of a whole one that is not bounded.
        """
        pair = (min(first, second), max(first, second))
        if pair not in self.made:
            self.made[pair] = self._make(*pair)
        return self.made[pair]

    def _make(self, first: int, second: int) -> Linear:
        model = self.model
        if model.is_whole[second] and (not model.is_whole[first] or self._range(second) < self._range(first)):
            first, second = second, first
        if not model.is_whole[first]:
            names = " and ".join(repr(self._label(k)) for k in (first, second))
            raise ProblemError(
                f"the product of {names}, which are continuous, expected a whole variable in each product"
            )
        out: Linear = {}
        for bit, weight in self._bits(first).items():
            factor = self._by_bit(bit, second) if bit >= 0 else {second: 1.0}
            for k, value in factor.items():
                out[k] = out.get(k, 0.0) + weight * value
        return out

    def _range(self, k: int) -> float:
        return float(self.model.upper[k]) - float(self.model.lower[k])

    def _label(self, k: int) -> str:
        return self.model.labels[k]

    def _bits(self, k: int) -> Linear:
        """A whole variable as a sum of binary ones, -1 standing for the number 1."""
        if k not in self.split:
            model, lower, upper = self.model, int(self.model.lower[k]), int(self.model.upper[k])
            if (lower, upper) == (0, 1):
                self.split[k] = {k: 1.0}
                return self.split[k]
            name, weights = self._label(k), bit_weights(upper - lower)
            bits = np.atleast_1d(model.binary(f"bits of {name}", len(weights)))
            if len(bits):
                model.constrain(f"bits of {name}", [k, *bits], [1.0, *(-weights)], "==", lower)
            own = dict(zip(bits.tolist(), weights.astype(float).tolist(), strict=True))
            self.split[k] = own | ({-1: float(lower)} if lower else {})
        return self.split[k]

    def _by_bit(self, bit: int, k: int) -> Linear:
        """The product of a binary variable and another one."""
        model, lower, upper = self.model, self.model.lower[k], self.model.upper[k]
        if bit == k:
            return {bit: 1.0}
        if not np.isfinite([float(lower), float(upper)]).all():
            raise ProblemError(f"{self._label(k)!r} stands in a product and is not bounded, expected bounds")
        name = f"{self._label(bit)} * {self._label(k)}"
        least, most = min(lower, 0), max(upper, 0)
        if not model.is_whole[k]:
            p = int(model.continuous(name, float(least), float(most)))
        else:
            p = int(model.binary(name) if (least, most) == (0, 1) else model.integer(name, int(least), int(most)))
        model.constrain(f"{name} <= 1st", [p, bit], [1, -upper], "<=", 0)
        model.constrain(f"{name} >= 1st", [p, bit], [1, -lower], ">=", 0)
        model.constrain(f"{name} >= 2nd", [p, k, bit], [1, -1, -upper], ">=", -upper)
        model.constrain(f"{name} <= 2nd", [p, k, bit], [1, -1, -lower], "<=", -lower)
        return {p: 1.0}
