"""Programs as kernels read them, on the device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from qloom import _native
from qloom.engines.batch import NORM_TOLERANCE
from qloom.engines.gpu.machine import Machine, Variant
from qloom.engines.gpu.shapes import most_bits
from qloom.errors import UnsupportedError

# A thread holds 2^REGISTER_BITS amplitudes of a state.
REGISTER_BITS = 3
# Tiles of larger states: of so many amplitudes that several blocks share a multiprocessor.
TILE_BITS = {"float": 12, "double": 11}
# A block with room for less is not worth a launch: five bits of a tile are always the lowest.
LEAST_TILE_BITS = 8
# As `kernels/program.h` numbers them.
KINDS = ("expectations", "probabilities", "state")
REALS = {torch.float32: "float", torch.float64: "double"}
NUMPY_REALS = {np.dtype(np.float32): torch.float32, np.dtype(np.float64): torch.float64}


@dataclass(frozen=True)
class Packed:
    """A program on a device.

    Attributes:
        table: uint8, as `kernels/program.h` says.
        bits: 2 to this power are the amplitudes of a state.
        kind: of outputs: one of KINDS.
        tiles: of each, how many bits its blocks have, its first rotation, and how many there are.
        n_outcome_bits: 2 to this power outcomes can come out, where probabilities are asked for.
    """

    machine: Machine
    variant: Variant
    table: Tensor
    bits: int
    kind: str
    tiles: list[tuple[int, int, int]]
    n_rotations: int
    n_terms: int
    n_tables: int
    n_outcome_bits: int

    @property
    def is_whole(self) -> bool:
        """Whether its state fits a block's shared memory."""
        return len(self.tiles) == 1 and self.tiles[0][0] == self.bits


def pack(native: Any, machine: Machine, dtype: torch.dtype, back: bool, most_whole: int | None = None) -> Packed:
    """A native program for walks forward, or for both.

    Args:
        most_whole: states of more bits go through global memory; as many as shared memory has room for where None.

    Raises:
        UnsupportedError: where a block has too little shared memory for the smallest tile.
    """
    variant = Variant(REALS[dtype], 1 if native.is_real else 2, REGISTER_BITS)
    fitting = room_for_states(machine, variant, back)
    whole = fitting if most_whole is None else min(fitting, most_whole)
    facts = _native.pack_program(native, REGISTER_BITS, min(TILE_BITS[variant.real], whole), whole)
    return Packed(
        machine, variant, to_device(facts.table, machine), facts.bits, KINDS[facts.kind], facts.tiles,
        facts.n_rotations, facts.n_terms, facts.n_tables, facts.n_outcome_bits,
    )  # fmt: skip


def room_for_states(machine: Machine, variant: Variant, back: bool) -> int:
    """Bits of the largest state that a block has room for; UnsupportedError where that is less than a tile's."""
    fitting = most_bits(variant, back, machine.most_shared)
    if fitting < LEAST_TILE_BITS:
        raise UnsupportedError(
            f"{machine.name} gives a block {machine.most_shared:,} bytes of shared memory, expected room for states of "
            f"{LEAST_TILE_BITS} qubits; use StatevectorEngine() on the CPU"
        )
    return fitting


def norm_tolerance(dtype: torch.dtype) -> float:
    """How far the squared norm of initial amplitudes may be from 1, as on the CPU."""
    return next(NORM_TOLERANCE[numpy] for numpy, own in NUMPY_REALS.items() if own == dtype)


def to_device(array: np.ndarray, machine: Machine) -> Tensor:
    """An array's copy there, once for many calls; numbers that torch has no type for as their bits."""
    bits = array.view(np.int64) if array.dtype == np.uint64 else array
    return torch.from_numpy(np.ascontiguousarray(bits)).clone().to(machine.device)
