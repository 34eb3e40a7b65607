"""How large gradients are at random angles, and how they shrink with the number of qubits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import linregress, t

from qloom.checks import checked_count, is_real
from qloom.circuits import Circuit
from qloom.engines import Batch, Engine, Estimate
from qloom.engines.streams import make_generator
from qloom.errors import CircuitError
from qloom.gradients import prepare_gradient
from qloom.observables import PauliSum
from qloom.trainability.draws import random_inputs

# Samples that are differentiated at once.
MOST_SAMPLES = 1 << 12
# ln Var per qubit from which on a decay is called exponential; halving every three qubits.
STEEP = -np.log(2) / 3


@dataclass(frozen=True)
class GradientVariance:
    """Of the derivatives of an expectation value by each weight, over random weights and inputs.

    Attributes:
        of_weights: (W,).
        errors: standard errors of these, (W,).
        n_samples: drawn.
        squares: means of the squares, (W,); at uniform weights these are the variances, as their mean is 0.
        cut_share: of the mean square of values at uniform angles, what an engine did not follow. Slopes are those of
            what it did: variances are then this much too small, or more.
    """

    of_weights: np.ndarray
    errors: np.ndarray
    n_samples: int
    squares: np.ndarray
    cut_share: float = 0.0

    @property
    def effective(self) -> np.ndarray:
        """Which weights have an effect, (W,) of booleans."""
        return self.of_weights > 1e-15

    @property
    def mean(self) -> float:
        """Over the weights that have an effect."""
        return float(self.of_weights[self.effective].mean()) if self.effective.any() else 0.0


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
        engine: gives exact values, or a PropagationEngine, which may cut; StatevectorEngine() by default.

    Raises:
        CircuitError: for a circuit without weights, an observable that does not fit, or an argument out of range.

    Source: McClean et al. 2018, Nature Communications 9, 4812.
    """
    if not circuit.n_weights:
        raise CircuitError(f"{circuit!r} has no weights, expected some to train")
    n_samples, random = checked_count("n_samples", n_samples, least=2), make_generator(seed)
    check_spread(spread)
    evaluator = prepare_gradient(circuit, observable, engine)
    slopes, cuts = [], _Cuts()
    for first in range(0, n_samples, MOST_SAMPLES):
        count = min(MOST_SAMPLES, n_samples - first)
        inputs, shape = random_inputs(circuit, count, random), (count, circuit.n_weights)
        if weights is not None:
            drawn = np.stack([weights(random) for _ in range(count)])
        else:
            drawn = random.uniform(-np.pi, np.pi, shape) if spread is None else random.normal(0, spread, shape)
        batch = Batch(inputs, drawn, False)
        slopes.append(evaluator.backward(batch, np.ones((count, 1)), None, (False, True))[1])
        if engine is not None and engine.is_bounded:
            cuts.add(evaluator.estimate(batch))
    found = np.concatenate([np.asarray(part) for part in slopes])
    apart = (found - found.mean(axis=0)) ** 2
    errors = apart.std(axis=0, ddof=1) / np.sqrt(n_samples)
    return GradientVariance(found.var(axis=0, ddof=1), errors, n_samples, (found**2).mean(axis=0), cuts.share)


class _Cuts:
    """Squares of values and of what was cut: at uniform angles words come with signs that are independent."""

    def __init__(self) -> None:
        self.kept = self.cut = 0.0

    def add(self, estimate: Estimate) -> None:
        self.kept += float((estimate.values**2).sum())
        if estimate.typical is not None:
            self.cut += float((estimate.typical**2).sum())

    @property
    def share(self) -> float:
        return self.cut / (self.kept + self.cut) if self.cut else 0.0


def check_spread(spread: Any) -> None:
    """Raise unless a standard deviation of weights is None or a positive number."""
    if spread is not None and not (is_real(spread) and 0 < spread < np.inf):
        raise CircuitError(f"spread={spread!r}, expected a positive number of radians, or None for uniform weights")


@dataclass(frozen=True)
class Decay:
    """A straight line through the logarithms of variances over the number of qubits.

    Attributes:
        slope: of ln Var per qubit; at -ln 2 every qubit halves the variance, as in random circuits.
        low, high: its 95% confidence interval; infinite for two widths.
        power: slope of ln Var over the logarithm of the number of qubits.
        exponential: whether the line over qubits fits at least as well as that of the power.
    """

    slope: float
    low: float
    high: float
    power: float
    exponential: bool

    @property
    def is_steep(self) -> bool:
        """Whether it is an exponential decay, surely, and halves the variance in three qubits or fewer."""
        return self.exponential and self.slope < STEEP and self.high < 0


def decay(widths: Any, variances: Any) -> Decay:
    """The lines through the logarithms of variances, over widths and over their logarithms.

    Args:
        widths: numbers of qubits.
        variances: at each of them; those of 0 are left out.

    Raises:
        CircuitError: for fewer than two widths whose variance is not 0.
    """
    widths, variances = np.asarray(widths, float), np.asarray(variances, float)
    seen = variances > 0
    if seen.sum() < 2:
        raise CircuitError(f"{int(seen.sum())} widths with a gradient, expected at least 2; take other widths")
    fit, power = (linregress(x, np.log(variances[seen])) for x in (widths[seen], np.log(widths[seen])))
    n = int(seen.sum())
    margin = float(t.ppf(0.975, n - 2) * fit.stderr) if n > 2 else np.inf
    fits = bool(fit.rvalue**2 >= power.rvalue**2)
    return Decay(float(fit.slope), float(fit.slope - margin), float(fit.slope + margin), float(power.slope), fits)
