"""The law of logical errors, measured: the constants that plans use, and those of any other noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from qloom.checks import checked_seed
from qloom.correction.memory import memory_experiment
from qloom.correction.scaling import LogicalRate, fit_rate

# Rotated surface code, uniform noise with idles, matching with correlations, as many rounds as the distance; both bases
# of a patch together. Distances 3, 5, 7 at p = .001, .002, .003, by `python -m benchmarks.noise.codes law`. From there
# to .011, where distances cross, there are fewer errors than it says.
SURFACE_RATE = LogicalRate(0.1395, 0.01235, "memory experiments of this package at p = .001 to .003, distances 3 to 7")


def measure_rate(
    noise: Any, *, distances: Sequence[int] = (3, 5), shots: int = 200_000, seed: int | None = None,
    correlated: bool = True,
) -> LogicalRate:  # fmt: skip
    """The law of the rotated surface code under one noise, by memory experiments of both bases.

    A plan with it counts every rate for what it is, instead of the largest for all.

    Args:
        noise: as of `memory_experiment`.
        distances: at least two; the law is extrapolated from these.
        shots: of each distance and basis.
        seed: of the shots.
        correlated: whether matching takes account of correlations.

    Raises:
        ConfigError: if fewer than two distances have errors to count.
    """
    seed = checked_seed(seed)
    found = []
    for place, (distance, basis) in enumerate((d, basis) for d in distances for basis in "ZX"):
        experiment = memory_experiment("rotated_surface", distance=distance, noise=noise, basis=basis)
        own = None if seed is None else len(distances) * 2 * seed + place
        found.append(experiment.run(shots, own, correlated=correlated))
    listed = ", ".join(map(str, distances))
    of_a_basis = fit_rate(found, f"memory experiments at this noise, distances {listed}, {shots:,} shots each")
    return replace(of_a_basis, prefactor=2 * of_a_basis.prefactor)
