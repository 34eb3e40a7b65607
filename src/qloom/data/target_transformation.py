"""Monotone maps of a skewed target, under which its errors are of one size, and their inverses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qloom.errors import DataError

TRANSFORMATIONS = ("none", "log", "log1p", "yeo_johnson")


def check_domain(kind: str, lowest: float, name: str) -> None:
    """Raise DataError for a target whose lowest value has no logarithm where one is taken."""
    if (kind == "log" and lowest <= 0) or (kind == "log1p" and lowest <= -1):
        expected = "numbers above 0" if kind == "log" else "numbers above -1"
        raise DataError(
            f"target {name!r} goes down to {lowest:g}, expected {expected} for the transformation {kind}; "
            "choose yeo_johnson or none"
        )


@dataclass(frozen=True)
class TargetTransformation:
    """A map of the target, and its inverse within the training values.

    Attributes:
        kind: one of `TRANSFORMATIONS`: the number itself, its logarithm, that of 1 + it, or the power transformation
            of Yeo and Johnson, of numbers of any sign.
        unit: numbers are counted in it before the power is taken; 1 for the others.
        exponent: lambda of the power transformation, from 0 on.
        low, high: the training values' range, in which values taken back remain.

    Source: Yeo and Johnson 2000, Biometrika 87, 954.
    """

    kind: str = "none"
    unit: float = 1.0
    exponent: float = 1.0
    low: float = -np.inf
    high: float = np.inf

    @classmethod
    def fit(cls, kind: str, values: np.ndarray, name: str) -> TargetTransformation:
        """The map of a kind for training values (B,) of a target.

        Raises:
            DataError: for values that have no logarithm.
        """
        lowest = float(values.min())
        check_domain(kind, lowest, name)
        unit = exponent = 1.0
        if kind == "yeo_johnson":
            from sklearn.preprocessing import PowerTransformer

            unit = float(np.median(np.abs(values[values != 0])))  # about which the map bends
            power = PowerTransformer(method="yeo-johnson", standardize=False)
            # Below 0 the map is bounded, and a small error near its bound is any number taken back.
            exponent = max(float(power.fit((values / unit)[:, None]).lambdas_[0]), 0.0)
        elif kind == "log1p":
            exponent = 0.0
        bounds = {} if kind == "none" else {"low": lowest, "high": float(values.max())}
        return cls(kind, unit, exponent, **bounds)

    def forward(self, values: np.ndarray) -> np.ndarray:
        """Values in the target's unit -> transformed ones; those beyond the training range are mapped as its ends."""
        if self.kind == "none":
            return values
        return self._forward(np.clip(values, self.low, self.high))

    def inverse(self, transformed: np.ndarray) -> np.ndarray:
        """Transformed values -> values in the target's unit, within the training range."""
        if self.kind == "none":
            return transformed
        low, high = self._forward(np.array([self.low, self.high]))
        within = np.clip(transformed, low, high)
        if self.kind == "log":
            return np.exp(within)
        from scipy.special import inv_boxcox1p  # where it is needed: most predictions do without scipy

        negative = -inv_boxcox1p(np.maximum(-within, 0), 2 - self.exponent)
        return self.unit * np.where(within < 0, negative, inv_boxcox1p(np.maximum(within, 0), self.exponent))

    def _forward(self, values: np.ndarray) -> np.ndarray:
        if self.kind == "log":
            return np.log(values)
        from scipy.special import boxcox1p

        counted = values / self.unit
        negative = -boxcox1p(np.maximum(-counted, 0), 2 - self.exponent)
        return np.where(counted < 0, negative, boxcox1p(np.maximum(counted, 0), self.exponent))
