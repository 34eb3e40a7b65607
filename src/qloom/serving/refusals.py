"""What a server answers instead of predictions: a status, one line, and for cells each row and column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

MOST_PROBLEMS = 100
"""Problems listed in an answer; of more it says so."""


@dataclass(frozen=True)
class Problem:
    """One cell, column or row that cannot be used.

    Attributes:
        row: from 0; None where it is the column as a whole.
        column: its name; None where it is the row as a whole.
        given, expected: in words.
    """

    row: int | None
    column: str | None
    given: str
    expected: str

    def __str__(self) -> str:
        place = [f"row {self.row}"] * (self.row is not None) + [f"column {self.column!r}"] * (self.column is not None)
        return f"{', '.join(place)}: {self.given}, expected {self.expected}"


class RequestError(Exception):
    """A request that is answered without predictions.

    Args:
        status: of HTTP.
        reason: one word, for metrics.
        line: what was given, what was expected, what to do.
        problems: where in the rows.
        headers: of the answer.
    """

    def __init__(
        self, status: int, reason: str, line: str, problems: Sequence[Problem] = (),
        headers: Mapping[str, str] | None = None,
    ):  # fmt: skip
        super().__init__(line)
        self.status, self.reason, self.line = status, reason, line
        self.problems, self.headers = tuple(problems), dict(headers or {})

    def content(self) -> dict[str, Any]:
        """Plain JSON values."""
        found: dict[str, Any] = {"error": self.line}
        if self.problems:
            found["problems"] = [asdict(problem) for problem in self.problems[:MOST_PROBLEMS]]
            found["all_listed"] = len(self.problems) <= MOST_PROBLEMS
        return found


def invalid(problems: Sequence[Problem]) -> RequestError:
    """The refusal of rows of which some cannot be used: none is predicted."""
    more = min(len(problems), MOST_PROBLEMS) - 1
    others = f"; {'at least ' * (len(problems) > MOST_PROBLEMS)}{more} more" if more else ""
    return RequestError(422, "invalid", f"{problems[0]}{others}; no row was predicted", problems)


def spoken(value: object) -> str:
    """A value as it was given, shortened."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
