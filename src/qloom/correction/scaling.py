"""What error rates of several distances say: how fast errors fall with distance, and below which noise they do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, exp, log, sqrt

import numpy as np

from qloom.correction.statistics import LogicalErrors
from qloom.errors import ConfigError


@dataclass(frozen=True)
class Suppression:
    """ln(error per round) over the distance, at one noise.

    Attributes:
        slope: of a unit of distance; errors per round fall by exp(slope).
        error: its standard error, from the errors that were counted.
        intercept: of the line, at distance 0.
    """

    slope: float
    error: float
    intercept: float

    @property
    def factor(self) -> float:
        """How many times rarer errors are two distances on, often called Lambda."""
        return exp(-2 * self.slope)

    def __str__(self) -> str:
        return f"ln(error per round) falls by {-self.slope:.3f} +- {self.error:.3f} a unit of distance"


@dataclass(frozen=True)
class Threshold:
    """Where the curves of two distances cross, error per round over physical error.

    Attributes:
        p: mean of the crossings, weighted by their errors.
        error: its standard error.
        crossings: (smaller distance, larger distance, p, standard error) of each pair of neighbours.
    """

    p: float
    error: float
    crossings: tuple[tuple[int, int, float, float], ...]

    def __str__(self) -> str:
        return f"error rates cross at p = {self.p:.4g} +- {self.error:.1g}"


@dataclass(frozen=True)
class LogicalRate:
    """Errors per round of distance d at noise p, prefactor (p / threshold)^((d + 1) / 2).

    Attributes:
        prefactor: A.
        threshold: the noise at which this line says that distance stops to matter; fitted well below it.
        source: where the numbers are from.
    """

    prefactor: float
    threshold: float
    source: str

    def per_round(self, p: float, distance: int) -> float:
        """The error rate of one logical qubit in one round.

        Args:
            p: the noise.
            distance: of the code.
        """
        return self.prefactor * (p / self.threshold) ** ((distance + 1) / 2)

    def distance(self, p: float, per_round: float) -> int:
        """The least odd distance, from 3, whose error rate is at most this.

        Args:
            p: the noise.
            per_round: the error rate that is allowed.

        Raises:
            ConfigError: if p is not below the threshold.
        """
        if not p < self.threshold:
            raise ConfigError(
                f"noise of {p:.3g} is not below the threshold {self.threshold:.3g}: no distance reaches "
                f"{per_round:.3g} a round; expected fewer errors of the device"
            )
        half = log(per_round / self.prefactor) / log(p / self.threshold)  # (d + 1) / 2
        return max(3, 2 * ceil(half - 1e-9) - 1)


def fit_suppression(results: Iterable[LogicalErrors]) -> Suppression:
    """Of experiments at one noise and at least two distances, by least squares weighted by counted errors.

    As in all fits here, results without an error or with half of all shots wrong have no logarithm and are left out.

    Raises:
        ConfigError: for errors at fewer than 2 distances.
    """
    results = _with_errors(results)
    distances = np.array([found.distance for found in results], float)
    if len(set(distances)) < 2:
        raise ConfigError(f"distances {sorted(set(distances))} with errors, expected at least 2 to fit a slope")
    coefficients, covariance = _weighted_line(distances, results)
    return Suppression(float(coefficients[1]), sqrt(covariance[1, 1]), float(coefficients[0]))


def fit_rate(results: Iterable[LogicalErrors], source: str = "fitted") -> LogicalRate:
    """A and the threshold of `LogicalRate`, of experiments at several noises or distances below the threshold.

    Args:
        results: with errors.
        source: kept with the law.

    Raises:
        ConfigError: for errors at fewer than 2 distances.
    """
    results = _with_errors(results)
    # ln rate - (d + 1) / 2 ln p = ln A - (d + 1) / 2 ln threshold
    halves = np.array([(found.distance + 1) / 2 for found in results])
    if len(set(halves)) < 2:
        raise ConfigError("errors at fewer than 2 distances, expected at least 2 to fit a threshold")
    offsets = halves * np.log([found.strength for found in results])
    (intercept, slope), _ = _weighted_line(halves, results, offsets)
    return LogicalRate(exp(intercept), exp(-slope), source)


def fit_threshold(results: Iterable[LogicalErrors]) -> Threshold:
    """Where neighbouring distances' errors per round cross.

    For each pair of distances ln of the ratio of their rates is a line in ln p, fitted to the noises that both have,
    which should be near the crossing.

    Raises:
        ConfigError: for fewer than two distances with two noises in common, or curves that do not cross.
    """
    by_distance: dict[int, dict[float, LogicalErrors]] = {}
    for found in _with_errors(results):
        by_distance.setdefault(found.distance, {})[found.strength] = found
    crossings = []
    for small, large in pairwise(sorted(by_distance)):
        common = sorted(by_distance[small].keys() & by_distance[large].keys())
        if len(common) < 2:
            raise ConfigError(f"distances {small} and {large} have {len(common)} noises in common, expected 2 or more")
        pairs = [(by_distance[small][p], by_distance[large][p]) for p in common]
        crossings.append((small, large, *_crossing(np.log(common), pairs)))
    if not crossings:
        raise ConfigError(f"distances {sorted(by_distance)}, expected at least 2 to find where they cross")
    weights = np.array([error**-2 for *_, error in crossings])
    mean = float(np.average([p for _, _, p, _ in crossings], weights=weights))
    return Threshold(mean, float(weights.sum() ** -0.5), tuple(crossings))


def _crossing(logs: np.ndarray, pairs: Sequence[tuple[LogicalErrors, LogicalErrors]]) -> tuple[float, float]:
    """p where the ratio is 1, and its standard error."""
    ratios = np.array([log(large.per_round / small.per_round) for small, large in pairs])
    variances = np.array([_variance(small) + _variance(large) for small, large in pairs])
    middle = np.average(logs, weights=1 / variances)
    (height, slope), covariance = _line(logs - middle, ratios, variances)
    place = -height / slope
    if slope <= 0 or not logs[0] - 1 <= middle + place <= logs[-1] + 1:
        raise ConfigError("error rates of two distances do not cross at these noises, expected some on both sides")
    spread = sqrt(covariance[0, 0] + place**2 * covariance[1, 1] + 2 * place * covariance[0, 1]) / slope
    p = exp(middle + place)
    return p, float(p * spread)


def _with_errors(results: Iterable[LogicalErrors]) -> list[LogicalErrors]:
    """Those that can be put on a logarithmic axis: some errors, and fewer than half."""
    return [found for found in results if found.errors and found.error_rate < 0.5]


def _weighted_line(
    x: np.ndarray, results: Sequence[LogicalErrors], offsets: np.ndarray | float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Height and slope of ln(error per round) less offsets, and their covariance."""
    rates = np.log([found.per_round for found in results]) - offsets
    return _line(x, rates, np.array([_variance(found) for found in results]))


def _variance(found: LogicalErrors) -> float:
    """Of ln(error per round), by the delta method: the binomial deviation times d ln(per round) / d(error rate)."""
    left = 1 - 2 * found.error_rate
    slope = left ** (1 / found.rounds - 1) / found.rounds
    return found.error_rate * (1 - found.error_rate) / found.shots * (slope / found.per_round) ** 2


def _line(x: np.ndarray, y: np.ndarray, variances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Height and slope of y = h + s x by weighted least squares, and their covariance."""
    design = np.stack([np.ones_like(x), x], axis=1)
    covariance = np.linalg.inv(design.T @ (design / variances[:, None]))
    return covariance @ design.T @ (y / variances), covariance
