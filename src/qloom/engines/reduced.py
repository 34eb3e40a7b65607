"""What a part of the register is in: reduced density matrices, purity, entropies, mutual information.

A register of up to 24 qubits gives them from its state. Of a wider one, whose state may not fit, and of an engine that
has no states, as under noise, they come from the expectation values of the part's 4^k Pauli words, which only the light
cone takes part in.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.engines.base import Engine
from qloom.engines.batch import check_memory, make_batch
from qloom.engines.evaluation import checked_engine, expectation, state
from qloom.engines.outputs import checked_qubits
from qloom.errors import CircuitError
from qloom.observables import pauli

_WIDE = 24


def reduced_density_matrix(
    circuit: Circuit,
    qubits: Sequence[int] | None = None,
    inputs: Any = None,
    weights: Any = None,
    *,
    engine: Engine | None = None,
) -> np.ndarray:
    """Density matrices of some qubits (all by default), in their order, the first the most significant bit.

    Args:
        circuit: the circuit.
        qubits: k of them; None for all.
        engine: StatevectorEngine() by default; DensityEngine() or another for noisy circuits.

    Shapes: inputs (B, I) or (I,), weights (W,) or (B, W) -> (B, 2^k, 2^k), or (2^k, 2^k) without a batch dimension;
    complex64 for float32 angles, complex128 for float64.

    Raises:
        CircuitError: for qubits that the circuit does not have, or that are named twice.
        ShapeError: for inputs or weights that do not fit the circuit.
        UnsupportedError: for gates that the engine does not run.
        MemoryLimitError: for matrices that do not fit in memory.
    """
    kept = checked_qubits(circuit, qubits)
    batch = make_batch(circuit, inputs, weights)
    check_memory(32 * batch.size * 4 ** len(kept), f"{batch.size} density matrices of {len(kept)} qubits")
    engine = checked_engine(engine)
    from_state = circuit.n_qubits <= _WIDE and "state" in engine.gives
    arrays = batch.inputs, batch.weights
    found = (_of_state if from_state else _of_words)(circuit, kept, arrays, engine)
    return batch.unbatched(found.astype(np.result_type(batch.dtype, np.complex64)))


def _of_state(circuit: Circuit, kept: tuple[int, ...], arrays: tuple[Any, Any], engine: Engine | None) -> np.ndarray:
    states = np.atleast_2d(state(circuit, *arrays, engine=engine))
    cube = states.reshape(-1, *(2,) * circuit.n_qubits)
    parts = np.moveaxis(cube, [1 + q for q in kept], range(1, 1 + len(kept))).reshape(len(states), 2 ** len(kept), -1)
    return parts @ parts.conj().swapaxes(1, 2)


def _of_words(circuit: Circuit, kept: tuple[int, ...], arrays: tuple[Any, Any], engine: Engine | None) -> np.ndarray:
    letters = ["".join(word) for word in product("IXYZ", repeat=len(kept))]
    means = np.atleast_2d(expectation(circuit, [pauli(word, kept) for word in letters], *arrays, engine=engine))
    places = range(len(kept))
    total = np.zeros((len(means), 2 ** len(kept), 2 ** len(kept)), complex)
    for mean, word in zip(means.T, letters, strict=True):
        total += mean[:, None, None] * pauli(word, places).matrix(len(kept))
    return total / 2 ** len(kept)


def purity(
    circuit: Circuit,
    qubits: Sequence[int] | None = None,
    inputs: Any = None,
    weights: Any = None,
    *,
    engine: Engine | None = None,
) -> np.ndarray:
    """tr(rho^2) of some qubits: 1 for a pure state, 2^-k for the most mixed one.

    Arguments and errors are those of `reduced_density_matrix`.

    Shapes: as `reduced_density_matrix` -> (B,), or () without a batch dimension.
    """
    rho = reduced_density_matrix(circuit, qubits, inputs, weights, engine=engine)
    return np.sum(np.abs(rho) ** 2, axis=(-2, -1))


def entropy(
    circuit: Circuit,
    qubits: Sequence[int] | None = None,
    inputs: Any = None,
    weights: Any = None,
    *,
    order: float = 1.0,
    base: float = np.e,
    engine: Engine | None = None,
) -> np.ndarray:
    """Entropies of some qubits: von Neumann's -tr(rho log rho), or Renyi's log(tr(rho^order)) / (1 - order).

    The other arguments and errors are those of `reduced_density_matrix`.

    Args:
        order: from 0; 1 for von Neumann's, 0 counts the eigenvalues, infinity takes the largest.
        base: of the logarithm; 2 for bits.

    Shapes: as `reduced_density_matrix` -> (B,), or () without a batch dimension.

    Raises:
        CircuitError: for an order below 0, or a base that is not positive or is 1.
    """
    if not order >= 0:
        raise CircuitError(f"order={order!r}, expected a number of at least 0")
    if not (0 < base < np.inf and base != 1):
        raise CircuitError(f"base={base!r}, expected a positive number other than 1")
    rho = reduced_density_matrix(circuit, qubits, inputs, weights, engine=engine)
    shares = np.clip(np.linalg.eigvalsh(rho.astype(np.complex128)), 0, None)
    shares /= shares.sum(axis=-1, keepdims=True)
    resolved = 8 * np.finfo(rho.dtype).eps * rho.shape[-1]
    found = _entropy_of(shares, order, resolved) / np.log(base)
    return (found + 0.0).astype(rho.real.dtype)  # 0 where it was -0


def _entropy_of(shares: np.ndarray, order: float, resolved: float) -> np.ndarray:
    """In nats, of probabilities (..., N)."""
    if order == 1:
        return -(shares * np.log(np.where(shares > 0, shares, 1))).sum(axis=-1)
    if order == 0:
        return np.log((shares > resolved).sum(axis=-1))
    if np.isinf(order):
        return -np.log(shares.max(axis=-1))
    return np.log((shares**order).sum(axis=-1)) / (1 - order)


def mutual_information(
    circuit: Circuit,
    first: Sequence[int],
    second: Sequence[int],
    inputs: Any = None,
    weights: Any = None,
    *,
    base: float = np.e,
    engine: Engine | None = None,
) -> np.ndarray:
    """S(A) + S(B) - S(AB) of two groups of qubits, with von Neumann's entropy.

    The other arguments and errors are those of `reduced_density_matrix`.

    Args:
        first, second: qubits of A and of B.
        base: of the logarithm; 2 for bits.

    Shapes: as `reduced_density_matrix` -> (B,), or () without a batch dimension.

    Raises:
        CircuitError: for groups that share a qubit.
    """
    a, b = checked_qubits(circuit, first), checked_qubits(circuit, second)
    if set(a) & set(b):
        raise CircuitError(f"qubits {a} and {b} share {sorted(set(a) & set(b))}, expected two separate groups")
    of = lambda qubits: entropy(circuit, qubits, inputs, weights, base=base, engine=engine)  # noqa: E731
    return of(a) + of(b) - of((*a, *b))
