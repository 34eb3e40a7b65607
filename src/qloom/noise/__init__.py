"""Noise: which channels come with which gates, models of devices, and rates learnt from counts."""

from qloom.noise.fitting import NoiseFit, fit
from qloom.noise.from_braket import from_braket
from qloom.noise.from_cirq import from_cirq
from qloom.noise.from_qiskit import from_qiskit
from qloom.noise.model import NoiseModel, Note
from qloom.noise.noisy import Noisy
from qloom.noise.randomized_benchmarking import Decay, randomized_benchmarking

__all__ = [
    "Decay", "NoiseFit", "NoiseModel", "Noisy", "Note", "fit", "from_braket", "from_cirq", "from_qiskit",
    "randomized_benchmarking",
]  # fmt: skip
