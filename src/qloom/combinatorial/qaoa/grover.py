"""QAOA with Grover's mixer, exactly: states of equal energy keep equal amplitudes, one number a level of energy.

exp(i beta |s><s|) with |s> all allowed states alike. A layer costs as many operations as there are levels.

Source: Bartschi, Eidenbenz 2020, arXiv 2006.00354; Golden, Bartschi, O'Malley, Eidenbenz 2021, arXiv 2106.13860.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from qloom.checks import whole
from qloom.combinatorial.qaoa.cost import Polynomial, spins_of
from qloom.combinatorial.qaoa.landscape import Landscape, as_points, check_width
from qloom.combinatorial.qaoa.objectives import Mean, Objective
from qloom.engines.batch import check_memory
from qloom.errors import ProblemError


class GroverLandscape(Landscape):
    """Of p gammas, then p betas.

    Args:
        cost: of at most 26 spins.
        n_layers: p.
        objective: None for the mean.
        allowed: indices of the basis states that the start holds; None for all.

    Attributes:
        levels: the energies of the allowed states, each once, (K,).

    Raises:
        ProblemError: for indices of states that there are not.

    Source: Bartschi, Eidenbenz 2020, arXiv 2006.00354; Golden, Bartschi, O'Malley, Eidenbenz 2021, arXiv 2106.13860.
    """

    def __init__(
        self, cost: Polynomial, n_layers: int, objective: Objective | None = None, allowed: np.ndarray | None = None
    ):
        check_width(cost.n)
        whole(1, n_layers=n_layers)
        check_memory(48 * 2**cost.n, f"the energies of {cost.n} spins in order")
        objective = objective or Mean()
        constant = cost.constant
        self.offset, cost = objective.offset(constant), replace(cost, constant=0.0)
        self.n, self.n_angles = cost.n, 2 * n_layers
        self._allowed = np.arange(2**cost.n) if allowed is None else np.unique(allowed)
        if not len(self._allowed) or self._allowed[0] < 0 or self._allowed[-1] >= 2**cost.n:
            raise ProblemError(f"allowed={allowed}, expected indices of basis states from 0 to {2**cost.n - 1}")
        # Energies that only rounding tells apart are one level.
        energies = cost.diagonal()[self._allowed]
        rounded = np.round(energies / (np.abs(energies).max() or 1.0), 12)
        _, first, self._level_of, counts = np.unique(rounded, True, True, True)
        self._levels = energies[first]
        self.levels = self._levels + constant
        self.shares = counts / len(energies)
        self._weigh = objective.on(self._levels)

    def centred(self, angles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        gammas, betas = np.split(angles, 2, axis=1)
        a, phased, means = np.ones((len(angles), len(self._levels)), complex), [], []
        for gamma, beta in zip(gammas.T, betas.T, strict=True):
            phased.append(np.exp(-1j * gamma[:, None] * self._levels) * a)
            means.append(phased[-1] @ self.shares)
            a = phased[-1] + ((np.exp(1j * beta) - 1) * means[-1])[:, None]
        values, slopes = self._weigh(self.shares * np.abs(a) ** 2)
        # Back from 2 Re <g|a>: the derivative of the value is Re sum(conj(g) da), with g in units of the shares.
        g, gradient = 2 * slopes * a, np.empty(angles.shape)
        for k in range(self.n_angles // 2 - 1, -1, -1):
            turn, g_mean = np.exp(1j * betas[:, k]), g @ self.shares
            gradient[:, self.n_angles // 2 + k] = (g_mean.conj() * 1j * turn * means[k]).real
            g = g + ((turn.conj() - 1) * g_mean)[:, None]
            gradient[:, k] = (g.conj() * -1j * self._levels * phased[k] @ self.shares).real
            g = np.exp(1j * gammas[:, k, None] * self._levels) * g
        return values, gradient

    def probabilities(self, angles: Any) -> np.ndarray:
        """Of the levels. Shapes: angles (W,) -> (K,)."""
        gammas, betas = np.split(as_points(np.asarray(angles)[None], self.n_angles)[0], 2)
        a = np.ones(len(self._levels), complex)
        for gamma, beta in zip(gammas, betas, strict=True):
            a *= np.exp(-1j * gamma * self._levels)
            a += (np.exp(1j * beta) - 1) * (a @ self.shares)
        return self.shares * np.abs(a) ** 2

    def _measured(self, angles: np.ndarray, shots: int, random: np.random.Generator) -> np.ndarray:
        p = self.probabilities(angles)
        levels = random.choice(len(p), shots, p=p / p.sum())
        order, ends = np.argsort(self._level_of, kind="stable"), np.cumsum(np.bincount(self._level_of))
        counts = np.diff(ends, prepend=0)
        places = ends[levels] - 1 - random.integers(0, counts[levels])
        return spins_of(self._allowed[order[places]], self.n)
