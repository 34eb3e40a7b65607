"""The quantum circuit Born machine: a circuit whose outcomes are distributed as rows of bits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any, Self

import numpy as np
import torch
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from qloom import ansatze
from qloom.checks import is_integer
from qloom.circuits import Circuit
from qloom.engines.evaluation import probabilities
from qloom.errors import ConfigError, ShapeError
from qloom.models.generative.base import EveryOutcome, check_few_enough
from qloom.models.generative.chow_liu import chow_liu_edges
from qloom.models.generative.every_word import discrepancy_to, transformed
from qloom.models.generative.quasi_newton import lowest
from qloom.models.generative.words import checked_bits, median_width, outcomes_of
from qloom.models.threads import torch_threads
from qloom.nn import QuantumLayer

# Added to probabilities before their logarithm is taken: a row that the circuit never gives costs 27.6 nats.
FLOOR = 1e-12
# Of the normal distribution of first angles.
DEVIATION = 0.5

# Rows (N, n), n_layers -> a circuit.
ANSATZE: dict[str, Callable[[np.ndarray, int], Circuit]] = {
    "all_pairs": lambda bits, n_layers: ansatze.edge_entangler(
        bits.shape[1], list(combinations(range(bits.shape[1]), 2)), n_layers
    ),
    "chow_liu": lambda bits, n_layers: ansatze.edge_entangler(bits.shape[1], chow_liu_edges(bits), n_layers),
    "hardware_efficient": lambda bits, n_layers: ansatze.hardware_efficient(
        bits.shape[1], n_layers, ("ry", "rz"), "ring"
    ),
    "strongly_entangling": lambda bits, n_layers: ansatze.strongly_entangling(bits.shape[1], n_layers),
}


class QCBM(EveryOutcome):
    """A circuit measured in Z, trained by the exact probabilities of all 2^n outcomes, up to 20 bits.

    Trained by L-BFGS with adjoint gradients from several first angles, of which the best is kept.

    Args:
        circuit: any circuit without inputs, with a qubit for each bit; None makes one by `ansatz`.
        ansatz: "all_pairs", an entangler on every two qubits; "chow_liu", on the tree of the data's strongest
            dependences, where the first of the starts is that tree's own distribution; "hardware_efficient" or
            "strongly_entangling".
        n_layers: of the ansatz.
        objective: "kl", the mean of -log(p + 1e-12) over the rows; "mmd", the squared maximum mean discrepancy to the
            rows' own distribution.
        widths: of the Gaussian kernels whose discrepancies "mmd" takes the mean of, a number or several; None for the
            median distance of two rows.
        n_restarts: first angles that are tried, normal of deviation 0.5.
        max_steps: iterations of L-BFGS at most, for each.
        tolerance: training ends when 20 iterations lower the loss by no more.
        random_state: seed of the first angles.

    Attributes:
        circuit_: the circuit.
        weights_: its angles, (W,).
        losses_: of the start that was kept, before every 20 iterations.
        loss_: at the end.

    Raises:
        UnsupportedError: in `fit`, for more than 20 bits.
        ConfigError: in `fit`, for an ansatz, an objective or numbers that cannot be.
        ShapeError: in `fit`, for a circuit that does not fit the rows.

    Source: Benedetti and others 2019, npj Quantum Information 5, 45; Liu and Wang 2018, Phys. Rev. A 98, 062324 (mmd).
    """

    def __init__(
        self,
        circuit: Circuit | None = None,
        ansatz: str = "all_pairs",
        n_layers: int = 2,
        objective: str = "kl",
        widths: Any = None,
        n_restarts: int = 4,
        max_steps: int = 1000,
        tolerance: float = 1e-8,
        random_state: Any = 0,
    ):
        self.circuit = circuit
        self.ansatz = ansatz
        self.n_layers = n_layers
        self.objective = objective
        self.widths = widths
        self.n_restarts = n_restarts
        self.max_steps = max_steps
        self.tolerance = tolerance
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> Self:
        bits = checked_bits(X)
        check_few_enough("QCBM", bits.shape[1])
        self.n_features_in_ = bits.shape[1]
        for name in ("n_restarts", "max_steps"):
            if not is_integer(getattr(self, name)) or getattr(self, name) < 1:
                raise ConfigError(f"{name}={getattr(self, name)!r}, expected an integer of at least 1")
        self.circuit_ = self._circuit_for(bits)
        loss, found = self._loss(bits), list[tuple[float, np.ndarray, np.ndarray]]()
        with torch_threads(1):  # the circuits have the cores
            for first in self._first_weights(bits):
                layer = QuantumLayer(self.circuit_, "probabilities", init=first, dtype=torch.float64)
                losses = lowest(layer, lambda layer: loss(layer()), self.max_steps, self.tolerance)
                with torch.no_grad():
                    found.append((float(loss(layer())), layer.weights.numpy(force=True).copy(), losses))
        self.loss_, self.weights_, self.losses_ = min(found, key=lambda each: each[0])
        return self

    def _circuit_for(self, bits: np.ndarray) -> Circuit:
        if self.circuit is not None:
            return checked_generator(self.circuit, bits.shape[1])
        if self.ansatz not in ANSATZE:
            raise ConfigError(f"ansatz={self.ansatz!r}, expected one of {', '.join(ANSATZE)}, or give a circuit")
        return ANSATZE[self.ansatz](bits, self.n_layers)

    def _loss(self, bits: np.ndarray) -> Callable[[Tensor], Tensor]:
        """Of probabilities (2^n,)."""
        shares = np.bincount(outcomes_of(bits), minlength=1 << bits.shape[1]) / len(bits)
        if self.objective == "kl":
            return likelihood_loss(shares)
        if self.objective != "mmd":
            raise ConfigError(f"objective={self.objective!r}, expected 'kl' or 'mmd'")
        widths = np.atleast_1d(median_width(bits) if self.widths is None else self.widths)
        return discrepancy_loss(shares, widths.tolist())

    def _first_weights(self, bits: np.ndarray) -> list[np.ndarray]:
        random = check_random_state(self.random_state)
        firsts = [DEVIATION * random.standard_normal(self.circuit_.n_weights) for _ in range(self.n_restarts)]
        if self.circuit is None and self.ansatz == "chow_liu":
            firsts[0] = tree_weights(self.circuit_, bits, firsts[0] / 5)
        return firsts

    def probabilities(self) -> np.ndarray:
        check_is_fitted(self)
        return probabilities(self.circuit_, weights=self.weights_)


def checked_generator(circuit: Any, n_bits: int) -> Circuit:
    """A circuit without inputs, with weights and a qubit for each bit.

    Raises:
        ShapeError: for anything else.
    """
    if not isinstance(circuit, Circuit) or circuit.n_inputs or not circuit.n_weights or circuit.n_qubits != n_bits:
        raise ShapeError(f"circuit={circuit!r}, expected a Circuit of {n_bits} qubits, with weights and without inputs")
    return circuit


def likelihood_loss(shares: np.ndarray) -> Callable[[Tensor], Tensor]:
    """The mean of -log(p + 1e-12) over rows with these shares of outcomes, (2^n,)."""
    there = np.flatnonzero(shares)
    outcomes, weights = torch.from_numpy(there), torch.from_numpy(shares[there])
    return lambda found: -(weights * torch.log(found[outcomes] + FLOOR)).sum()


def discrepancy_loss(shares: np.ndarray, widths: Sequence[float]) -> Callable[[Tensor], Tensor]:
    """The squared maximum mean discrepancy to shares of outcomes (2^n,), the mean over widths, by all words of Z."""
    discrepancy = discrepancy_to(shares, widths)
    return lambda found: discrepancy(transformed(found[None])[0])


def tree_weights(circuit: Circuit, bits: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Angles of an `edge_entangler` along a tree whose first layer has the shares of that tree's bits in the rows.

    Shares are (count + 1/2) / (rows + 1), since an angle of probability 0 has no slope. Later layers keep the noise.

    Shapes: bits (N, n), noise (W,) -> (W,).
    """
    weights, n = noise.copy(), bits.shape[1]
    edges = [op.qubits for op in circuit.operations if op.gate.name == "cry"][: n - 1]
    turns, controlled = (circuit.weight_slots.named(weights)[name][0] for name in ("qubits", "edges"))
    turns[0] = _turn(bits[:, 0])
    for k, (near, far) in enumerate(edges):
        turns[far] = _turn(bits[bits[:, near] == 0, far])
        controlled[k] = _turn(bits[bits[:, near] == 1, far]) - turns[far]
    return weights


def _turn(column: np.ndarray) -> float:
    """The angle of RY after which a qubit is 1 with a column's share."""
    return float(2 * np.arcsin(np.sqrt((column.sum() + 0.5) / (len(column) + 1))))
