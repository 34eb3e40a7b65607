"""How a training step grows with qubits, samples and layers.

Run: python -m benchmarks.engine.growth
"""

from __future__ import annotations

from dataclasses import replace

from benchmarks.cases import run
from benchmarks.engine.training_step import make_case
from qloom.benchmarking import Work

SIZES = [Work(n, 64, 4) for n in range(4, 17, 2)]
SIZES += [Work(8, batch, 4) for batch in (1, 4, 16, 64, 256, 1024, 4096)]
SIZES += [Work(8, 256, layers) for layers in (1, 2, 4, 8, 16)]
CASES = [replace(make_case("growth", work, 2), seconds=0.3, least=3) for work in dict.fromkeys(SIZES)]

if __name__ == "__main__":
    run("growth", CASES)
