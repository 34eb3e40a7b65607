"""Trainability: whether a circuit's gradients will be large enough to train by, found before hours are spent."""

from qloom.trainability.diagnosis import Diagnosis, diagnose
from qloom.trainability.expressibility import (
    Spectrum,
    entangling_capability,
    expressibility,
    meyer_wallach,
    spectrum,
)
from qloom.trainability.lie_algebra import generators, lie_closure
from qloom.trainability.restriction import restricted, restricted_observable
from qloom.trainability.variance import Decay, GradientVariance, decay, gradient_variance

__all__ = [
    "Decay",
    "Diagnosis",
    "GradientVariance",
    "Spectrum",
    "decay",
    "diagnose",
    "entangling_capability",
    "expressibility",
    "generators",
    "gradient_variance",
    "lie_closure",
    "meyer_wallach",
    "restricted",
    "restricted_observable",
    "spectrum",
]
