"""IQP encoding: Hadamards and diagonal phases of features and their products."""

from __future__ import annotations

from math import pi
from typing import TYPE_CHECKING

from qloom.checks import checked_count
from qloom.circuits.circuit import Circuit
from qloom.circuits.entanglers import entangler_pairs

if TYPE_CHECKING:
    from torch import Tensor


def iqp(n_features: int, n_layers: int = 1, entangler: str = "full") -> Circuit:
    """Encode features as Hadamards and diagonal Z and ZZ phases (instantaneous quantum polynomial).

    After Hadamards, RZ on every qubit and RZZ on the pairs of a pattern, repeated. `iqp_inputs` gives the angles x_i
    and x_i x_j; `zz_inputs` those of the ZZ feature map, 2 x_i and 2 (pi - x_i) (pi - x_j).

    Args:
        n_features: F, one qubit each.
        n_layers: repetitions of the block, at least 1.
        entangler: "full", "linear", "ring", "brick" or "none": P pairs, F (F - 1) / 2 if full.

    Shapes: inputs (B, F + P), radians: one a qubit, then one a pair in order of the pattern.

    Raises:
        CircuitError: if n_layers < 1, or there is no such pattern.

    Source: Havlicek et al. 2019, Nature 567, 209.
    """
    n_layers = checked_count("n_layers", n_layers)
    circuit = Circuit(n_features)
    pairs = entangler_pairs(entangler, n_features)
    x, products = circuit.inputs(n_features), circuit.inputs(len(pairs))
    for _ in range(n_layers):
        for qubit in range(n_features):
            circuit.h(qubit).rz(x[qubit], qubit)
        for (a, b), product in zip(pairs, products, strict=True):
            circuit.rzz(product, a, b)
    return circuit


def iqp_inputs(x: Tensor, entangler: str = "full") -> Tensor:
    """Features and their products on the pairs of a pattern, differentiably.

    Args:
        entangler: the pattern, as of `iqp`: P pairs.

    Shapes: x (..., F) -> (..., F + P).

    Raises:
        CircuitError: if there is no such pattern.
    """
    return _with_products(x, x, entangler)


def zz_inputs(x: Tensor, entangler: str = "full") -> Tensor:
    """The angles of the ZZ feature map: 2 x_i, and 2 (pi - x_i) (pi - x_j) on the pairs of a pattern.

    Args:
        entangler: the pattern, as of `iqp`: P pairs.

    Shapes: x (..., F) -> (..., F + P).

    Raises:
        CircuitError: if there is no such pattern.

    Source: Havlicek et al. 2019, Nature 567, 209; Qiskit, ZZFeatureMap.
    """
    return _with_products(2 * x, 2**0.5 * (pi - x), entangler)


def _with_products(single: Tensor, factors: Tensor, entangler: str) -> Tensor:
    import torch

    pairs = torch.tensor(entangler_pairs(entangler, factors.shape[-1]), dtype=torch.long).reshape(-1, 2)
    return torch.cat([single, factors[..., pairs[:, 0]] * factors[..., pairs[:, 1]]], dim=-1)
