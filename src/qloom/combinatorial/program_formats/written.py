"""What an LP or MPS file says, before it is a model: columns, rows, objective, each with its line."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from pathlib import Path

from qloom.checks import LARGEST
from qloom.combinatorial.model import Sense
from qloom.combinatorial.problems.text import FormatError

# A bound of this size or more is none, as the field's solvers have it.
INFINITE = 1e20
Pair = tuple[int, int]


@dataclass
class Column:
    """A variable; `lower` and `upper` may be infinite."""

    name: str
    line: int
    lower: float = 0.0
    upper: float = inf
    whole: bool = False


@dataclass
class Row:
    """low <= sum linear_j x_j + sum products_ij x_i x_j <= high.

    Attributes:
        condition: a column and the value of it, 0 or 1, where the row is to hold; None if it always is.
    """

    name: str
    line: int
    low: float = -inf
    high: float = inf
    linear: dict[int, float] = field(default_factory=dict)
    products: dict[Pair, float] = field(default_factory=dict)
    condition: Pair | None = None

    def add(self, column: int, value: float) -> None:
        """What stands there already is added to."""
        self.linear[column] = self.linear.get(column, 0.0) + value

    def add_product(self, first: int, second: int, value: float) -> None:
        """Of two columns, in any order."""
        pair = (min(first, second), max(first, second))
        self.products[pair] = self.products.get(pair, 0.0) + value


@dataclass
class Written:
    """A file's model.

    Attributes:
        objective: a row whose limits mean nothing.
        notes: what of the file was left out or taken for granted, each with its line.
    """

    path: Path
    sense: Sense = "min"
    constant: float = 0.0
    objective: Row = field(default_factory=lambda: Row("objective", 0))
    columns: list[Column] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def refuse(self, line: int, given: str, expected: str) -> FormatError:
        """What is to be raised."""
        return FormatError(f"{self.path}, line {line}: {given}, expected {expected}")

    def number(self, line: int, word: str, what: str) -> float:
        """A finite one.

        Raises:
            FormatError: for another word, or one too large to calculate with.
        """
        value = self.bound(line, word, what)
        if not abs(value) <= LARGEST:
            raise self.refuse(line, repr(word), f"a finite number ({what}), {LARGEST:g} at most")
        return value

    def bound(self, line: int, word: str, what: str) -> float:
        """A number that may be infinite.

        Raises:
            FormatError: for another word.
        """
        try:
            value = float(word) if word.isascii() and "_" not in word else float("nan")
        except ValueError:
            value = float("nan")
        if value != value:
            raise self.refuse(line, repr(word), f"a number ({what})")
        return value if abs(value) < INFINITE or what != "bound" else inf if value > 0 else -inf
