"""Schedules of angles: a straight ramp, a longer schedule from a shorter one, waves.

Angles are (2, p) here: gammas and betas of the layers, as of `qaoa_circuit`.
"""

from __future__ import annotations

import numpy as np

from qloom.checks import positive, whole
from qloom.combinatorial.qaoa.cost import Polynomial

# Of ramps: the largest angle of the mixer, and of the cost in units of 1 / `field`.
STEEPNESS = 0.75


def field(cost: Polynomial) -> float:
    """What a spin feels of the others: the root mean square, over spins, of the values of their terms. 1 for no terms.

    Angles gamma of one cost suit others of the same kind after division by it.

    Source: Shaydulin, Lotshaw, Larson, Ostrowski, Humble 2023, ACM Transactions on Quantum Computing 4, 19.
    """
    squares = sum(len(term) * value**2 for term, value in cost.terms.items())
    return float(np.sqrt(squares / cost.n)) or 1.0


def linear_ramp(n_layers: int, unit: float = 1.0) -> np.ndarray:
    """Gammas that rise in steps of equal height while betas fall, as in annealing; the middles of steps. (2, p)

    Args:
        n_layers: p.
        unit: of the cost: gammas are in its inverse.

    Source: Montanez-Barrera, Michielsen 2024, arXiv 2405.09169, where angles are of the ends of steps.
    """
    whole(1, n_layers=n_layers)
    positive(unit=unit)
    times = (np.arange(n_layers) + 0.5) / n_layers
    return STEEPNESS * np.stack([times / unit, 1 - times])


def interpolated(angles: np.ndarray) -> np.ndarray:
    """A schedule of p + 1 layers in the shape of one of p (INTERP). (2, p) -> (2, p + 1)

    Source: Zhou, Wang, Choi, Pichler, Lukin 2020, Physical Review X 10, 021067, eq. (B1).
    """
    p = np.asarray(angles).shape[1]
    padded = np.pad(angles, ((0, 0), (1, 1)))
    place = np.arange(p + 1)
    return place / p * padded[:, :-1] + (p - place) / p * padded[:, 1:]


def with_a_wave_more(angles: np.ndarray) -> np.ndarray:
    """A schedule of p + 1 layers from the same sines of gammas and cosines of betas as one of p (FOURIER, q = p).

    The waves are orthogonal and of one norm, so a descent on their amplitudes is one on the angles.

    Shapes: angles (2, p) -> (2, p + 1)

    Source: Zhou, Wang, Choi, Pichler, Lukin 2020, Physical Review X 10, 021067.
    """
    p = angles.shape[1]
    pairs = zip(angles, _waves(p, p), _waves(p + 1, p), strict=True)
    return np.stack([new @ (2 / p * old.T @ row) for row, old, new in pairs])


def _waves(n_layers: int, n_waves: int) -> tuple[np.ndarray, np.ndarray]:
    """Sines and cosines, (p, q)."""
    phases = np.outer(np.arange(n_layers) + 0.5, np.arange(n_waves) + 0.5) * np.pi / n_layers
    return np.sin(phases), np.cos(phases)
