"""The quantum generative adversarial network: a circuit against a classical network that knows it from data."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import Any, Self

import numpy as np
import torch
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn
from torch.nn.functional import softplus

from qloom.ansatze import hardware_efficient
from qloom.checks import is_integer, is_real
from qloom.circuits import Circuit
from qloom.engines.evaluation import probabilities
from qloom.errors import ConfigError
from qloom.fitting import Training, cosine
from qloom.models.generative.base import EveryOutcome, check_few_enough
from qloom.models.generative.qcbm import checked_generator
from qloom.models.generative.words import bits_of, checked_bits, outcomes_of
from qloom.models.threads import torch_threads
from qloom.nn import QuantumLayer
from qloom.nn.initialization import derived_seeds, seeded_linear


class QGAN(EveryOutcome):
    """A circuit whose outcomes a discriminator, a perceptron of the bits, cannot tell from rows.

    Both take a step of Adam at once, each for its own loss, along half a cosine of the learning rate. Expectations are
    exact sums over all 2^n outcomes, weighted with the rows' shares and the circuit's probabilities; the generator's
    loss is the one that does not saturate, the mean of -log D. After training the discriminator is thrown away.

    Where 2^n probabilities can be had, as here, this does nothing better than training the same circuit by likelihood
    (`QCBM(circuit)`): that has one loss to go down, reaches a lower relative entropy in fewer steps and cannot circle.
    What the adversary needs is only samples of both sides, which is why it is of use where probabilities are out of
    reach; the exact expectations here leave the noise of such samples out.

    Args:
        circuit: any circuit without inputs, with a qubit for each bit; None for Hadamards, which make every outcome
            alike, then layers of RY with CZ around a ring between them.
        n_layers: rings of CZ.
        units: of the discriminator's hidden layers.
        learning_rate: of the first step.
        max_steps: taken.
        random_state: seed of the first angles, within 0.1 of 0, and of the discriminator.

    Attributes:
        circuit_: the generator.
        weights_: its angles, (W,).
        relative_entropies_: of the rows' distribution to the generator's after every step, in nats, (n_steps,).

    Raises:
        UnsupportedError: in `fit`, for more than 20 bits; there a step holds about 2 GB.
        ConfigError: in `fit`, for numbers that cannot be.
        ShapeError: in `fit`, for a circuit that does not fit the rows.

    Source: Zoufal, Lucchi, Woerner 2019, npj Quantum Information 5, 103, where batches are sampled.
    """

    def __init__(
        self,
        circuit: Circuit | None = None,
        n_layers: int = 2,
        units: Sequence[int] = (50, 20),
        learning_rate: float = 0.02,
        max_steps: int = 1000,
        random_state: Any = 0,
    ):
        self.circuit = circuit
        self.n_layers = n_layers
        self.units = units
        self.learning_rate = learning_rate
        self.max_steps = max_steps
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn from rows of bits, such as integers in binary. Shapes: X (N, n) of 0 and 1; y is not used."""
        bits = checked_bits(X)
        self._check_settings()
        self.n_features_in_ = n_bits = bits.shape[1]
        check_few_enough("QGAN", n_bits)
        self.circuit_ = _uniform_at_first(n_bits, self.n_layers) if self.circuit is None else self.circuit
        checked_generator(self.circuit_, n_bits)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        shares = torch.from_numpy(np.bincount(outcomes_of(bits), minlength=1 << n_bits) / len(bits))
        both = Adversaries(self.circuit_, self.units, seed)
        training = self._training(both, shares)
        with torch_threads(1):  # the circuit has the cores
            training.run()
        self.weights_ = both.generator.weights.numpy(force=True).copy()
        self.relative_entropies_ = np.array([epoch["validation_metric"] for epoch in training.history])
        return self

    def _check_settings(self) -> None:
        if not is_integer(self.max_steps) or self.max_steps < 1:
            raise ConfigError(f"max_steps={self.max_steps!r}, expected an integer of at least 1")
        if not all(is_integer(size) and size > 0 for size in self.units):
            raise ConfigError(f"units={self.units!r}, expected integers of at least 1 such as (50, 20)")
        if not is_real(self.learning_rate) or not self.learning_rate > 0:
            raise ConfigError(f"learning_rate={self.learning_rate!r}, expected a number above 0")

    def _training(self, both: Adversaries, shares: Tensor) -> Training:
        return Training(
            both, adversarial_loss, [shares], torch.optim.Adam(both.parameters(), betas=(0.5, 0.9)),
            epochs=self.max_steps, rate=cosine(self.learning_rate, self.max_steps),
            judge=partial(_relative_entropy, shares), seed=None,
        )  # fmt: skip

    def probabilities(self) -> np.ndarray:
        check_is_fitted(self)
        return probabilities(self.circuit_, weights=self.weights_)


class Adversaries(nn.Module):
    """Generator and discriminator: () -> probabilities (2^n,) and the discriminator's logarithms of odds (2^n,).

    Args:
        circuit: of n qubits.
        units: of the discriminator's hidden layers.
        seed: of the first weights of both.
    """

    outcomes: Tensor

    def __init__(self, circuit: Circuit, units: Sequence[int], seed: int):
        super().__init__()
        of_circuit, *of_layers = derived_seeds(seed, len(units) + 2)
        first = np.random.default_rng(of_circuit).uniform(-0.1, 0.1, circuit.n_weights)
        self.generator = QuantumLayer(circuit, "probabilities", init=first, dtype=torch.float64)
        sizes, layers = [circuit.n_qubits, *units, 1], list[nn.Module]()
        for (before, after), of_layer in zip(pairwise(sizes), of_layers, strict=True):
            layers += [seeded_linear(before, after, dtype=torch.float64, seed=of_layer), nn.LeakyReLU(0.2)]
        self.discriminator = nn.Sequential(*layers[:-1])
        signs = 1 - 2.0 * bits_of(np.arange(1 << circuit.n_qubits), circuit.n_qubits)
        self.register_buffer("outcomes", torch.from_numpy(signs), persistent=False)

    def forward(self) -> tuple[Tensor, Tensor]:
        return self.generator(), self.discriminator(self.outcomes)[:, 0]


def adversarial_loss(both: Adversaries, shares: Tensor) -> Tensor:
    """The losses of both in one: neither's gradient reaches the other. Shapes: shares (2^n,) -> ()."""
    found, odds = both()
    told_apart = shares @ softplus(-odds) + found.detach() @ softplus(odds)
    return told_apart + found @ softplus(-odds.detach())


def _relative_entropy(shares: Tensor, both: Adversaries) -> float:
    there = shares > 0
    known = shares[there]
    return float((known * (known / both.generator()[there].clamp(min=1e-300)).log()).sum())


def _uniform_at_first(n_qubits: int, n_layers: int) -> Circuit:
    """Hadamards, then n_layers + 1 of RY with CZ around a ring between them; the last ring moves no outcome."""
    circuit = Circuit(n_qubits)
    for qubit in range(n_qubits):
        circuit.h(qubit)
    return circuit + hardware_efficient(n_qubits, n_layers + 1, ("ry",), "ring", "cz")
