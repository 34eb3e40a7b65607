"""Error correction: logical error rates of codes, through Stim and PyMatching, and what circuits would cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qloom.exports import exported_by

if TYPE_CHECKING:
    from qloom.correction.as_corrected import logical_noise
    from qloom.correction.bit_flips import code_capacity
    from qloom.correction.circuit_noise import GeneratorNoise, LayerNoise
    from qloom.correction.collecting import collect
    from qloom.correction.measured import measure_rate
    from qloom.correction.memory import MemoryExperiment, memory_experiment
    from qloom.correction.planning import CorrectionPlan, plan
    from qloom.correction.plots import plot_distance, plot_threshold
    from qloom.correction.scaling import (
        LogicalRate,
        Suppression,
        Threshold,
        fit_rate,
        fit_suppression,
        fit_threshold,
    )
    from qloom.correction.statistics import LogicalErrors
    from qloom.correction.synthesis import count_rotations, t_gates_per_rotation

__all__ = [
    "CorrectionPlan", "GeneratorNoise", "LayerNoise", "LogicalErrors", "LogicalRate", "MemoryExperiment", "Suppression",
    "Threshold", "code_capacity", "collect", "count_rotations", "fit_rate", "fit_suppression", "fit_threshold",
    "logical_noise", "measure_rate", "memory_experiment", "plan", "plot_distance", "plot_threshold",
    "t_gates_per_rotation",
]  # fmt: skip

__getattr__ = exported_by(__name__)
