"""Logical errors that were counted, with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from qloom.noise.intervals import normal_reach

CONFIDENCE = 0.95


def wilson_interval(errors: int, shots: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Of a probability from `errors` in `shots`; sensible where none or all were errors.

    Source: Wilson 1927, Journal of the American Statistical Association 22, 209.
    """
    z = normal_reach(confidence)
    p, scale = errors / shots, 1 + z * z / shots
    middle = (p + z * z / (2 * shots)) / scale
    margin = z / scale * sqrt(p * (1 - p) / shots + z * z / (4 * shots * shots))
    return (0.0 if errors == 0 else middle - margin, 1.0 if errors == shots else middle + margin)


def rate_per_round(error_rate: float, rounds: int) -> float:
    """The flips q a round, independent, that flip an outcome of `rounds` with `error_rate`.

    1 - 2 error_rate = (1 - 2 q)^rounds; from an error rate of 1/2 on nothing is left of the qubit and q is 1/2.
    """
    left = max(0.0, 1 - 2 * error_rate)
    return (1 - left ** (1 / rounds)) / 2


@dataclass(frozen=True)
class LogicalErrors:
    """What a memory experiment counted.

    Attributes:
        errors: shots whose logical outcome, decoded, was wrong.
        shots: in all.
        code, distance, rounds, basis: of the experiment.
        strength: the largest rate of its noise.
        decoder: what decoded.
    """

    errors: int
    shots: int
    code: str
    distance: int
    rounds: int
    basis: str
    strength: float
    decoder: str

    @property
    def error_rate(self) -> float:
        """Of a shot."""
        return self.errors / self.shots

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's of the error rate of a shot, 95%."""
        return wilson_interval(self.errors, self.shots)

    @property
    def per_round(self) -> float:
        """q, the error rate of a round: 1 - 2 error_rate = (1 - 2 q)^rounds."""
        return rate_per_round(self.error_rate, self.rounds)

    @property
    def per_round_interval(self) -> tuple[float, float]:
        """Of the error rate of a round, 95%."""
        low, high = self.interval
        return rate_per_round(low, self.rounds), rate_per_round(high, self.rounds)

    def __str__(self) -> str:
        low, high = self.interval
        return (
            f"{self.code} code, distance {self.distance}, {self.rounds} rounds, basis {self.basis}, "
            f"p = {self.strength:g}, {self.decoder}: {self.error_rate:.3g} a shot "
            f"({low:.3g} to {high:.3g}; {self.errors} errors in {self.shots} shots), {self.per_round:.3g} a round"
        )
