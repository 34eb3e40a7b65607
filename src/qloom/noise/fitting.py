"""Rates of a noise model learnt from counts: the exact likelihood of what was measured, its gradient and information.

Each rate that is free is its value in the model times a factor, and factors are weights of the noisy circuit, so one
walk back gives the slope of every probability. The logarithm of the likelihood, sum of counts * log p, is climbed by
Fisher scoring: a step is the inverse of the information, sum of shots * (dp)(dp)^T / p over outcomes, times the slope.
Noisy circuits whose qubits fall into independent parts are fitted part by part, with the counts of each part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.engines.base import DifferentiableEvaluator, Engine
from qloom.engines.batch import MOST_NUMBERS, Batch
from qloom.engines.density import DensityEngine
from qloom.engines.outputs import Probabilities
from qloom.errors import CircuitError, UnsupportedError
from qloom.noise.counted import Part, count_parts
from qloom.noise.intervals import normal_reach
from qloom.noise.model import NoiseModel
from qloom.noise.rules import Rule
from qloom.noise.scaling import rate_places

# How many steps; the square of a step in standard errors that ends them; the shortest part of one that is tried.
MOST_STEPS, TOLERANCE, LEAST_STEP = 100, 1e-12, 1e-6
# Of a sum over counts, beside its size.
ROUNDING = 1e-13
# Least probability of an outcome: what was measured and cannot be is an error of the model, found by its likelihood.
LEAST = 1e-300
# A step makes no factor smaller than this part of what it was, so that rates stay above 0.
SHRINKS = 0.1


@dataclass(frozen=True)
class NoiseFit:
    """What `fit` found.

    Attributes:
        model: with the fitted rates.
        names: what was free, in order.
        values: rates, where a name stands for one rate, else factors of the rates in the model given.
        errors: standard errors of these, from the Fisher information.
        covariance: of these, (P, P).
        log_likelihood: at the end, without what depends on the counts alone.
        steps: of Fisher scoring.
    """

    model: NoiseModel
    names: tuple[str, ...]
    values: np.ndarray
    errors: np.ndarray
    covariance: np.ndarray
    log_likelihood: float
    steps: int

    def intervals(self, confidence: float = 0.95) -> np.ndarray:
        """Symmetric about the values, at least 0, (P, 2).

        Args:
            confidence: chance that an interval holds its value, between 0 and 1.

        Raises:
            CircuitError: for a confidence that is not between 0 and 1.
        """
        reach = normal_reach(confidence) * self.errors
        return np.stack([np.maximum(self.values - reach, 0), self.values + reach], axis=1)

    def __str__(self) -> str:
        rows = zip(self.names, self.values, self.errors, self.intervals(), strict=True)
        return "\n".join(f"{n:12s} {v:.4g} +- {e:.2g}, 95% {lo:.4g} to {hi:.4g}" for n, v, e, (lo, hi) in rows)


def fit(
    model: NoiseModel,
    circuits: Sequence[Circuit],
    counts: Sequence[Mapping[str, int]],
    free: Sequence[str] = ("one_qubit", "two_qubit", "readout"),
    *,
    engine: Engine | None = None,
) -> NoiseFit:
    """Learn rates from counts of measured bit strings, all qubits of each circuit, the leftmost qubit 0.

    Args:
        model: where to begin; the rates that are free above 0.
        circuits: without inputs and weights.
        counts: of each circuit, bit string -> how often.
        free: names of gates as the model's rules have them, "readout" or "crosstalk"; each has one factor for all of
            its rates.
        engine: an exact one that runs channels and walks back; DensityEngine() by default.

    Raises:
        CircuitError: for counts that do not fit, rates of 0, or rates that the counts tell nothing of.
        UnsupportedError: if the engine does not walk back through probabilities.
    """
    names = (free,) if isinstance(free, str) else tuple(free)
    sizes = np.array([_rate(model, name) for name in names])
    noisy = [with_factors(model, names, circuit) for circuit in circuits]
    likelihood = Likelihood(names, count_parts(noisy, counts), engine or DensityEngine())
    factors, steps = climb(likelihood)
    value, _, information = likelihood.at(factors)
    covariance = _inverse(information, names)
    fitted = model
    for name, factor in zip(names, factors, strict=True):
        fitted = fitted.scaled(float(factor), only=name)
    spread = covariance * np.outer(sizes, sizes)
    return NoiseFit(fitted, names, factors * sizes, np.sqrt(np.diag(spread)), spread, value, steps)


class Likelihood:
    """The logarithm of the likelihood of all counts as a function of the factors."""

    def __init__(self, names: tuple[str, ...], parts: Sequence[Part], engine: Engine):
        self.names = names
        self._terms = [(_prepare(part.circuit, engine), part.counts) for part in parts]

    def at(self, factors: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Its value, slope (P,) and information (P, P)."""
        value, slope, information = 0.0, np.zeros(len(factors)), np.zeros((len(factors),) * 2)
        for evaluator, counts in self._terms:
            p, slopes = probabilities(evaluator, factors)
            seen = counts > 0
            value += float(counts[seen] @ np.log(np.maximum(p[seen], LEAST)))
            slope += slopes[seen].T @ (counts[seen] / np.maximum(p[seen], LEAST))
            possible = p > LEAST
            weighted = slopes[possible] / p[possible, None]
            information += counts.sum() * slopes[possible].T @ weighted
        return value, slope, information


def probabilities(evaluator: DifferentiableEvaluator, factors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of all outcomes (O,), and their slopes by the factors (O, P), from a sample for each outcome."""
    size = evaluator.n_outputs
    step, parts = max(1, MOST_NUMBERS // size**2), []
    for first in range(0, size, step):
        cotangents = np.eye(size)[first : first + step]
        batch = Batch(np.zeros((len(cotangents), 0)), np.tile(factors, (len(cotangents), 1)), single=False)
        values, kept = evaluator.forward(batch, keep=True)
        slopes = evaluator.backward(batch, cotangents, kept, (False, True))[1]
        assert slopes is not None
        parts.append(slopes)
    return values[0], np.concatenate(parts)


def with_factors(model: NoiseModel, names: tuple[str, ...], circuit: Circuit) -> Circuit:
    """The noisy circuit, its weights the factors of the rates."""
    if not isinstance(circuit, Circuit) or circuit.n_inputs or circuit.n_weights:
        raise CircuitError(f"fit got {circuit!r}, expected circuits with numbers as angles")
    if not names:
        raise CircuitError("fit of no rates, expected names of some such as 'two_qubit'")
    free = circuit.copy()
    for name, slot in zip(names, free.weights(len(names), name="factors"), strict=True):
        model = model.scaled(slot, only=name)
    return model.apply(free)


def _prepare(circuit: Circuit, engine: Engine) -> DifferentiableEvaluator:
    outputs = Probabilities(tuple(range(circuit.n_qubits)))
    if not engine.is_exact or not engine.can_walk_back(outputs):
        raise UnsupportedError(
            f"fit needs an exact engine that walks back through probabilities, got {engine!r}; use DensityEngine()"
        )
    return engine.prepare_adjoint(circuit, outputs)


def climb(likelihood: Likelihood) -> tuple[np.ndarray, int]:
    """Fisher scoring from the model's own rates, each step halved until the likelihood rises; and how many steps."""
    factors = np.ones(len(likelihood.names))
    value, slope, information = likelihood.at(factors)
    for steps in range(MOST_STEPS):
        move = _inverse(information, likelihood.names) @ slope
        if slope @ move < TOLERANCE:
            return factors, steps
        size = 1.0
        while True:
            tried = np.maximum(factors + size * move, SHRINKS * factors)
            found = likelihood.at(tried)
            if found[0] >= value - ROUNDING * abs(value) or size < LEAST_STEP:
                break
            size /= 2
        factors, (value, slope, information) = tried, found
    raise CircuitError(
        f"fit still moves after {MOST_STEPS} steps, expected counts that fix {', '.join(likelihood.names)}"
    )


def _inverse(information: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """The covariance of factors; CircuitError where the counts do not tell them apart."""
    scale = np.sqrt(np.diag(information))
    if not (scale > 0).all():
        which = names[int(np.argmin(scale))]
        raise CircuitError(f"counts tell nothing of {which}, expected circuits that it acts in; leave it out of free")
    correlations = information / np.outer(scale, scale)
    if np.linalg.eigvalsh(correlations)[0] < 1e-10:
        raise CircuitError(f"counts do not tell {', '.join(names)} apart, expected circuits that do; free fewer rates")
    return np.linalg.inv(correlations) / np.outer(scale, scale)


def _rate(model: NoiseModel, name: str) -> float:
    """The one rate that a name stands for, or 1 where it stands for several: its factor is the value then.

    Raises:
        CircuitError: if it is 0, which no factor changes.
    """
    model.scaled(1.0, only=name)  # refuses other names
    found = set(_rates(model, name))
    if not found or found == {0.0}:
        raise CircuitError(f"{name} has rates of 0 in the model, expected some above 0 to begin the fit with")
    return found.pop() if len(found) == 1 else 1.0


def _rates(model: NoiseModel, name: str) -> list[float]:
    if name == "crosstalk":
        return [] if model.crosstalk is None else [model.crosstalk.angle.offset]
    if name == "readout":
        operations = [entry.operation for entry in model.readouts]
    else:
        rules = [entry for entry in model.entries if isinstance(entry, Rule) and entry.gates == name]
        operations = [op for rule in rules for op in rule.operations]
    return [op.angles[k].offset for op in operations for k in rate_places(op)]
