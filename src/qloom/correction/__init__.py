"""Error correction: logical error rates of codes through Stim and PyMatching, and what a circuit would cost corrected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qloom.exports import exported_by

if TYPE_CHECKING:
    from qloom.correction.circuit_noise import GeneratorNoise, LayerNoise
    from qloom.correction.memory import MemoryExperiment, memory_experiment
    from qloom.correction.statistics import LogicalErrors

__all__ = ["GeneratorNoise", "LayerNoise", "LogicalErrors", "MemoryExperiment", "memory_experiment"]

__getattr__ = exported_by(__name__)
