"""IQP encoding: Hadamards and diagonal phases of features and their products."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from qloom.circuits.circuit import Circuit, checked_count

if TYPE_CHECKING:
    from torch import Tensor


def iqp(n_features: int, n_layers: int = 1) -> Circuit:
    """Encode features as Hadamards and diagonal Z and ZZ phases (instantaneous quantum polynomial).

    RZ(x_i) on qubit i and RZZ(x_i x_j) on each pair, after Hadamards, repeated. `iqp_inputs` makes the products.

    Args:
        n_features: F, one qubit each.
        n_layers: repetitions of the block, at least 1.

    Shapes: inputs (B, F + F(F-1)/2), radians: the features, then their products in order of `combinations`.

    Raises:
        CircuitError: if n_layers < 1.

    Source: Havlicek et al. 2019, Nature 567, 209.
    """
    n_layers = checked_count("n_layers", n_layers)
    circuit = Circuit(n_features)
    pairs = list(combinations(range(n_features), 2))
    x, products = circuit.inputs(n_features), circuit.inputs(len(pairs))
    for _ in range(n_layers):
        for qubit in range(n_features):
            circuit.h(qubit).rz(x[qubit], qubit)
        for (a, b), product in zip(pairs, products, strict=True):
            circuit.rzz(product, a, b)
    return circuit


def iqp_inputs(x: Tensor) -> Tensor:
    """Features and their pairwise products, differentiably.

    Shapes: x (..., F) -> (..., F + F(F-1)/2).
    """
    import torch

    a, b = torch.triu_indices(x.shape[-1], x.shape[-1], offset=1)
    return torch.cat([x, x[..., a] * x[..., b]], dim=-1)
