"""Half the state: a cost that does not change when all spins flip, seen from its last spin.

In t_i = s_i s_last the cost is that of one spin less, X_i still flips t_i, and the X of the last spin flips all of them
at once: a rotation about X X ... X. The transverse field's start is the same. Values, gradients and samples are exactly
those of the full circuit.

Source: Bravyi, Kliesch, Koenig, Tang 2020, Physical Review Letters 125, 260505, on the symmetry; the rest is
substitution.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from qloom.circuits import Circuit
from qloom.combinatorial.qaoa.circuit import qaoa_circuit
from qloom.combinatorial.qaoa.cost import Polynomial
from qloom.combinatorial.qaoa.landscape import CircuitLandscape
from qloom.combinatorial.qaoa.mixers import TransverseField


def is_even(cost: Polynomial) -> bool:
    """Whether all terms have even numbers of spins, and there are spins to see others from."""
    return cost.n > 1 and all(len(term) % 2 == 0 for term in cost.terms)


class RelativeField(TransverseField):
    """The transverse field of one spin more than there are qubits, relative to that spin."""

    def n_parts(self, n: int) -> int:
        return n + 1

    def layer(self, circuit: Circuit, betas: Sequence[Any]) -> None:
        *own, last = betas
        super().layer(circuit, own)
        circuit.pauli_rotation(-2 * last, "X" * len(own), range(len(own)))


class EvenLandscape(CircuitLandscape):
    """Of the gammas and betas of QAOA with the transverse field, on one qubit less than the even cost has spins.

    Args:
        cost: for which `is_even` holds.
        n_layers: p.
        options: as of `CircuitLandscape`.
    """

    def __init__(self, cost: Polynomial, n_layers: int, *options: Any):
        relative = cost.substitute(cost.n - 1, 1).on(range(cost.n - 1))
        super().__init__(qaoa_circuit(relative, n_layers, RelativeField()), relative, *options)

    def _measured(self, angles: np.ndarray, shots: int, random: np.random.Generator) -> np.ndarray:
        relative = super()._measured(angles, shots, random)
        last = random.integers(0, 2, (shots, 1), dtype=np.int8) * 2 - 1
        return np.hstack([relative, np.ones_like(last)]) * last
