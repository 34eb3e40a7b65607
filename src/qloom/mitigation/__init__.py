"""Mitigation: engines that wrap engines and take their noise away, as far as that goes."""

from typing import TYPE_CHECKING

from qloom.exports import exported_by

if TYPE_CHECKING:
    from qloom.mitigation.exponential import ExponentialFit
    from qloom.mitigation.fits import Extrapolated, Fit, PolynomialFit, RichardsonFit, extrapolate
    from qloom.mitigation.folding import fold
    from qloom.mitigation.zero_noise import ZeroNoise

__all__ = [
    "ExponentialFit",
    "Extrapolated",
    "Fit",
    "PolynomialFit",
    "RichardsonFit",
    "ZeroNoise",
    "extrapolate",
    "fold",
]

__getattr__ = exported_by(__name__)


def __dir__() -> list[str]:
    return __all__
