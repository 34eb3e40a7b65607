"""Fits of values at several noise scales, and what they give where there is no noise.

All are least squares without weights. A fit is refused where its points do not determine it, or where it would multiply
the errors of the values beyond use.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from qloom.checks import is_integer
from qloom.errors import CircuitError

# Of a fit that multiplies the errors of the values by more than this nothing is left to read.
MOST_AMPLIFICATION = 1000.0


class Extrapolated(NamedTuple):
    """A value at scale 0 with its standard error, numbers or arrays; nan where nothing is known of it."""

    value: Any
    error: Any


@dataclass(frozen=True)
class Solution:
    """What a fit found.

    Shapes: value (E,); slopes, its derivatives by the values, and residuals, values less the curve, (S, E).
    """

    value: np.ndarray
    slopes: np.ndarray
    residuals: np.ndarray


class Fit(ABC):
    """A curve through S values, least squares without weights. Frozen.

    Attributes:
        reads_errors: whether `check_values` asks for the errors of the values.
    """

    reads_errors: bool = False

    @abstractmethod
    def n_parameters(self, scales: np.ndarray) -> int:
        """How many numbers the curve has.

        Shapes: scales (S,).
        """

    @abstractmethod
    def check_scales(self, scales: np.ndarray) -> None:
        """Raise CircuitError unless scales (S,) determine the curve."""

    @abstractmethod
    def solve(self, scales: np.ndarray, values: np.ndarray) -> Solution:
        """The curve through values (S, E)."""

    def check_values(  # noqa: B027 - most curves take any
        self, values: np.ndarray, errors: np.ndarray, solution: Solution, are_estimated: bool
    ) -> None:
        """Raise UnsupportedError where values (S, E) with such errors say nothing of the curve.

        Args:
            are_estimated: whether the errors were found from the scatter about the curve.
        """

    def resolving(self, size: float) -> Fit:
        """The same for values that are known to such a rounding."""
        return self

    def with_asymptote(self, asymptote: np.ndarray) -> Fit:
        """The same towards the values (E,) that are left when noise has taken all, where the curve has such and none
        was chosen."""
        return self


@dataclass(frozen=True)
class PolynomialFit(Fit):
    """A polynomial of some order; at scale 0 a linear combination of the values.

    Args:
        order: 1 for a straight line.

    Raises:
        CircuitError: for an order below 1.
    """

    order: int = 1

    def __post_init__(self) -> None:
        if not is_integer(self.order) or self.order < 1:
            raise CircuitError(f"order={self.order!r} of a fit, expected an integer of at least 1")

    def n_parameters(self, scales: np.ndarray) -> int:
        return self.order + 1

    def check_scales(self, scales: np.ndarray) -> None:
        _check_count(scales, self.n_parameters(scales), f"a polynomial of order {self.order}")
        amplification = float(np.linalg.norm(self.coefficients(scales)))
        if amplification > MOST_AMPLIFICATION:
            raise CircuitError(
                f"scales {_text(scales)} make a fit of order {self.order} multiply errors by {amplification:.3g}, "
                f"expected at most {MOST_AMPLIFICATION:g}; put them farther apart or lower the order"
            )

    def coefficients(self, scales: np.ndarray) -> np.ndarray:
        """What each value counts at scale 0, (S,)."""
        return np.linalg.pinv(self._powers(scales))[0]

    def solve(self, scales: np.ndarray, values: np.ndarray) -> Solution:
        powers = self._powers(scales)
        inverse = np.linalg.pinv(powers)
        found = inverse @ values
        slopes = np.broadcast_to(inverse[0][:, None], values.shape)
        return Solution(found[0], slopes, values - powers @ found)

    def _powers(self, scales: np.ndarray) -> np.ndarray:
        return np.vander(scales / scales.max(), self.n_parameters(scales), increasing=True)


@dataclass(frozen=True)
class RichardsonFit(PolynomialFit):
    """The polynomial through all points: of an order one below the number of different scales.

    Source: Temme, Bravyi, Gambetta 2017, Phys. Rev. Lett. 119, 180509.
    """

    def n_parameters(self, scales: np.ndarray) -> int:
        return len(different(scales))

    def check_scales(self, scales: np.ndarray) -> None:
        _check_count(scales, 2, "Richardson's extrapolation")
        PolynomialFit(self.n_parameters(scales) - 1).check_scales(scales)


def _check_count(scales: np.ndarray, needed: int, what: str) -> None:
    found = len(different(scales))
    if found < needed:
        raise CircuitError(
            f"scales {_text(scales)} are {found} different one{'s' * (found != 1)}, expected at least {needed} for "
            f"{what}; add scales or take a simpler fit"
        )


def different(scales: np.ndarray) -> np.ndarray:
    """The scales that differ beyond rounding, in order."""
    return np.unique(np.round(np.asarray(scales, float), 9))


def checked_scales(scales: Any) -> np.ndarray:
    """Scales as an array (S,); CircuitError unless they are finite numbers above 0."""
    try:
        found = np.array(scales, dtype=np.float64)
    except (TypeError, ValueError):
        raise CircuitError(f"scales={scales!r}, expected numbers above 0 such as (1, 3, 5)") from None
    if found.ndim != 1 or not len(found) or not np.isfinite(found).all() or found.min() <= 0:
        raise CircuitError(f"scales={scales!r}, expected numbers above 0 such as (1, 3, 5)")
    return found


def _text(scales: np.ndarray) -> str:
    return f"({', '.join(f'{scale:g}' for scale in scales)})"


def make_fit(fit: Any) -> Fit:
    """A fit from what a caller may give: a name, the order of a polynomial, or a `Fit`."""
    from qloom.mitigation.exponential import ExponentialFit

    named: dict[str, Fit] = {
        "linear": PolynomialFit(1), "polynomial": PolynomialFit(2), "richardson": RichardsonFit(),
        "exponential": ExponentialFit(),
    }  # fmt: skip
    if isinstance(fit, Fit):
        return fit
    if is_integer(fit):
        return PolynomialFit(int(fit))
    if not isinstance(fit, str) or fit not in named:
        raise CircuitError(f"fit={fit!r}, expected one of {', '.join(named)}, the order of a polynomial, or a Fit")
    return named[fit]


def extrapolate(
    scales: Sequence[float], values: Any, errors: Any = None, fit: str | int | Fit = "linear"
) -> Extrapolated:
    """Values without noise, from values at several noise scales.

    Args:
        scales: how many times the noise there is.
        values: at each of them.
        errors: standard errors of the values, which are carried through to first order; without them they are found
            from the scatter about the curve, nan where all points lie on it by construction.
        fit: "linear", "polynomial" (of order 2), an order, "richardson" (through all points), "exponential" or a `Fit`.

    Shapes: scales (S,); values, errors (S,) or (S, ...) -> value and error () or (...).

    Raises:
        CircuitError: for scales that do not determine the fit.
        UnsupportedError: for values that do not.
    """
    chosen, at = make_fit(fit), checked_scales(scales)
    y = np.asarray(values, dtype=np.float64)
    if y.ndim == 0 or len(y) != len(at) or not np.isfinite(y).all():
        raise CircuitError(f"values of shape {y.shape} at {len(at)} scales, expected a finite value at each scale")
    chosen.check_scales(at)
    flat, rest = y.reshape(len(at), -1), y.shape[1:]
    known = None if errors is None else np.broadcast_to(np.asarray(errors, np.float64), y.shape).reshape(flat.shape)
    solution = chosen.solve(at, flat)
    sigma = _scatter(solution.residuals, chosen.n_parameters(at)) if known is None else known
    chosen.check_values(flat, np.nan_to_num(sigma, nan=0.0), solution, known is None)
    error = np.sqrt(((solution.slopes * sigma) ** 2).sum(axis=0))
    return Extrapolated(_plain(solution.value.reshape(rest)), _plain(error.reshape(rest)))


def _scatter(residuals: np.ndarray, n_parameters: int) -> np.ndarray:
    """Errors of the values, alike for all, from their residuals (S, E): nan where no point is left over."""
    left = len(residuals) - n_parameters
    if left < 1:
        return np.full_like(residuals, np.nan)
    return np.broadcast_to(np.sqrt((residuals**2).sum(axis=0) / left), residuals.shape)


def _plain(array: np.ndarray) -> Any:
    return float(array) if array.ndim == 0 else array
