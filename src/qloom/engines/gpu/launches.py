"""One launch after the other: what a program takes forward and back, for states in shared memory and for larger ones.

Nothing here waits for the device, and nothing but tensors is made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from qloom.engines.gpu.machine import Call
from qloom.engines.gpu.packing import Packed
from qloom.engines.gpu.shapes import MOST_IN_STAGE, MOST_THREADS, SIDE_BY_SIDE, Shape, shape_of

# Rows of slopes of weights that samples share: each is one sample's after the other, so that sums do not depend on who
# comes first.
MOST_ROWS = 4096
# States in global memory at once: of so many numbers.
MOST_LOCAL_NUMBERS = 1 << 27
# Final states that are kept for the walk back, which else runs forward again.
MOST_KEPT_NUMBERS = 1 << 28
# What each block of a walk over global memory has at least, amplitudes a thread; and how many blocks a state.
LEAST_A_THREAD, MOST_PARTS = 8, 1024
# Partial sums of many words are of fewer parts.
MOST_PARTIAL_TERMS = 1 << 20
# Outcomes are summed up in at least so many pieces.
LEAST_PIECES = 1 << 16


@dataclass
class Arrays:
    """Tensors of a call, on the device, contiguous and of one dtype; None is not there, or not wanted.

    Shapes: as in `kernels/call.h`.
    """

    inputs: Tensor
    weights: Tensor
    n_outputs: int
    flips: Tensor | None = None
    norm_tolerance: float = 0.0
    values: Tensor | None = None
    cotangents: Tensor | None = None
    d_inputs: Tensor | None = None
    d_weights: Tensor | None = None
    trained: Tensor | None = None

    @property
    def n_samples(self) -> int:
        return self.inputs.shape[0]

    @property
    def has_own_weights(self) -> bool:
        return self.weights.dim() == 2


def call_of(table: Tensor, arrays: Arrays) -> Call:
    """What all launches of a call are given. Not a loop: this is a good part of what a small step takes."""
    call = Call()
    call.programs = table.data_ptr()
    call.inputs, call.weights = arrays.inputs.data_ptr(), arrays.weights.data_ptr()
    call.n_samples, call.n_inputs = arrays.inputs.shape
    call.n_weights, call.n_outputs = arrays.weights.shape[-1], arrays.n_outputs
    call.norm_tolerance = arrays.norm_tolerance
    if arrays.has_own_weights:
        call.weight_stride = call.n_weights
    if arrays.flips is not None:
        call.flips, call.n_flips = arrays.flips.data_ptr(), arrays.flips.shape[1]
    if arrays.values is not None:
        call.values = arrays.values.data_ptr()
    if arrays.cotangents is not None:
        call.cotangents = arrays.cotangents.data_ptr()
    if arrays.d_inputs is not None:
        call.d_inputs = arrays.d_inputs.data_ptr()
    if arrays.d_weights is not None:
        call.d_weights = arrays.d_weights.data_ptr()
    if arrays.trained is not None:
        call.trained = arrays.trained.data_ptr()
    return call


def sum_rows(packed: Any, rows: Tensor, arrays: Arrays) -> None:
    """Rows of slopes (rows, W) to those of the weights that samples share."""
    call = Call()
    call.kept, call.n_parts, call.n_weights = rows.data_ptr(), rows.shape[0], rows.shape[1]
    assert arrays.d_weights is not None
    call.d_weights = arrays.d_weights.data_ptr()
    call.trained = None if arrays.trained is None else arrays.trained.data_ptr()
    blocks = -(-rows.shape[1] // SIDE_BY_SIDE)
    packed.machine.launch("sum_rows", packed.variant, blocks, MOST_THREADS, 8 * MOST_THREADS, call)


# -- states that fit a block's shared memory: one launch each way


class Kept(NamedTuple):
    """What spares a walk back the walk forward: final states (B, 2^bits * components), and tables of phases."""

    states: Tensor
    tables: Tensor | None


def run_whole(packed: Packed, arrays: Arrays, keep: bool) -> Kept | None:
    """Fill `values`; what is kept for the walk back, where that is asked for."""
    shape, n = shape_of(packed.variant, packed.bits, back=False), arrays.n_samples
    call = call_of(packed.table, arrays)
    tables = fill_tables(packed, arrays, call)
    numbers = packed.variant.components << packed.bits
    keep = keep and n * numbers <= MOST_KEPT_NUMBERS
    states = arrays.inputs.new_empty((n, numbers)) if keep else None
    if states is not None:
        call.kept, call.kept_stride = states.data_ptr(), states.shape[1]
    _launch_whole("circuit_forward", packed, shape, call, -(-n // shape.samples))
    return None if states is None else Kept(states, tables)


def fill_tables(packed: Packed, arrays: Arrays, call: Call) -> Tensor | None:
    """Tables of phases (n_tables, 2^bits, 2) for a call; None where samples have angles of their own."""
    if not packed.n_tables or arrays.has_own_weights or arrays.flips is not None:
        return None
    size = 1 << packed.bits
    tables = arrays.inputs.new_empty((packed.n_tables, size, 2))
    call.tables = tables.data_ptr()
    blocks = packed.n_tables * max(1, size // MOST_THREADS)
    packed.machine.launch("fill_tables", packed.variant, blocks, MOST_THREADS, 8 * MOST_IN_STAGE, call)
    return tables


def walk_back_whole(packed: Packed, arrays: Arrays, kept: Kept | None) -> None:
    """Fill `d_inputs` and `d_weights`, from states that were kept or found again."""
    shape = shape_of(packed.variant, packed.bits, back=True)
    blocks = -(-min(arrays.n_samples, MOST_ROWS) // shape.samples)
    call = call_of(packed.table, arrays)
    if kept is None:
        tables = fill_tables(packed, arrays, call)
    else:
        states, tables = kept
        call.kept, call.kept_stride = states.data_ptr(), states.shape[1]
        call.tables = None if tables is None else tables.data_ptr()
    rows = rows_for(arrays, blocks * shape.samples)
    if rows is not None:
        call.d_weights = rows.data_ptr()
    _launch_whole("circuit_back", packed, shape, call, blocks)
    if rows is not None:
        sum_rows(packed, rows, arrays)


def rows_for(arrays: Arrays, count: int) -> Tensor | None:
    """Room for slopes of weights that samples share; None where there are none, or none are wanted."""
    if arrays.d_weights is None or arrays.has_own_weights or not arrays.d_weights.numel():
        return None
    return arrays.inputs.new_empty((count, arrays.d_weights.numel()))


def _launch_whole(kernel: str, packed: Packed, shape: Shape, call: Call, blocks: int) -> None:
    call.thread_bits, call.most_bits = shape.thread_bits, shape.bits
    packed.machine.launch(kernel, packed.variant, blocks, shape.threads, shape.shared, call)


# -- larger states: in global memory, some samples at once


# States (n_local, 2^bits, components), and their squared norms as they started and as they came out, (n_local, 2).
Ended = tuple[Tensor, Tensor]


class Swept:
    """A walk over states in global memory, `n_local` samples from `first` on.

    Args:
        ended: where the walk forward was before: its states and their norms. They are written over.
    """

    def __init__(self, packed: Packed, arrays: Arrays, first: int, n_local: int, ended: Ended | None = None):
        self.packed, self.arrays = packed, arrays
        self.first, self.n_local = first, n_local
        size = 1 << packed.bits
        self.n_parts = max(1, min(MOST_PARTS, size // (LEAST_A_THREAD * MOST_THREADS)))
        if ended is not None:
            self.psi, self.norms = ended
            return
        self.psi = arrays.inputs.new_empty((n_local, size, packed.variant.components))
        self.norms = self._doubles(n_local, 2).fill_(1.0)
        self._run()

    def _doubles(self, *shape: int) -> Tensor:
        return torch.empty(shape, dtype=torch.float64, device=self.psi.device)

    def _call(self, **fields: Any) -> Call:
        call = call_of(self.packed.table, self.arrays)
        call.psi, call.norms = self.psi.data_ptr(), self.norms.data_ptr()
        call.first_sample, call.n_local, call.n_parts = self.first, self.n_local, self.n_parts
        call.thread_bits = MOST_THREADS.bit_length() - 1
        for name, value in fields.items():
            setattr(call, name, value.data_ptr() if isinstance(value, Tensor) else value)
        return call

    def _launch(self, kernel: str, blocks: int | None = None, **fields: Any) -> None:
        blocks = self.n_local * self.n_parts if blocks is None else blocks
        shared = 8 * MOST_THREADS
        self.packed.machine.launch(kernel, self.packed.variant, blocks, MOST_THREADS, shared, self._call(**fields))

    def _add_up(self, partial: Tensor, sums: Tensor, first_column: int = 0) -> None:
        """Columns of partial sums (n_local, parts, columns) into `sums` (n_local, ...)."""
        _, parts, columns = partial.shape
        self._launch(
            "sum_parts", self.n_local * columns, partial=partial, sums=sums, n_parts=parts, n_columns=columns,
            first_column=first_column, sums_stride=sums.shape[1],
        )  # fmt: skip

    def _find_norm(self, column: int) -> None:
        partial = self._doubles(self.n_local, self.n_parts, 1)
        self._launch("state_norm", partial=partial)
        self._add_up(partial, self.norms, column)

    def _sweep(self, kernel: str, tile: int, back: bool, **fields: Any) -> None:
        dims = self.packed.tiles[tile][0]
        shape = shape_of(self.packed.variant, dims, back, together=False, waves=False)
        call = self._call(tile=tile, thread_bits=shape.thread_bits, most_bits=dims, **fields)
        blocks = self.n_local << (self.packed.bits - dims)
        self.packed.machine.launch(kernel, self.packed.variant, blocks, shape.threads, shape.shared, call)

    def _run(self) -> None:
        """From the start to the end."""
        self._launch("state_start")
        self._find_norm(0)
        for tile in range(len(self.packed.tiles)):
            self._sweep("tile_forward", tile, back=False)
        self._find_norm(1)

    def measure(self) -> None:
        """Fill the samples' values."""
        kind = self.packed.kind
        if kind == "expectations":
            self._measure_terms()
        elif kind == "probabilities":
            self._measure_outcomes()
        else:
            self._clear_values()
            self._launch("state_amplitudes")

    def _clear_values(self) -> None:
        assert self.arrays.values is not None
        self.arrays.values[self.first : self.first + self.n_local] = 0

    def _measure_terms(self) -> None:
        n_terms = self.packed.n_terms
        parts = max(1, min(self.n_parts, MOST_PARTIAL_TERMS // max(1, n_terms)))
        sums = self._doubles(self.n_local, max(1, n_terms))
        if n_terms:
            partial = self._doubles(self.n_local, parts, n_terms)
            blocks = self.n_local * parts
            self._launch("state_terms", blocks, partial=partial, n_columns=n_terms, n_parts=parts)
            self._add_up(partial, sums)
        self._launch("state_values", self.n_local, sums=sums, sums_stride=sums.shape[1])

    def _measure_outcomes(self) -> None:
        self._clear_values()
        d = self.packed.n_outcome_bits
        pieces = 1 << max(0, min(self.packed.bits - d, LEAST_PIECES.bit_length() - 1 - d))
        if pieces == 1:
            self._launch("state_outcomes", n_columns=1)
            return
        partial = self._doubles(self.n_local, 1 << d, pieces)
        self._launch("state_outcomes", n_columns=pieces, partial=partial)
        self._launch("state_outcome_values", n_columns=pieces, partial=partial)

    def walk_back(self, rows: Tensor | None, starts_from_inputs: bool) -> None:
        """From cotangents to slopes; those of shared weights go to rows (B, W)."""
        self.adjoint = torch.empty_like(self.psi)
        tiles = self.packed.tiles
        slopes = self._doubles(self.n_local, max(1, self.packed.n_rotations))
        self._launch("state_weigh", adjoint=self.adjoint)
        for tile in reversed(range(len(tiles))):
            dims, first, count = tiles[tile]
            windows = 1 << (self.packed.bits - dims)
            partial = self._doubles(self.n_local, windows, count)
            self._sweep("tile_back", tile, back=True, partial=partial, adjoint=self.adjoint)
            if count:
                self._add_up(partial, slopes, first)
        self._launch("state_slopes", self.n_local, sums=slopes, sums_stride=slopes.shape[1], d_weights=self._rows(rows))
        if starts_from_inputs and self.arrays.d_inputs is not None:
            self._launch("state_start_slopes", adjoint=self.adjoint)

    def _rows(self, rows: Tensor | None) -> Tensor | None:
        """Where slopes of weights go: to rows of weights that samples share, or to those of each sample."""
        return self.arrays.d_weights if rows is None else rows


def pieces_of(packed: Packed, n_samples: int) -> list[tuple[int, int]]:
    """Samples that are in global memory at once: the first, and how many."""
    numbers = packed.variant.components << packed.bits
    step = max(1, MOST_LOCAL_NUMBERS // numbers)
    return [(first, min(step, n_samples - first)) for first in range(0, n_samples, step)]


def run_swept(packed: Packed, arrays: Arrays, keep: bool) -> Ended | None:
    """As `run_whole`; states are kept where they are in memory together."""
    pieces = pieces_of(packed, arrays.n_samples)
    for first, n_local in pieces:
        swept = Swept(packed, arrays, first, n_local)
        swept.measure()
    fits = arrays.n_samples == 1 or (len(pieces) == 1 and swept.psi.numel() <= MOST_KEPT_NUMBERS)
    return (swept.psi, swept.norms) if keep and fits else None


def walk_back_swept(packed: Packed, arrays: Arrays, kept: Ended | None, starts_from_inputs: bool) -> None:
    """As `walk_back_whole`; what was kept is written over."""
    rows = rows_for(arrays, arrays.n_samples)
    for first, n_local in pieces_of(packed, arrays.n_samples):
        swept = Swept(packed, arrays, first, n_local, kept)
        swept.walk_back(rows, starts_from_inputs)
    if rows is not None:
        sum_rows(packed, rows, arrays)
