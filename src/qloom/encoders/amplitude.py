"""Amplitude encoding: 2^n features become the amplitudes of n qubits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qloom.checks import checked_count
from qloom.circuits.circuit import Circuit
from qloom.errors import ShapeError

if TYPE_CHECKING:
    from torch import Tensor


def amplitude(n_features: int) -> Circuit:
    """Start from a state whose amplitudes are the features, padded with zeros to the next power of two.

    The circuit takes 2^n inputs of norm 1 each sample; `normalize` makes them from features.

    Args:
        n_features: F; n = max(1, ceil(log2 F)) qubits.

    Shapes: inputs (B, 2^n), each row of norm 1.

    Raises:
        CircuitError: for `n_features` below 1.

    Source: Schuld, Petruccione 2018, Supervised Learning with Quantum Computers, section 5.2.
    """
    n_features = checked_count("n_features", n_features)
    circuit = Circuit(max(1, (n_features - 1).bit_length()))
    return circuit.prepare_amplitudes(circuit.inputs(2**circuit.n_qubits))


def normalize(x: Tensor, n_amplitudes: int, padding: float = 0.0) -> Tensor:
    """Pad features with zeros, or another number, and divide each row by its norm, differentiably.

    A padding beside features keeps their length: without it x and 2 x are one state.

    Shapes: x (..., F) -> (..., n_amplitudes).

    Raises:
        ShapeError: if F > n_amplitudes, or a row is zero and so has no direction.
    """
    from torch import _C
    from torch.nn.functional import pad

    if x.shape[-1] > n_amplitudes:
        raise ShapeError(f"x has {x.shape[-1]} features, expected at most {n_amplitudes}; use more qubits")
    x = pad(x, (0, n_amplitudes - x.shape[-1]), value=padding)
    norms = found = x.norm(dim=-1, keepdim=True)
    while _C._functorch.is_functorch_wrapped_tensor(found):  # under torch.func a question needs the numbers themselves
        found = _C._functorch.get_unwrapped(found)
    if not bool((found > 0).all()):
        raise ShapeError("x has a row of zeros, which has no direction; expected a nonzero feature in every row")
    return x / norms
