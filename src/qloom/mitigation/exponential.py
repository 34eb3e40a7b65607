"""The exponential fit: what is left of a value falls by a constant factor a unit of noise."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from qloom.errors import CircuitError, UnsupportedError
from qloom.mitigation.fits import Fit, Solution, _check_count

# Values nearer to the asymptote than so many standard errors say nothing of how fast they fall.
SIGNIFICANT = 5.0
# What is found at scale 0 has to be beyond so many of its own.
RESOLVED = 2.0
_MOST_STEPS = 200


@dataclass(frozen=True, eq=False)
class ExponentialFit(Fit):
    """c + b exp(-a s) with a >= 0 at scales s, b and a by least squares; at scale 0 it is c + b.

    Args:
        asymptote: c, what is left when noise has taken all; None for 0, or for what the outputs of a circuit have in
            the most mixed state.
        resolved: values nearer to the asymptote than this are on it.
    """

    asymptote: Any = None
    resolved: float = 1e-12

    @property
    def reads_errors(self) -> bool:  # type: ignore[override]
        """Whether `check_values` asks for the errors of the values: it does."""
        return True

    def resolving(self, size: float) -> Fit:
        return replace(self, resolved=max(self.resolved, size))

    def with_asymptote(self, asymptote: np.ndarray) -> Fit:
        return self if self.asymptote is not None else replace(self, asymptote=asymptote)

    def n_parameters(self, scales: np.ndarray) -> int:
        return 2

    def check_scales(self, scales: np.ndarray) -> None:
        _check_count(scales, 2, "an exponential")

    def check_values(self, values: np.ndarray, errors: np.ndarray, solution: Solution, are_estimated: bool) -> None:
        signal = self._signal(values)
        sizes = np.abs(signal)
        # Errors that are themselves found from the scatter say little: every point has to stand out of them.
        told = sizes.min(axis=0) if are_estimated else sizes.max(axis=0)
        lost = (told <= SIGNIFICANT * errors.max(axis=0)) | (np.sign(signal) != np.sign(signal[0])).any(axis=0)
        found = solution.value - self._level(values)
        lost |= np.abs(found) < RESOLVED * np.sqrt(((np.nan_to_num(solution.slopes) * errors) ** 2).sum(axis=0))
        lost &= sizes.max(axis=0) > self.resolved
        if lost.any():
            e = int(np.flatnonzero(lost)[0])
            given = ", ".join(f"{v:.3g}" for v in values[:, e])
            raise UnsupportedError(
                f"an exponential through {given} with errors of {errors[:, e].max():.2g} ({int(lost.sum())} of "
                f"{len(lost)} signals are within their noise), expected signals of one sign beyond {SIGNIFICANT:g} "
                'standard errors; take more shots, give errors where they are known, or take fit="linear"'
            )

    def solve(self, scales: np.ndarray, values: np.ndarray) -> Solution:
        y = self._signal(values)
        slopes, fitted = np.full_like(y, np.nan), y.copy()
        value = np.zeros(y.shape[1])
        sizes = np.abs(y)
        # Elsewhere there is no exponential: `check_values` refuses them, or they are 0 and stay it.
        falls = (sizes.min(axis=0, initial=np.inf) > self.resolved) & (np.sign(y) == np.sign(y[:1])).all(axis=0)
        if falls.any():
            a, b = _least_squares(scales, y[:, falls])
            level = a <= 0
            a, b = np.where(level, 0, a), np.where(level, y[:, falls].mean(axis=0), b)
            value[falls], fitted[:, falls] = b, b * np.exp(-np.outer(scales, a))
            slopes[:, falls] = np.where(level, 1 / len(y), _slopes(scales, y[:, falls], a, b))
        return Solution(value + self._level(values), slopes, y - fitted)

    def _level(self, values: np.ndarray) -> np.ndarray:
        level = np.zeros(values.shape[1]) if self.asymptote is None else np.asarray(self.asymptote, np.float64).ravel()
        if values.shape[1] % max(len(level), 1) or not len(level):
            raise CircuitError(f"asymptote of {len(level)} values for {values.shape[1]}, expected one each")
        return np.tile(level, values.shape[1] // len(level))

    def _signal(self, values: np.ndarray) -> np.ndarray:
        return values - self._level(values)


def _least_squares(s: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """a and b (E,) by Levenberg and Marquardt's steps from a straight line through the logarithms."""
    a, b = _of_logarithms(s, y)
    damping, costs = np.full(len(a), 1e-3), _cost(s, y, a, b)
    for _ in range(_MOST_STEPS):
        e = np.exp(-np.outer(s, a))
        jacobian = np.stack([-s[:, None] * b * e, e])  # [a or b, scale, value]
        normal, downhill = np.einsum("kse,lse->ekl", jacobian, jacobian), np.einsum("kse,se->ek", jacobian, y - b * e)
        damped = normal + damping[:, None, None] * np.einsum("ekk->ek", normal)[:, :, None] * np.eye(2)
        step = np.linalg.solve(damped, downhill[..., None])[..., 0]
        tried_a, tried_b = a + step[:, 0], b + step[:, 1]
        tried = _cost(s, y, tried_a, tried_b)
        better = tried <= costs
        a, b, costs = (np.where(better, x, old) for x, old in ((tried_a, a), (tried_b, b), (tried, costs)))
        damping = np.clip(np.where(better, damping / 10, damping * 10), 1e-14, 1e14)
        if (np.abs(step) <= 1e-14 * (1 + np.abs(np.stack([a, b], axis=1)))).all():
            break
    return _polished(s, y, a, b)


def _of_logarithms(s: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same for logarithms, weighted as errors of the values have it: exact where all points are on one curve."""
    logs, weights = np.log(np.abs(y)), y**2 / (y**2).sum(axis=0)
    mean_s, mean_log = (weights * s[:, None]).sum(axis=0), (weights * logs).sum(axis=0)
    apart = s[:, None] - mean_s
    a = -(weights * apart * (logs - mean_log)).sum(axis=0) / (weights * apart**2).sum(axis=0)
    return a, np.sign(y[0]) * np.exp(mean_log + a * mean_s)


def _cost(s: np.ndarray, y: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore", invalid="ignore"):
        return np.nan_to_num(((y - b * np.exp(-np.outer(s, a))) ** 2).sum(axis=0), nan=np.inf)


def _polished(s: np.ndarray, y: np.ndarray, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A few of Newton's steps: costs are flat to rounding long before their slopes are."""
    for _ in range(3):
        e = np.exp(-np.outer(s, a))
        residuals = y - b * e
        by_a, by_b = (-s[:, None] * b * e * residuals).sum(axis=0), (e * residuals).sum(axis=0)
        aa, ab, bb = _curvature(s, y, a, b)
        determinant = aa * bb - ab**2
        steps = (bb * by_a - ab * by_b) / determinant, (aa * by_b - ab * by_a) / determinant
        small = (determinant > 0) & (np.abs(steps[0]) < 1e-3) & (np.abs(steps[1]) < 1e-3 * np.abs(b))
        a, b = (np.where(small, x + step, x) for x, step in zip((a, b), steps, strict=True))
    return a, b


def _curvature(s: np.ndarray, y: np.ndarray, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, ...]:
    """Half the second derivatives of the cost by a and a, a and b, b and b, (E,)."""
    e = np.exp(-np.outer(s, a))
    residuals, by_a = y - b * e, -s[:, None] * b * e
    aa = (by_a**2 - residuals * s[:, None] ** 2 * b * e).sum(axis=0)
    return aa, (by_a * e + residuals * s[:, None] * e).sum(axis=0), (e**2).sum(axis=0)


def _slopes(s: np.ndarray, y: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """db/dy (S, E), from what holds at the least squares: J^T (y - m) = 0 differentiated."""
    e = np.exp(-np.outer(s, a))
    aa, ab, bb = _curvature(s, y, a, b)
    return (aa * e + ab * s[:, None] * b * e) / (aa * bb - ab**2)
