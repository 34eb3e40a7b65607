"""Constants of our own memory experiments, by `python -m benchmarks.noise.codes`."""

from __future__ import annotations

from qloom.correction.scaling import LogicalRate

# Rotated surface code, uniform noise with idles, d rounds of six layers, either basis failing, matching with
# correlations; distances 3, 5, 7 at p = .001 to .003.
SURFACE_RATE = LogicalRate(0.05, 0.008, "memory experiments of this package")
