"""Optimizers that know circuits, as torch optimizers; they work beside others on the classical parameters."""

from qloom.optimizers.base import Cost, QuantumOptimizer, classical_parameters, quantum_layers
from qloom.optimizers.imaginary_time import ImaginaryTime
from qloom.optimizers.natural_gradient import NaturalGradient
from qloom.optimizers.qnspsa import QNSPSA
from qloom.optimizers.rotosolve import Rotosolve
from qloom.optimizers.spsa import SPSA

__all__ = [
    "QNSPSA",
    "SPSA",
    "Cost",
    "ImaginaryTime",
    "NaturalGradient",
    "QuantumOptimizer",
    "Rotosolve",
    "classical_parameters",
    "quantum_layers",
]
