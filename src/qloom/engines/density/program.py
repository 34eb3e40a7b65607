"""A circuit compiled for what is asked of it: maps in sweeps in the native side's hands, and how outputs are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Any

import numpy as np

from qloom import _native
from qloom.circuits.circuit import Circuit
from qloom.engines.density.fusion import Map, fuse, in_sweeps
from qloom.engines.density.measurement import Reading, measured_qubits, reading
from qloom.engines.density.parts import parts_of, within_reach
from qloom.engines.density.transfers import Transfers
from qloom.engines.outputs import Outputs
from qloom.errors import MemoryLimitError

MOST_QUBITS = 13


@dataclass(frozen=True)
class Compiled:
    """What is kept of a circuit and what is asked of it.

    Attributes:
        register: the qubits that outputs depend on; words are of these.
        transfers: numbers of the maps, where samples share the weights and where each has its own.
    """

    register: tuple[int, ...]
    maps: tuple[Map, ...]
    native: Any
    reading: Reading
    transfers: tuple[Transfers, Transfers]


@lru_cache(maxsize=128)
def compiled(circuit: Circuit, outputs: Outputs) -> Compiled:
    """A circuit compiled for some outputs.

    Raises:
        CircuitError: for a channel on too many qubits.
        MemoryLimitError: if outputs depend on more qubits than a density matrix fits.
    """
    parts = parts_of(circuit)
    kept, unseen, register = within_reach(parts, measured_qubits(outputs, circuit.n_qubits))
    if len(register) > MOST_QUBITS:
        raise MemoryLimitError(
            f"what is measured depends on {len(register)} qubits, a density matrix of which takes "
            f"{4 ** len(register) * 8:,} bytes; DensityEngine takes up to {MOST_QUBITS} qubits, use TrajectoryEngine"
        )
    sweeps = in_sweeps(fuse(kept))
    maps = [each for sweep in sweeps for each in sweep]
    read = reading(outputs, register)
    native = _listed(sweeps, maps, register, read)
    transfers = (Transfers(maps, unseen, False), Transfers(maps, unseen, True))
    return Compiled(register, tuple(maps), native, read, transfers)


def _listed(sweeps: Sequence[Sequence[Map]], maps: Sequence[Map], register: Sequence[int], read: Reading) -> Any:
    digit = {qubit: place for place, qubit in enumerate(register)}
    sparse = [0 if each.is_dense else len(each.rows) for each in maps]
    entries = [each for each, count in zip(maps, sparse, strict=True) if count]
    nothing = [np.zeros(0, int)]
    return _native.DensityProgram(
        len(register),
        _starts([len(sweep) for sweep in sweeps]),
        np.array([digit[q] for each in maps for q in each.qubits], np.uint8),
        _starts([len(each.qubits) for each in maps]),
        np.concatenate([each.rows for each in entries] or nothing).astype(np.uint16),
        np.concatenate([each.columns for each in entries] or nothing).astype(np.uint16),
        np.concatenate([each.varying for each in entries] or nothing).astype(np.uint8),
        _starts(sparse),
        read.cells.astype(np.int64),
    )


def _starts(counts: Sequence[int]) -> np.ndarray:
    return np.array([0, *accumulate(counts)], np.int64)
