"""Confusion of measured bits: blocks of qubits with their matrices, from a noise model or from calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.engines.base import Engine
from qloom.engines.batch import make_batch
from qloom.engines.outputs import Expectations
from qloom.engines.readout import of_parities
from qloom.errors import CircuitError, UnsupportedError
from qloom.observables import Z

# A matrix whose inverse multiplies errors by more than this tells outcomes apart no longer.
MOST_AMPLIFICATION = 1000.0


@dataclass(frozen=True, eq=False)
class Block:
    """Qubits that are misread together.

    Args:
        matrix: probabilities (2^k, 2^k), columns of true and rows of measured outcomes, first qubit most significant.
    """

    qubits: tuple[int, ...]
    matrix: np.ndarray

    def parities(self) -> np.ndarray:
        """What true parities are in measured ones, D (2^k, 2^k), parities numbered as outcomes are."""
        return of_parities(self.matrix)

    def undoing_row(self, chosen: Sequence[bool]) -> np.ndarray:
        """What measured parities (2^k,) are in the true parity of the chosen qubits."""
        place = sum(2 ** (len(self.qubits) - 1 - k) for k, c in enumerate(chosen) if c)
        return np.linalg.inv(self.parities())[place]


def checked_blocks(confusion: Any) -> tuple[Block, ...]:
    """Blocks from ``{0: matrix, (1, 2): joint}``, or a matrix for each qubit from 0.

    Raises:
        CircuitError: for matrices that are no confusion, that cannot be undone, or that share a qubit.
    """
    pairs = confusion.items() if isinstance(confusion, Mapping) else enumerate(confusion)
    blocks: list[Block] = []
    for qubits, matrix in pairs:
        places: tuple[Any, ...] = (qubits,) if isinstance(qubits, int | np.integer) else tuple(qubits)
        blocks.append(Block(tuple(int(q) for q in places), _checked_matrix(places, matrix)))
    used = [q for block in blocks for q in block.qubits]
    if len(set(used)) != len(used) or not blocks:
        raise CircuitError(f"confusion of qubits {used}, expected a block or more, each qubit in one")
    return tuple(blocks)


def _checked_matrix(qubits: tuple[Any, ...], matrix: Any) -> np.ndarray:
    found = np.asarray(matrix, np.float64)
    size = 2 ** len(qubits)
    if found.shape != (size, size):
        raise CircuitError(f"confusion of qubits {qubits} has shape {found.shape}, expected {(size, size)}")
    off = np.abs(found.sum(axis=0) - 1).max()
    if not (found >= -1e-12).all() or not off < 1e-6:
        raise CircuitError(
            f"confusion of qubits {qubits} has columns that add up to 1 within {off:.2g} and least entry "
            f"{found.min():.3g}, expected probabilities of measured outcomes, a column for each true one"
        )
    if np.linalg.cond(found) > MOST_AMPLIFICATION:
        raise CircuitError(
            f"confusion of qubits {qubits} tells outcomes hardly apart (condition {np.linalg.cond(found):.3g}), "
            f"expected at most {MOST_AMPLIFICATION:g}; leave these qubits out"
        )
    return found


def blocks_of_circuit(engine: Engine, circuit: Circuit) -> tuple[Block, ...]:
    """Those that an engine's noise model writes at the end of a circuit.

    Raises:
        UnsupportedError: if there is none.
    """
    _, written = engine.running(circuit)
    found: dict[tuple[int, ...], np.ndarray] = {}
    for op in written.operations:
        if op.gate.confusion is not None:
            if not all(angle.is_number for angle in op.angles):
                raise UnsupportedError(f"{op.gate.name} has rates that are slots, expected numbers to undo it")
            matrix = op.gate.confusion(*(angle.offset for angle in op.angles))
            found[op.qubits] = matrix @ found[op.qubits] if op.qubits in found else matrix
    if not found:
        raise UnsupportedError(
            "the engine has no readout error that it could tell, expected a noise model with one; give confusion=, for "
            "one from measured_confusion(engine, n_qubits)"
        )
    return checked_blocks(found)


def measured_confusion(engine: Engine, n_qubits: int) -> dict[int, np.ndarray]:
    """Confusion of each qubit by itself, from circuits that prepare all zeros and all ones.

    Errors of preparation are in it. With `Shots` it has the errors of that many measurements.

    Args:
        engine: what is calibrated.
        n_qubits: n.

    Returns:
        Of each qubit a matrix (2, 2) of measured outcomes (rows) by true ones (columns).
    """
    zeros = Expectations(tuple(Z(q) for q in range(n_qubits)))
    ones = Circuit(n_qubits)
    for q in range(n_qubits):
        ones.x(q)
    pending = [engine.prepare(c, zeros).submit(make_batch(c)) for c in (Circuit(n_qubits), ones)]
    read_one = [(1 - each.result()[0]) / 2 for each in pending]
    return {q: np.array([[1 - p, 1 - r], [p, r]]) for q, (p, r) in enumerate(zip(*read_one, strict=True))}
