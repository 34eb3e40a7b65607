"""Visible bits joined to hidden ones: the classical network that quantum models of bits are most often set beside.

Source: Tieleman 2008, International Conference on Machine Learning 25, 1064 (persistent contrastive divergence);
Hinton 2010, A practical guide to training restricted Boltzmann machines.
"""

from __future__ import annotations

import math
from typing import Any, Self

import numpy as np
from scipy.special import expit, logit, logsumexp
from sklearn import config_context
from sklearn.neural_network import BernoulliRBM
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from qloom.checks import is_integer, is_real
from qloom.engines.products import one_thread
from qloom.errors import ConfigError, UnsupportedError
from qloom.models.generative.base import GenerativeModel, checked_samples
from qloom.models.generative.words import MOST_EXACT, bits_of, checked_bits

# Rows whose hidden units are held at once.
_ROWS = 1 << 12


class RestrictedBoltzmannMachine(GenerativeModel):
    """P(v) ~ sum over h of exp(v.a + h.b + h W v), trained by persistent contrastive divergence.

    scikit-learn's BernoulliRBM takes the steps, one `partial_fit` each. Its own `fit` is not used: it never shuffles,
    keeps one rate to the end, and where rows are no multiple of the batch it weighs the last one's chains too high.

    Args:
        n_hidden: hidden units; None for as many as `n_parameters` pays for.
        n_parameters: weights and biases at most; None for n (n + 1) / 2, those of all gates on one and two of n qubits.
        n_steps: batches to learn from.
        learning_rate: of the first step, falling evenly to 0; None for 16 / n, at most 0.5: what a hidden unit is
            driven by grows with the bits it sees.
        batch_size: rows a step, and chains; all rows if there are fewer.
        burn_in: steps of Gibbs sampling before a row is a sample.
        random_state: seed of first weights, batches and chains.

    Attributes:
        weights_: W, (H, n).
        visible_biases_: a, (n,).
        hidden_biases_: b, (H,).

    Raises:
        ConfigError: in `fit`, for numbers that cannot be, or both `n_hidden` and `n_parameters`.

    Source: Tieleman 2008, International Conference on Machine Learning 25, 1064 (persistent contrastive divergence);
    Hinton
    2010, A practical guide to training restricted Boltzmann machines.
    """

    def __init__(
        self, n_hidden: int | None = None, n_parameters: int | None = None, n_steps: int = 10_000,
        learning_rate: float | None = None, batch_size: int = 100, burn_in: int = 300, random_state: Any = 0,
    ):  # fmt: skip
        self.n_hidden = n_hidden
        self.n_parameters = n_parameters
        self.n_steps = n_steps
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.burn_in = burn_in
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> Self:
        """Train. Shapes: X (N, n) of 0 and 1; y is not used."""
        bits, generator = checked_bits(X), check_random_state(self.random_state)
        n_hidden, rate = self._count_hidden(bits.shape[1]), self._first_rate(bits.shape[1])
        _check_counts(n_steps=self.n_steps, batch_size=self.batch_size, burn_in=self.burn_in)
        size = min(self.batch_size, len(bits))
        machine = BernoulliRBM(n_hidden, batch_size=size, random_state=generator)
        # The biases of bits that are independent, so that hidden units are left what bits have in common.
        machine.intercept_visible_ = logit((bits.sum(axis=0) + 0.5) / (len(bits) + 1))
        order, place = generator.permutation(len(bits)), 0
        # What is given is checked already: batch by batch it takes longer than a step of few bits.
        with one_thread(), config_context(assume_finite=True, skip_parameter_validation=True):
            for step in range(self.n_steps):
                if place + size > len(bits):
                    order, place = generator.permutation(len(bits)), 0
                machine.learning_rate = rate * (1 - step / self.n_steps)
                machine.partial_fit(bits[order[place : place + size]].astype(np.float64))
                place += size
        self.n_features_in_ = bits.shape[1]
        self.weights_ = np.ascontiguousarray(machine.components_)
        self.visible_biases_, self.hidden_biases_ = machine.intercept_visible_, machine.intercept_hidden_
        return self

    def _first_rate(self, n_visible: int) -> float:
        rate = self.learning_rate
        if rate is None:
            return min(0.5, 16 / n_visible)
        if not is_real(rate) or not math.isfinite(rate) or rate <= 0:
            raise ConfigError(f"learning_rate={rate!r}, expected a number above 0, or None for a choice of ours")
        return float(rate)

    def _count_hidden(self, n_visible: int) -> int:
        """Hidden units: as many as were asked for, or as the weights and biases pay for."""
        if self.n_hidden is not None:
            if self.n_parameters is not None:
                given = f"n_hidden={self.n_hidden!r} and n_parameters={self.n_parameters!r}"
                raise ConfigError(f"{given}, expected one of them; leave the other None")
            _check_counts(n_hidden=self.n_hidden)
            return self.n_hidden
        if self.n_parameters is None:
            return max(1, n_visible * (n_visible - 1) // 2 // (n_visible + 1))
        _check_counts(2 * n_visible + 1, n_parameters=self.n_parameters)
        return (self.n_parameters - n_visible) // (n_visible + 1)

    def score_samples(self, X: Any) -> np.ndarray:
        """Logarithms of the weights of rows, minus the free energy; less `log_partition`, those of their probabilities.

        Shapes: X (N, n) -> (N,).
        """
        return _summed_out(self._bits(X), self.visible_biases_, self.weights_.T, self.hidden_biases_)

    def log_partition(self) -> float:
        """The logarithm of the sum of all weights, which makes probabilities of scores, exact.

        Raises:
            UnsupportedError: where both visible bits and hidden units are more than 20.
        """
        check_is_fitted(self)
        n_hidden, n_visible = self.weights_.shape
        if min(n_hidden, n_visible) > MOST_EXACT:
            raise UnsupportedError(
                f"the machine has {n_visible} bits and {n_hidden} hidden units, expected at most {MOST_EXACT} of one "
                "kind to sum over; compare scores with each other, or take fewer hidden units"
            )
        sides = (self.visible_biases_, self.weights_.T, self.hidden_biases_)
        biases, weights, others = sides if n_visible <= n_hidden else (sides[2], self.weights_, sides[0])
        n, parts = len(biases), []
        for first in range(0, 1 << n, _ROWS):
            states = bits_of(np.arange(first, min(first + _ROWS, 1 << n)), n)
            parts.append(logsumexp(_summed_out(states, biases, weights, others)))
        return float(logsumexp(parts))

    def sample(self, n_samples: int = 1, random_state: Any = None) -> np.ndarray:
        """Rows of bits, uint8 (n_samples, n), each from a chain of its own.

        Chains start from independent bits with the visible biases and take `burn_in` steps of Gibbs sampling in single
        precision. That is the model's distribution as nearly as they have mixed; more steps come nearer.
        """
        check_is_fitted(self)
        seed = check_random_state(random_state).randint(2**31 - 1)
        generator, count = np.random.default_rng(seed), checked_samples(n_samples)
        with one_thread():
            parts = [self._chains(min(_ROWS, count - k), generator) for k in range(0, count, _ROWS)]
        return np.concatenate(parts)

    def _chains(self, count: int, generator: np.random.Generator) -> np.ndarray:
        weights = self.weights_.astype(np.float32)
        visible, hidden = self.visible_biases_.astype(np.float32), self.hidden_biases_.astype(np.float32)
        bits = _drawn(np.broadcast_to(visible, (count, len(visible))), generator)
        for _ in range(self.burn_in):
            bits = _drawn(_drawn(bits @ weights.T + hidden, generator) @ weights + visible, generator)
        return bits.astype(np.uint8)


def _summed_out(states: np.ndarray, biases: np.ndarray, weights: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Logarithms of the weights of one layer's states, those of the other layer summed over.

    Shapes: states (N, S), biases (S,), weights (S, T), others (T,) -> (N,).
    """
    parts = [states[k : k + _ROWS] for k in range(0, len(states), _ROWS)]
    found = [part @ biases + np.logaddexp(0, part @ weights + others).sum(axis=1) for part in parts]
    return np.concatenate(found)


def _drawn(log_odds: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    return (generator.random(log_odds.shape, np.float32) < expit(log_odds)).astype(np.float32)


def _check_counts(least: int = 1, **counts: Any) -> None:
    for name, value in counts.items():
        if not is_integer(value) or value < least:
            raise ConfigError(f"{name}={value!r}, expected an integer of at least {least}")
