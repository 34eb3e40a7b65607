"""A layer in the place of a dense block: features to angles, an entangling circuit, expectation values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from qloom.ansatze import strongly_entangling
from qloom.checks import checked_count
from qloom.circuits.circuit import Circuit
from qloom.engines.base import Engine
from qloom.errors import CircuitError
from qloom.nn.layer import QuantumLayer
from qloom.nn.words import output_words

MOST_QUBITS_BY_DEFAULT = 8


@dataclass(frozen=True)
class Savings:
    """Trainable numbers of a layer beside those of nn.Linear of the same shape."""

    in_features: int
    out_features: int
    weights: int

    @property
    def dense(self) -> int:
        return (self.in_features + 1) * self.out_features

    def __str__(self) -> str:
        share = 1 - self.weights / self.dense
        saved = f"{share:.0%} fewer" if share >= 0 else f"{-share:.0%} more"
        return f"{self.weights} weights, nn.Linear({self.in_features}, {self.out_features}) has {self.dense}: {saved}"


class EntanglingLayer(nn.Module):
    """Maps F features to O numbers from -1 to 1 by a circuit of few weights.

    Layer after layer, n features turn the qubits by RY and a trainable block entangles them; features beyond n enter in
    the next layers, and again from the first when all have entered. The outputs are expectation values: Z on every
    qubit, then Z Z on pairs, and further words.

    Args:
        in_features: F.
        out_features: O.
        n_qubits: n; by default F, at most 8.
        n_layers: L, at least ceil(F / n), which is the default if that is more than 2.
        block: n -> the trainable circuit of one layer; strongly entangling by default.
        scale: radians a unit of a feature.
        engine, init, dtype, seed: of the `QuantumLayer`.

    Shapes: x (..., F) -> (..., O).

    Attributes:
        quantum: the `QuantumLayer`.

    Raises:
        CircuitError: for too few layers for the features, or more outputs than there are words.
        ShapeError: for x of another shape.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        n_qubits: int | None = None,
        n_layers: int | None = None,
        block: Callable[[int], Circuit] | None = None,
        scale: float = 1.0,
        engine: Engine | None = None,
        init: Any = "auto",
        dtype: torch.dtype | None = None,
        seed: int | None = None,
    ):
        super().__init__()
        self.in_features = checked_count("in_features", in_features)
        self.out_features = checked_count("out_features", out_features)
        n = checked_count("n_qubits", n_qubits or min(in_features, MOST_QUBITS_BY_DEFAULT))
        least = -(-in_features // n)
        n_layers = checked_count("n_layers", max(2, least) if n_layers is None else n_layers)
        if n_layers < least:
            raise CircuitError(f"n_layers={n_layers}, expected at least {least}: {n} of {in_features} features a layer")
        circuit = _circuit(in_features, n, n_layers, block or (lambda qubits: strongly_entangling(qubits, 1)), scale)
        words = output_words(n, out_features)
        self.quantum = QuantumLayer(circuit, words, engine=engine, init=init, dtype=dtype, seed=seed)

    def forward(self, x: Tensor) -> Tensor:
        return self.quantum(x)

    def savings(self) -> Savings:
        """Weights of this layer beside those of nn.Linear."""
        return Savings(self.in_features, self.out_features, self.quantum.weights.numel())


def _circuit(n_features: int, n_qubits: int, n_layers: int, block: Callable[[int], Circuit], scale: float) -> Circuit:
    circuit, trained = Circuit(n_qubits), block(n_qubits)
    x = circuit.inputs(n_features)
    for layer in range(n_layers):
        first = layer * n_qubits % (-(-n_features // n_qubits) * n_qubits)
        for qubit, feature in enumerate(x[first : first + n_qubits]):
            circuit.ry(scale * feature, qubit)
        circuit.place(trained, range(n_qubits), circuit.weights(trained.n_weights))
    return circuit
