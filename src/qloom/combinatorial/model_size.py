"""How large a model is or would be, counted before anything of it is built."""

from __future__ import annotations

from math import inf
from typing import NamedTuple

import numpy as np

from qloom.combinatorial.model import Model
from qloom.errors import MemoryLimitError, TimeLimitError

# What a model and all that is made of it may take, in bytes.
MOST_BYTES = 700e6
# Bytes for each, at the most that there are at once on the way to bits with penalties, or to a linear program solved.
VARIABLE, TERM, ENTRY, PAIR, PRODUCT = 300, 250, 150, 100, 900
# What a second is enough for: pairs of bits that become couplings, entries and products of a program that is solved.
PAIRS_A_SECOND, ENTRIES_A_SECOND, PRODUCTS_A_SECOND = 1e6, 3e5, 2e4
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

    @classmethod
    def in_bits(cls, model: Model) -> ModelSize:
        """Of its form in bits, slacks among them."""
        spans = np.where(model.is_spin | ~model.is_whole, 1, model.upper - model.lower)
        n_bits = np.where(model.is_whole, np.ceil(np.log2(np.maximum(spans, 0) + 1.0)), 0)
        sizes = [n_bits[indices].prod(axis=1).sum() for indices, _ in model.terms]
        products = sum(size for size, (indices, _) in zip(sizes, model.terms, strict=True) if indices.shape[1] > 1)
        ones = abs(model.rows)
        reach = ones @ spans
        ones.data = (ones.data > 0).astype(float)
        lengths = ones @ n_bits + np.where(model.comparisons == "==", 0, np.ceil(np.log2(reach + 1.0)))
        numbers = n_bits.sum(), sum(sizes), products, lengths.sum(), (lengths**2).sum()
        return cls(*(int(number) for number in numbers))

    @property
    def form_seconds(self) -> float:
        """Of building the form in bits with its penalties, and its couplings, roughly."""
        return (self.terms + self.pairs) / PAIRS_A_SECOND

    @property
    def program_seconds(self) -> float:
        """Until a solver of linear programs has more than just begun, roughly."""
        return self.entries / ENTRIES_A_SECOND + self.products / PRODUCTS_A_SECOND

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

    def check_program(self, time_limit: float = inf) -> None:
        """Raises:
        MemoryLimitError: if the linear program would take more than `MOST_BYTES`.
        TimeLimitError: if nothing can be proven by it in the time.
        """
        self._check(self.program_bytes)
        if self.program_seconds > time_limit:
            raise TimeLimitError(
                f"its linear program has {self.entries:,} coefficients and {self.products:,} products, which take "
                f"about {self.program_seconds:.1f} s, its share is {time_limit:.1f} s"
            )

    def _check(self, needed: float) -> None:
        if needed > MOST_BYTES:
            raise MemoryLimitError(
                f"its model would have {self.variables:,} variables and {self.terms:,} terms, about "
                f"{float(f'{needed / 1e9:.2g}'):,g} GB; at most {MOST_BYTES / 1e9:g} GB are taken"
            )
