"""Optimizers that know circuits, as torch optimizers; they work beside others on the classical parameters."""

from qloom.optimizers.base import Cost, QuantumOptimizer, classical_parameters, quantum_layers
from qloom.optimizers.growth import Adapt, Growth, RiemannianFlow, local_words, pool_slopes, words_of
from qloom.optimizers.imaginary_time import ImaginaryTime
from qloom.optimizers.natural_gradient import NaturalGradient
from qloom.optimizers.qnspsa import QNSPSA
from qloom.optimizers.rotoselect import Rotoselect
from qloom.optimizers.rotosolve import Rotosolve
from qloom.optimizers.shot_adaptive_adam import ShotAdaptiveAdam
from qloom.optimizers.spsa import SPSA

__all__ = [
    "QNSPSA",
    "SPSA",
    "Adapt",
    "Cost",
    "Growth",
    "ImaginaryTime",
    "NaturalGradient",
    "QuantumOptimizer",
    "RiemannianFlow",
    "Rotoselect",
    "Rotosolve",
    "ShotAdaptiveAdam",
    "classical_parameters",
    "local_words",
    "pool_slopes",
    "quantum_layers",
    "words_of",
]
