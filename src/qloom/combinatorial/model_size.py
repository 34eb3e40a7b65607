"""How large a model is or would be, counted before anything of it is built."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from qloom.combinatorial.model import Model
from qloom.errors import MemoryLimitError

# What a model and all that is made of it may take, in bytes.
MOST_BYTES = 700e6
# Bytes for each, at the most that there are at once on the way to bits with penalties, or to a linear program solved.
VARIABLE, TERM, ENTRY, PAIR, PRODUCT = 300, 250, 150, 100, 900
# Bits of the slack of a constraint, roughly.
SLACK = 32


class ModelSize(NamedTuple):
    """Of a model.

    Attributes:
        variables: N.
        terms: products in the objective.
        products: those of them that are of two variables or more.
        entries: coefficients of the constraints.
        pairs: of variables that meet in a constraint, which its penalty couples.
    """

    variables: int
    terms: int
    products: int
    entries: int = 0
    pairs: int = 0

    @classmethod
    def of(cls, model: Model) -> ModelSize:
        """Of a model that is there."""
        orders = [indices.shape for indices, _ in model.terms]
        lengths = np.array([len(c.variables) for c in model.constraints], np.int64)
        products = sum(count for count, order in orders if order > 1)
        return cls(model.n, sum(c for c, _ in orders), products, int(lengths.sum()), int((lengths**2).sum()))

    def constrained(self, rows: int, length: int) -> ModelSize:
        """With so many constraints more, of so many variables each."""
        return self._replace(entries=self.entries + rows * length, pairs=self.pairs + rows * length**2)

    @property
    def form_bytes(self) -> float:
        """Of the model and its form in bits with penalties, roughly."""
        coupled = min(self.pairs, self.variables**2) + SLACK * self.entries
        return VARIABLE * self.variables + TERM * self.terms + ENTRY * self.entries + PAIR * coupled

    @property
    def program_bytes(self) -> float:
        """Of the model and its linear program, roughly."""
        return VARIABLE * self.variables + TERM * self.terms + ENTRY * self.entries + PRODUCT * self.products

    def check_form(self) -> None:
        """Raises:
        MemoryLimitError: if the form in bits would take more than `MOST_BYTES`.
        """
        self._check(self.form_bytes)

    def check_program(self) -> None:
        """Raises:
        MemoryLimitError: if the linear program would take more than `MOST_BYTES`.
        """
        self._check(self.program_bytes)

    def _check(self, needed: float) -> None:
        if needed > MOST_BYTES:
            raise MemoryLimitError(
                f"its model would have {self.variables:,} variables and {self.terms:,} terms, about "
                f"{float(f'{needed / 1e9:.2g}'):,g} GB; at most {MOST_BYTES / 1e9:g} GB are taken"
            )
