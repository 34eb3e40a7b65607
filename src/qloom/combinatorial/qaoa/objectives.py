"""Objectives: numbers of the distribution of energies that angles are chosen to make small, and their slopes.

A slope is the derivative by a probability. The probabilities' sum is fixed, so slopes may be shifted by any constant.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from qloom.checks import positive
from qloom.errors import ProblemError

# Shapes: probabilities (B, K) of K energies -> values (B,), slopes (B, K).
Weigher = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


class Objective(ABC):
    """Of energies each of which has a probability."""

    @abstractmethod
    def on(self, energies: np.ndarray) -> Weigher:
        """The objective and its slopes as functions of the probabilities of these energies, (K,)."""

    def offset(self, constant: float) -> float:
        """What it grows by where all energies grow by a constant."""
        return constant


@dataclass(frozen=True)
class Mean(Objective):
    """The expected energy."""

    def on(self, energies: np.ndarray) -> Weigher:
        return lambda p: (p @ energies, np.broadcast_to(energies, p.shape))


@dataclass(frozen=True)
class CVaR(Objective):
    """The expected energy of the best share `alpha` of outcomes (conditional value at risk).

    Args:
        alpha: above 0, 1 for the mean.

    Raises:
        ProblemError: for an alpha that is no share above 0.

    Source: Barkoutsos et al. 2020, Quantum 4, 256.
    """

    alpha: float = 0.1

    def __post_init__(self) -> None:
        positive(alpha=self.alpha)
        if self.alpha > 1:
            raise ProblemError(f"alpha={self.alpha}, expected a share above 0, at most 1")

    def on(self, energies: np.ndarray) -> Weigher:
        order = np.argsort(energies, kind="stable")
        rising = energies[order]

        def weigh(p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            reached = np.cumsum(p[:, order], axis=1, dtype=np.float64)
            last = np.minimum((reached < self.alpha).sum(axis=1), len(rising) - 1)
            at_risk = rising[last]
            # What lies below the quantile counts by how far: sum_k p_k min(E_k - v, 0) / alpha + v.
            slopes = np.minimum(energies - at_risk[:, None], 0.0) / self.alpha
            return (p * slopes).sum(axis=1) + at_risk, slopes

        return weigh


@dataclass(frozen=True)
class Gibbs(Objective):
    """-log of the expected exp(-eta E): low energies count by far the most.

    Args:
        eta: above 0, in inverse units of the energy.

    Raises:
        ProblemError: for an eta that is not above 0.

    Source: Li, Fan, Coram, Riley, Leichenauer 2020, Physical Review Research 2, 023074.
    """

    eta: float = 1.0

    def __post_init__(self) -> None:
        positive(eta=self.eta)

    def offset(self, constant: float) -> float:
        return self.eta * constant

    def on(self, energies: np.ndarray) -> Weigher:
        lowest = energies.min()
        factors = np.exp(-self.eta * (energies - lowest))

        def weigh(p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            sums = p @ factors
            return self.eta * lowest - np.log(sums), -factors / sums[:, None]

        return weigh
