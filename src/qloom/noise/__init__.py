"""Noise: which channels come with which gates, models of devices, circuits for them, rates learnt from counts."""

from typing import TYPE_CHECKING

from qloom.exports import exported_by

if TYPE_CHECKING:
    from qloom.noise.compilation.compiling import Compiled, compiled
    from qloom.noise.fitting import NoiseFit, fit
    from qloom.noise.from_braket import from_braket
    from qloom.noise.from_cirq import from_cirq
    from qloom.noise.from_qiskit import from_qiskit
    from qloom.noise.model import NoiseModel, Note
    from qloom.noise.randomized_benchmarking import Decay, randomized_benchmarking

__all__ = [
    "Compiled", "Decay", "NoiseFit", "NoiseModel", "Note", "compiled", "fit", "from_braket", "from_cirq", "from_qiskit",
    "randomized_benchmarking",
]  # fmt: skip

__getattr__ = exported_by(__name__)


def __dir__() -> list[str]:
    return __all__
