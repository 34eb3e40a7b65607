"""Identity blocks: layers followed by their inverses with weights of their own; training starts at the identity."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from qloom.checks import checked_count
from qloom.circuits.circuit import Circuit


def identity_blocks(n_qubits: int, n_blocks: int, layer: Callable[[int], Circuit]) -> Circuit:
    """A layer, then its inverse with other weights, n_blocks times.

    Started at `identity_weights` every block is the identity, however deep the circuit: gradients do not vanish with
    depth at the start.

    Args:
        n_qubits: n.
        n_blocks: M, at least 1.
        layer: n -> a trainable circuit, W weights, such as ``lambda n: ansatze.strongly_entangling(n, 2)``.

    Shapes: weights (M, 2, W) flattened.

    Raises:
        CircuitError: for `n_blocks` below 1.
        UnsupportedError: for a layer with gates that are not unitary.

    Source: Grant et al. 2019, Quantum 3, 214.
    """
    n_blocks = checked_count("n_blocks", n_blocks)
    made = layer(n_qubits)
    return (made + made.inverse()).repeat(n_blocks)


def identity_weights(circuit: Circuit, n_blocks: int, seed: int | None = None) -> np.ndarray:
    """Weights at which `identity_blocks` does nothing: random ones in each layer, the same in its inverse.

    Args:
        circuit: what `identity_blocks` gave.
        n_blocks: M, as it was given there.
        seed: of the weights; None for fresh entropy.

    Shapes: (M, 2, W) flattened, from 0 to 2 pi.
    """
    half = circuit.n_weights // (2 * checked_count("n_blocks", n_blocks))
    angles = np.random.default_rng(seed).uniform(0, 2 * np.pi, (n_blocks, 1, half))
    return np.repeat(angles, 2, axis=1).ravel()
