"""Noise: which channels come with which gates, models of devices, circuits for them, rates learnt from counts."""

from typing import TYPE_CHECKING

from qloom.exports import exported_by

if TYPE_CHECKING:
    from qloom.noise.benchmarking import Decay, randomized_benchmarking
    from qloom.noise.braket_models import from_braket
    from qloom.noise.cirq_models import from_cirq
    from qloom.noise.compilation.compiling import Compiled, compiled
    from qloom.noise.fitting import NoiseFit, fit
    from qloom.noise.model import NoiseModel, Note
    from qloom.noise.qiskit_models import from_qiskit

__all__ = [
    "Compiled", "Decay", "NoiseFit", "NoiseModel", "Note", "compiled", "fit", "from_braket", "from_cirq", "from_qiskit",
    "randomized_benchmarking",
]  # fmt: skip

__getattr__ = exported_by(__name__)


def __dir__() -> list[str]:
    return __all__
