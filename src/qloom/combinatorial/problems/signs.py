"""Problems that put each of their members on one of two sides, without constraints."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from qloom.combinatorial.problems.base import Problem, every


class SignProblem(Problem):
    """Base of problems whose model has one spin a member; a solution (N,) holds 0 for -1 and 1 for 1."""

    def violations(self, solution: np.ndarray) -> dict[str, float]:
        return {}

    def decode(self, values: np.ndarray, random: np.random.Generator) -> np.ndarray:
        return (values + 1) // 2

    def encode(self, solution: np.ndarray) -> np.ndarray:
        return 2 * solution - 1

    def random_solution(self, random: np.random.Generator) -> np.ndarray:
        return random.integers(0, 2, self.model.n)

    def neighbour(self, solution: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """One member changes its side."""
        out = solution.copy()
        out[random.integers(0, len(out))] ^= 1
        return out

    def candidates(self) -> Iterator[np.ndarray]:
        return every([2] * self.model.n)
