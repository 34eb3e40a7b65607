"""Trainability: whether a circuit's gradients will be large enough to train by, found before hours are spent."""

from qloom.trainability.diagnosis import Diagnosis, diagnose
from qloom.trainability.effective_dimension import effective_dimension, fisher_information
from qloom.trainability.expressibility import (
    Spectrum,
    entangling_capability,
    expressibility,
    meyer_wallach,
    spectrum,
)
from qloom.trainability.heisenberg import reached_words
from qloom.trainability.lie_algebra import generators, lie_closure
from qloom.trainability.plot import plot_decay
from qloom.trainability.restriction import restricted, restricted_observable, restricted_observables
from qloom.trainability.variance import Decay, GradientVariance, decay, gradient_variance
from qloom.trainability.warm_starts import clifford_start, extended_weights

__all__ = [
    "Decay",
    "Diagnosis",
    "GradientVariance",
    "Spectrum",
    "clifford_start",
    "decay",
    "diagnose",
    "effective_dimension",
    "entangling_capability",
    "expressibility",
    "extended_weights",
    "fisher_information",
    "generators",
    "gradient_variance",
    "lie_closure",
    "meyer_wallach",
    "plot_decay",
    "reached_words",
    "restricted",
    "restricted_observable",
    "restricted_observables",
    "spectrum",
]
