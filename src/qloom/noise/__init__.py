"""Noise: which channels come with which gates, models of devices, and rates learnt from counts."""

from qloom.noise.model import NoiseModel, Note
from qloom.noise.randomized_benchmarking import Decay, randomized_benchmarking

__all__ = ["Decay", "NoiseModel", "Note", "randomized_benchmarking"]
