"""Randomized benchmarking: a decay S(m) = A r^m + 1/2^n fitted to counts of survival, and the errors it stands for.

Likelihood is binomial, all of it: short sequences with nearly no errors weigh as they should. Standard errors are of
the Fisher information, widened where sequences of one length differ more than counting alone makes them (Pearson's
chi^2 over its degrees of freedom, at least 1).

Source: Magesan, Gambetta, Emerson 2011, Phys. Rev. Lett. 106, 180504; sequences that end in random strings, so that the
decay ends at 1/2^n: Harper, Hincks, Ferrie, Flammia, Wallman 2019, Phys. Rev. A 99, 052350.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from qloom.checks import checked_count
from qloom.errors import ShapeError
from qloom.noise.intervals import normal_reach

# Steps of Fisher scoring; the square of one in standard errors that ends them; the shortest part of one that is tried.
MOST_STEPS, TOLERANCE, LEAST_STEP = 200, 1e-12, 1e-8
# Of a decay, A and 1 - r.
LEAST = 1e-10


@dataclass(frozen=True)
class Decay:
    """A fitted decay.

    Attributes:
        rate: r.
        amplitude: A.
        rate_error, amplitude_error: standard errors.
        n_qubits: n.
        dispersion: how much more than by counting alone survivals vary, as a ratio of variances; at least 1.

    Source: Magesan, Gambetta, Emerson 2011, Phys. Rev. Lett. 106, 180504.
    """

    rate: float
    amplitude: float
    rate_error: float
    amplitude_error: float
    n_qubits: int
    dispersion: float

    def error(self, gates: float = 1.0) -> float:
        """Average infidelity of a gate of which a Clifford has so many; by the whole Clifford for 1.

        1 - (3 r^(1/gates) + 1) / 4 on two qubits, (1 - r) / 2 on one.
        """
        share = 1 - 1 / 2**self.n_qubits
        return share * (1 - self.rate ** (1 / gates))

    def error_of_error(self, gates: float = 1.0) -> float:
        """Its standard error.

        Args:
            gates: as of `error`.
        """
        share = 1 - 1 / 2**self.n_qubits
        return share * self.rate ** (1 / gates - 1) / gates * self.rate_error

    def interval(self, gates: float = 1.0, confidence: float = 0.95) -> tuple[float, float]:
        """Of the error, symmetric about it, at least 0.

        Args:
            gates: as of `error`.
            confidence: chance that the interval holds the error, between 0 and 1.

        Raises:
            CircuitError: for a confidence that is not between 0 and 1.
        """
        reach = normal_reach(confidence) * self.error_of_error(gates)
        return max(0.0, self.error(gates) - reach), self.error(gates) + reach


def randomized_benchmarking(lengths: Any, survivals: Any, shots: Any, n_qubits: int = 1) -> Decay:
    """Fit a decay to how many of `shots` measurements of each sequence gave the string they should.

    Args:
        n_qubits: n, that a sequence is on.

    Shapes: lengths (S,) in Cliffords, survivals (S,), shots () or (S,), one entry a sequence.

    Raises:
        ShapeError: for other shapes, counts out of range, fewer than two lengths, or survival that does not fall.

    Source: Magesan, Gambetta, Emerson 2011, Phys. Rev. Lett. 106, 180504; sequences that end in random strings: Harper,
    Hincks, Ferrie, Flammia, Wallman 2019, Phys. Rev. A 99, 052350.
    """
    n_qubits = checked_count("n_qubits", n_qubits)
    m, k, total = _checked(lengths, survivals, shots)
    floor = 1 / 2**n_qubits
    parameters = _start(m, k / total, floor)
    for _ in range(MOST_STEPS):
        survival, slopes = _model(parameters, m, floor)
        slope = slopes.T @ ((k - total * survival) / (survival * (1 - survival)))
        step = np.linalg.lstsq(_information(survival, slopes, total), slope, rcond=None)[0]
        if slope @ step < TOLERANCE and parameters[0] > LEAST and 1 - parameters[1] > LEAST:
            return _decay(parameters, m, k, total, n_qubits)
        size = _share_of_step(parameters, step, m, k, total, floor)
        if size < LEAST_STEP:
            break
        parameters = parameters + size * step
    means = [float((k / total)[m == length].mean()) for length in (m.min(), m.max())]
    raise ShapeError(
        f"survival goes from {means[0]:.4g} to {means[1]:.4g} between the shortest and the longest sequences, which "
        f"fixes no decay to {floor:g}; expected it to fall, give longer sequences or more of them"
    )


def _checked(lengths: Any, survivals: Any, shots: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    try:
        m, k = np.asarray(lengths, float), np.asarray(survivals, float)
        total = np.broadcast_to(np.asarray(shots, float), k.shape)
    except (TypeError, ValueError):
        raise ShapeError(
            "lengths, survivals and shots hold no numbers, or of different shapes, expected (S,)"
        ) from None
    if m.ndim != 1 or m.shape != k.shape:
        raise ShapeError(f"lengths has shape {m.shape} and survivals {k.shape}, expected (S,), one entry a sequence")
    if not (np.isfinite(m).all() and (m >= 0).all() and (total > 0).all() and ((k >= 0) & (k <= total)).all()):
        raise ShapeError("lengths below 0, or survivals that are not 0 to shots, expected counts of measurements")
    if len(np.unique(m)) < 2:
        raise ShapeError(f"sequences of {len(np.unique(m))} length, expected at least two lengths to fit a decay")
    return m, k, total


def _start(m: np.ndarray, share: np.ndarray, floor: float) -> np.ndarray:
    """A and r of a straight line through the logarithms of the means of the shortest and the longest."""
    ends = [max(float(share[m == length].mean()) - floor, 1e-3) for length in (m.min(), m.max())]
    rate = float(np.clip((ends[1] / ends[0]) ** (1 / (m.max() - m.min())), 0.01, 1 - 1e-7))
    return np.array([min(ends[0] / rate ** m.min(), 1 - floor - 1e-6), rate])


def _model(parameters: np.ndarray, m: np.ndarray, floor: float) -> tuple[np.ndarray, np.ndarray]:
    """Survival (S,) and its derivatives (S, 2)."""
    amplitude, rate = parameters
    power = rate**m
    slopes = np.stack([power, amplitude * m * rate ** np.maximum(m - 1, 0)], axis=1)
    return amplitude * power + floor, slopes


def _likelihood(parameters: np.ndarray, m: np.ndarray, k: np.ndarray, total: np.ndarray, floor: float) -> float:
    amplitude, rate = parameters
    if not (0 < rate < 1 and amplitude > 0):
        return -np.inf
    survival = _model(parameters, m, floor)[0]
    if not ((survival > 0) & (survival < 1)).all():
        return -np.inf
    return float((k * np.log(survival) + (total - k) * np.log1p(-survival)).sum())


def _share_of_step(
    parameters: np.ndarray, step: np.ndarray, m: np.ndarray, k: np.ndarray, total: np.ndarray, floor: float
) -> float:
    """1, halved until the likelihood does not fall by more than rounding."""
    before = _likelihood(parameters, m, k, total, floor)
    size = 1.0
    while size >= LEAST_STEP and not _likelihood(parameters + size * step, m, k, total, floor) >= before - 1e-9:
        size /= 2
    return size


def _information(survival: np.ndarray, slopes: np.ndarray, total: np.ndarray) -> np.ndarray:
    weights = total / (survival * (1 - survival))
    return slopes.T @ (weights[:, None] * slopes)


def _decay(parameters: np.ndarray, m: np.ndarray, k: np.ndarray, total: np.ndarray, n_qubits: int) -> Decay:
    survival, slopes = _model(parameters, m, 1 / 2**n_qubits)
    residuals = (k - total * survival) ** 2 / (total * survival * (1 - survival))
    dispersion = max(1.0, float(residuals.sum()) / (len(m) - 2)) if len(m) > 2 else 1.0
    covariance = dispersion * np.linalg.inv(_information(survival, slopes, total))
    errors = np.sqrt(np.diag(covariance))
    amplitude, rate = map(float, parameters)
    return Decay(rate, amplitude, float(errors[1]), float(errors[0]), n_qubits, dispersion)
