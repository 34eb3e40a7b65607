"""Quantum Boltzmann machines: Gibbs states of Pauli words, whose strengths are learnt."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import torch
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from qloom.checks import is_integer, is_real
from qloom.errors import ConfigError, UnsupportedError
from qloom.models.generative.base import EveryOutcome
from qloom.models.generative.gibbs import (
    Data,
    Gibbs,
    Loss,
    Word,
    WordSum,
    hidden_loss,
    measured_entropy,
    reduced,
    relative_entropy,
    visible_loss,
    words_on,
)
from qloom.models.generative.quasi_newton import lowest
from qloom.models.generative.words import MOST_EXACT, checked_bits, outcomes_of
from qloom.models.threads import numeric_threads, torch_threads

# Qubits of a dense Gibbs state: at 12 a step takes up to 0.9 GB, 1.2 GB with hidden qubits, and a minute or two on two
# cores; twice the memory and several times as long with words of an odd number of Y.
MOST_QUBITS = 12
_CONNECTIONS = ("full", "semi-restricted", "restricted")
_DATA_STATES = ("diagonal", "pure", "measured")
# Up to which matrices are worked on by one thread; others cost more to wake.
_FEW_QUBITS = 8


class QuantumBoltzmannMachine(EveryOutcome):
    """The state exp(H) / Tr exp(H) of H = sum_k theta_k P_k, measured in Z; hidden qubits come after the bits.

    With words of Z alone this is the classical Boltzmann machine: `operators=("Z", "ZZ")`.

    Without hidden qubits the relative entropy is convex, and its derivatives are <P_k> minus those of the data: there
    is one optimum and no plateau on the way. Of "diagonal" data that optimum has no X: it is the classical machine.
    Words of X help where data are a "pure" state, or compared as they are "measured", which is not convex.
    Where data have outcomes that never occur, the optimum may lie at infinity; the training then ends at `max_steps`,
    or at the optimum that `penalty` sets.

    Args:
        operators: letters of words, each on every choice of as many qubits, in this order.
        n_hidden: hidden qubits.
        connections: "full"; "semi-restricted" without words of several hidden qubits; "restricted" without those of
            several bits either.
        data_state: what the state of the bits is compared with: "diagonal", the mixture of basis states with the data's
            shares; "pure", their superposition with amplitudes sqrt(p); "measured", the data's distribution with that
            of outcomes alone, which is the likelihood.
        penalty: of half the sum of theta^2, added to the relative entropy.
        max_steps: iterations of L-BFGS at most.
        tolerance: training ends when 20 iterations lower the loss by no more than this.
        random_state: seed of the first theta, normal of deviation 0.1.

    Attributes:
        words_: letters and qubits of each P_k.
        theta_: (K,).
        probabilities_: of the outcomes, (2^n,).
        relative_entropy_: of the data to the model, in nats, in the sense of `data_state`, without the penalty.
        losses_: before every 20 iterations.

    Raises:
        UnsupportedError: in `fit`, for more than 12 qubits in all, or 20 of words of Z alone.
        ConfigError: in `fit`, for settings that cannot be.

    Source: Amin and others 2018, Phys. Rev. X 8, 021050; Kappen 2020, J. Phys. A 53, 214001 (pure data states).
    """

    def __init__(
        self,
        operators: tuple[str, ...] = ("Z", "X", "ZZ"),
        n_hidden: int = 0,
        connections: str = "full",
        data_state: str = "pure",
        penalty: float = 0.0,
        max_steps: int = 1000,
        tolerance: float = 1e-10,
        random_state: Any = 0,
    ):
        self.operators = operators
        self.n_hidden = n_hidden
        self.connections = connections
        self.data_state = data_state
        self.penalty = penalty
        self.max_steps = max_steps
        self.tolerance = tolerance
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> Self:
        bits = checked_bits(X)
        self._check_settings()
        self.n_features_in_ = bits.shape[1]
        self.words_ = self._words_of(self.n_features_in_)
        words = WordSum(self.words_, self.n_features_in_ + self.n_hidden)
        self._check_size(words)
        shares = np.bincount(outcomes_of(bits), minlength=1 << self.n_features_in_) / len(bits)
        loss = self._loss(words, shares)
        first = 0.1 * check_random_state(self.random_state).standard_normal(len(words))
        with numeric_threads(1) if words.n_qubits <= _FEW_QUBITS else torch_threads(1):
            self.theta_, self.losses_ = _trained(loss, first, self.penalty, self.max_steps, self.tolerance)
        self.relative_entropy_ = loss(self.theta_)[0]
        found = self.state()
        self.probabilities_ = np.clip(found if found.ndim == 1 else np.diagonal(found).real, 0, None)
        return self

    def _check_settings(self) -> None:
        for name, value, known in (
            ("connections", self.connections, _CONNECTIONS),
            ("data_state", self.data_state, _DATA_STATES),
        ):
            if value not in known:
                raise ConfigError(f"{name}={value!r}, expected one of {', '.join(known)}")
        for letters in self.operators:
            if not isinstance(letters, str) or not letters or set(letters) - set("XYZ"):
                raise ConfigError(
                    f"operators={self.operators!r}, expected words of X, Y and Z such as ('Z', 'X', 'ZZ')"
                )
        for name, least in (("n_hidden", 0), ("max_steps", 1)):
            if not is_integer(getattr(self, name)) or getattr(self, name) < least:
                raise ConfigError(f"{name}={getattr(self, name)!r}, expected an integer of at least {least}")
        if not is_real(self.penalty) or not self.penalty >= 0:
            raise ConfigError(f"penalty={self.penalty!r}, expected a number of at least 0")

    def _words_of(self, n_bits: int) -> list[Word]:
        words = words_on(n_bits + self.n_hidden, self.operators)
        if self.connections == "full":
            return words
        hidden = [sum(q >= n_bits for q in qubits) for _, qubits in words]
        most_bits = 1 if self.connections == "restricted" else n_bits
        return [
            word for word, count in zip(words, hidden, strict=True) if count <= 1 and len(word[1]) - count <= most_bits
        ]

    def _check_size(self, words: WordSum) -> None:
        most = MOST_EXACT if words.is_diagonal else MOST_QUBITS
        if words.n_qubits > most:
            hidden = f" and {self.n_hidden} hidden qubits" if self.n_hidden else ""
            raise UnsupportedError(
                f"QuantumBoltzmannMachine was given {self.n_features_in_} bits{hidden}, expected at most {most} in "
                "all; take fewer columns or bins, or IQPModel, which has no such limit"
            )
        if not len(words):
            raise ConfigError(
                f"operators={self.operators!r} make no word of {words.n_qubits} qubit(s); give shorter ones"
            )

    def _loss(self, words: WordSum, shares: np.ndarray) -> Loss:
        data = Data.mixture(shares)
        if self.data_state == "pure":  # diagonal words see nothing of it but the diagonal
            data = Data(shares, 0.0) if words.is_diagonal else Data.pure(shares)
        if self.data_state == "measured":
            return hidden_loss(words, self.n_features_in_, measured_entropy(data))
        if self.n_hidden:
            return hidden_loss(words, self.n_features_in_, relative_entropy(data))
        return visible_loss(words, data)

    def state(self) -> np.ndarray:
        """The state of the bits' qubits, (2^n, 2^n), or its diagonal (2^n,) where all words are of Z."""
        check_is_fitted(self)
        n_bits = self.n_features_in_
        return reduced(Gibbs(WordSum(self.words_, n_bits + self.n_hidden).matrix(self.theta_)).state, n_bits)

    def probabilities(self) -> np.ndarray:
        check_is_fitted(self)
        return self.probabilities_


class Strengths(nn.Module):
    """theta, (K,)."""

    def __init__(self, first: np.ndarray):
        super().__init__()
        self.theta = nn.Parameter(torch.from_numpy(first))


class _Known(torch.autograd.Function):
    """A loss of theta that comes with its derivatives."""

    @staticmethod
    def forward(ctx: Any, theta: Tensor, loss: Loss) -> Tensor:
        value, slope = loss(theta.numpy())
        ctx.slope = torch.from_numpy(slope)
        return theta.new_tensor(value)

    @staticmethod
    def backward(ctx: Any, by_value: Tensor) -> tuple[Tensor, None]:  # type: ignore[override]
        return by_value * ctx.slope, None


def _trained(
    loss: Loss, first: np.ndarray, penalty: float, max_steps: int, tolerance: float
) -> tuple[np.ndarray, np.ndarray]:
    """theta of the lowest loss with its penalty, and the losses."""

    def objective(module: Strengths) -> Tensor:
        value: Tensor = _Known.apply(module.theta, loss)  # type: ignore[no-untyped-call]
        return value + 0.5 * penalty * module.theta.square().sum()

    module = Strengths(first)
    losses = lowest(module, objective, max_steps, tolerance)
    return module.theta.detach().numpy().copy(), losses
