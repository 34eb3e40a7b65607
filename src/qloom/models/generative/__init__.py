"""Generative models of bits and tables, quantum and classical."""

from typing import TYPE_CHECKING

from qloom.exports import exported_by

if TYPE_CHECKING:
    from qloom.models.generative.boltzmann import QuantumBoltzmannMachine
    from qloom.models.generative.chow_liu import ChowLiuTree, chow_liu_edges
    from qloom.models.generative.independent import IndependentBits
    from qloom.models.generative.iqp.gates import neighbours
    from qloom.models.generative.iqp.model import IQPModel
    from qloom.models.generative.qcbm import QCBM
    from qloom.models.generative.qgan import QGAN
    from qloom.models.generative.restricted_boltzmann import RestrictedBoltzmannMachine

__all__ = [
    "QCBM",
    "QGAN",
    "ChowLiuTree",
    "IQPModel",
    "IndependentBits",
    "QuantumBoltzmannMachine",
    "RestrictedBoltzmannMachine",
    "chow_liu_edges",
    "neighbours",
]

__getattr__ = exported_by(__name__)


def __dir__() -> list[str]:
    return __all__
