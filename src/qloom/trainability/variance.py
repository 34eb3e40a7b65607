"""How large gradients are at random angles, and how they shrink with the number of qubits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import linregress, t

from qloom.circuits import Circuit
from qloom.engines import Batch, Engine
from qloom.errors import CircuitError
from qloom.gradients import prepare_gradient
from qloom.observables import PauliSum

# Samples that are differentiated at once.
MOST_SAMPLES = 1 << 12


@dataclass(frozen=True)
class GradientVariance:
    """Of the derivatives of an expectation value by each weight, over random weights and inputs.

    Attributes:
        of_weights: (W,).
        errors: standard errors of these, (W,).
        n_samples: drawn.
    """

    of_weights: np.ndarray
    errors: np.ndarray
    n_samples: int

    @property
    def mean(self) -> float:
        """Over the weights that have an effect."""
        effective = self.of_weights[self.of_weights > 1e-15]
        return float(effective.mean()) if len(effective) else 0.0


def gradient_variance(
    circuit: Circuit, observable: PauliSum, n_samples: int = 200, spread: float | None = None, seed: int = 0, *,
    weights: Callable[[np.random.Generator], np.ndarray] | None = None, engine: Engine | None = None,
) -> GradientVariance:  # fmt: skip
    """By Monte Carlo: all samples are one batch, differentiated in one walk.

    Args:
        circuit: with weights.
        observable: one.
        n_samples: at least 2.
        spread: standard deviation of normal weights about 0; None for uniform ones. Inputs are uniform.
        seed: of the draw.
        weights: draws the weights (W,) of a sample, instead.

    Source: McClean et al. 2018, Nature Communications 9, 4812.
    """
    if not circuit.n_weights or n_samples < 2:
        raise CircuitError(f"{circuit!r} and n_samples={n_samples}, expected weights and at least 2 samples")
    random = np.random.default_rng(seed)
    evaluator = prepare_gradient(circuit, observable, engine)
    slopes = []
    for first in range(0, n_samples, MOST_SAMPLES):
        count = min(MOST_SAMPLES, n_samples - first)
        inputs, drawn = (random.uniform(-np.pi, np.pi, (count, k)) for k in (circuit.n_inputs, circuit.n_weights))
        if spread is not None:
            drawn = random.normal(0, spread, drawn.shape)
        if weights is not None:
            drawn = np.stack([weights(random) for _ in range(count)])
        slopes.append(evaluator.backward(Batch(inputs, drawn, False), np.ones((count, 1)), None, (False, True))[1])
    found = np.concatenate([np.asarray(part) for part in slopes])
    squares = (found - found.mean(axis=0)) ** 2
    return GradientVariance(found.var(axis=0, ddof=1), squares.std(axis=0, ddof=1) / np.sqrt(n_samples), n_samples)


@dataclass(frozen=True)
class Decay:
    """A straight line through the logarithms of variances over the number of qubits.

    Attributes:
        slope: of ln Var per qubit; at -ln 2 every qubit halves the variance, as in random circuits.
        low, high: its 95% confidence interval; infinite for two widths.
    """

    slope: float
    low: float
    high: float


def decay(widths: Any, variances: Any) -> Decay:
    """Fitted to at least two widths whose variance is not 0."""
    widths, variances = np.asarray(widths, float), np.asarray(variances, float)
    seen = variances > 0
    if seen.sum() < 2:
        raise CircuitError(f"{int(seen.sum())} widths with a gradient, expected at least 2; take other widths")
    fit = linregress(widths[seen], np.log(variances[seen]))
    n = int(seen.sum())
    margin = float(t.ppf(0.975, n - 2) * fit.stderr) if n > 2 else np.inf
    return Decay(float(fit.slope), float(fit.slope - margin), float(fit.slope + margin))
