"""Mitigation: engines that wrap engines and take their noise away, as far as that goes."""

from typing import TYPE_CHECKING

from qloom.exports import exported_by

if TYPE_CHECKING:
    from qloom.mitigation.advice import Advice, advise
    from qloom.mitigation.clifford_regression import CliffordDataRegression
    from qloom.mitigation.confusion import measured_confusion
    from qloom.mitigation.error_cancellation import ErrorCancellation, inverse_quasi_probabilities
    from qloom.mitigation.exponential import ExponentialFit
    from qloom.mitigation.fits import Extrapolated, Fit, PolynomialFit, RichardsonFit, extrapolate
    from qloom.mitigation.folding import fold
    from qloom.mitigation.post_selection import PostSelected
    from qloom.mitigation.readout_inversion import ReadoutInversion
    from qloom.mitigation.twirled_readout import TwirledReadout
    from qloom.mitigation.twirling import Twirled
    from qloom.mitigation.zero_noise import ZeroNoise

__all__ = [
    "Advice", "CliffordDataRegression", "ErrorCancellation", "ExponentialFit", "Extrapolated", "Fit", "PolynomialFit",
    "PostSelected", "ReadoutInversion", "RichardsonFit", "Twirled", "TwirledReadout", "ZeroNoise", "advise",
    "extrapolate", "fold", "inverse_quasi_probabilities", "measured_confusion",
]  # fmt: skip

__getattr__ = exported_by(__name__)


def __dir__() -> list[str]:
    return __all__
