"""A linear readout that follows a stream row by row: a Kalman filter whose weights drift back to where they began.

Targets are y = f w + noise; between rows w becomes rho w + noise, so that without news its covariance goes back to the
prior, `spread` times that of the targets' noise. Forgetting by dividing the covariance, as recursive least squares has
it, lets it grow without bound where features do not vary.

Source: Titsias et al. 2024, ICLR, Kalman filter for online classification of non-stationary data, section 3, with
least squares on indicators in place of a softmax.
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np

MEMORIES = (0.99, 0.997, 0.999, 0.9997, 0.9999, 0.99997)
SPREADS = (0.4, 4.0, 40.0)


class Pace(NamedTuple):
    """How fast a readout follows.

    Attributes:
        memory: rho, what is left of a weight after a row without news, up to 1.
        spread: variance of the weights before any row, over that of the targets' noise.
    """

    memory: float
    spread: float


class Tracker:
    """The filter, at the prior mean 0.

    Args:
        n_features: D, a constant feature among them.
        n_outputs: C, one a class, or 1.
    """

    def __init__(self, n_features: int, n_outputs: int, pace: Pace):
        self.pace = pace
        self.weights = np.zeros((n_features, n_outputs))
        self.covariance = np.eye(n_features) * pace.spread

    def follow(self, features: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Predict each row, then learn from it.

        Shapes: features (B, D), targets (B, C) -> predictions (B, C).
        """
        memory, spread = self.pace
        diagonal, fresh = np.diag_indices(len(self.weights)), (1 - memory**2) * spread
        predicted = np.empty_like(targets)
        for row, (f, y) in enumerate(zip(features, targets, strict=True)):
            self.weights *= memory
            self.covariance *= memory**2
            self.covariance[diagonal] += fresh
            predicted[row] = f @ self.weights
            turned = self.covariance @ f
            gain = turned / (1 + f @ turned)
            self.weights += np.outer(gain, y - predicted[row])
            self.covariance -= np.outer(gain, turned)
        return predicted


def choose_pace(features: np.ndarray, targets: np.ndarray) -> Pace:
    """The pace with the least squared error over rows that are predicted before they are learnt.

    Shapes: features (B, D), targets (B, C).
    """
    paces = [Pace(*each) for each in product(MEMORIES, SPREADS)]

    def error(pace: Pace) -> float:
        followed = Tracker(features.shape[1], targets.shape[1], pace).follow(features, targets)
        return float(((followed - targets) ** 2).mean())

    return min(paces, key=error)
