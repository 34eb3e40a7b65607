"""Many different circuits in one launch each way: a block of threads has one circuit, and reads its own program."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from qloom import _native
from qloom.engines.circuit_batch import PreparedBatch
from qloom.engines.gpu.launches import MOST_KEPT_NUMBERS, MOST_ROWS, Arrays, call_of, rows_for, sum_rows
from qloom.engines.gpu.machine import Machine, Variant
from qloom.engines.gpu.packing import REALS, REGISTER_BITS, norm_tolerance, room_for_states, to_device
from qloom.engines.gpu.shapes import Shape, shape_of
from qloom.engines.gpu.tensors import check_shape, check_tensors
from qloom.errors import ShapeError, UnsupportedError


class _Packed(NamedTuple):
    """All programs on a device, which circuit has which, and the numbers in which circuits of one program differ."""

    machine: Machine
    variant: Variant
    table: Tensor
    work: Tensor
    numbers: Tensor
    least_bits: int
    most_bits: int

    def shape(self, back: bool) -> Shape:
        return shape_of(self.variant, self.most_bits, back, self.least_bits, together=False)


class GpuBatch:
    """A `PreparedBatch` on a device: tensors in, values and slopes out.

    Attributes:
        n_outputs: O.
    """

    def __init__(self, prepared: PreparedBatch, machine: Machine):
        self.batch, self.n_outputs, self.machine = prepared.batch, prepared.n_outputs, machine
        self._native = prepared._native
        self._packs: dict[torch.dtype, _Packed] = {}

    def __reduce__(self) -> Any:
        raise TypeError("a prepared batch is not pickled; pickle the circuits and prepare them again")

    def _packed(self, dtype: torch.dtype) -> _Packed:
        if dtype not in self._packs:
            self._packs[dtype] = self._pack(dtype)
        return self._packs[dtype]

    def _pack(self, dtype: torch.dtype) -> _Packed:
        try:
            packed = _native.pack_programs(self._native, REGISTER_BITS)
        except ValueError as error:
            raise UnsupportedError(f"{error}; evaluate such circuits one by one, or on the CPU") from None
        variant = Variant(REALS[dtype], 1 if packed.all_real else 2, REGISTER_BITS)
        fitting = room_for_states(self.machine, variant, back=True)
        if packed.most_bits > fitting:
            raise UnsupportedError(
                f"a circuit's state has {packed.most_bits} bits, {self.machine.name} has shared memory for {fitting}; "
                "evaluate such circuits one by one, or on the CPU"
            )
        table, work, numbers = (to_device(a, self.machine) for a in (packed.table, packed.work, packed.numbers))
        return _Packed(self.machine, variant, table, work, numbers, packed.least_bits, packed.most_bits)

    def forward_into(self, values: Tensor, inputs: Tensor, weights: Tensor, keep: bool) -> Tensor | None:
        """Fill `values` (C, O); with `keep` the final states for `backward_into`.

        Shapes: inputs (C, I); weights (W,), shared, or (C, W).
        """
        check_tensors(self.machine.device, inputs, weights=weights, values=values)
        packed, arrays = self._packed(inputs.dtype), self._arrays(inputs, weights)
        check_shape("values", values, (len(self.batch), self.n_outputs))
        arrays.values = values
        size = packed.variant.components << packed.most_bits
        keep = keep and len(self.batch) * size <= MOST_KEPT_NUMBERS
        kept = inputs.new_empty((len(self.batch), size)) if keep else None
        self._launch("circuit_forward", packed, arrays, kept, len(self.batch))
        return kept

    def backward_into(
        self, d_inputs: Tensor | None, d_weights: Tensor | None, inputs: Tensor, weights: Tensor, cotangents: Tensor,
        kept: Tensor | None,
    ) -> None:  # fmt: skip
        """Fill `d_inputs` and `d_weights`, shaped as inputs and weights; None is not wanted."""
        slopes = {"d_inputs": d_inputs, "d_weights": d_weights}
        check_tensors(self.machine.device, inputs, weights=weights, cotangents=cotangents, **slopes)
        packed, arrays = self._packed(inputs.dtype), self._arrays(inputs, weights)
        check_shape("cotangents", cotangents, (len(self.batch), self.n_outputs))
        arrays.cotangents, arrays.d_inputs, arrays.d_weights = cotangents, d_inputs, d_weights
        blocks = min(len(self.batch), MOST_ROWS)
        rows = rows_for(arrays, blocks)
        self._launch("circuit_back", packed, arrays, kept, blocks, rows)
        if rows is not None:
            sum_rows(packed, rows, arrays)

    def _launch(
        self, kernel: str, packed: _Packed, arrays: Arrays, kept: Tensor | None, blocks: int, rows: Tensor | None = None
    ) -> None:
        shape, call = packed.shape(kernel == "circuit_back"), call_of(packed.table, arrays)
        call.work, call.numbers = packed.work.data_ptr(), packed.numbers.data_ptr()
        call.kept, call.kept_stride = (None, 0) if kept is None else (kept.data_ptr(), kept.shape[1])
        if rows is not None:
            call.d_weights = rows.data_ptr()
        call.thread_bits, call.most_bits = shape.thread_bits, shape.bits
        self.machine.launch(kernel, packed.variant, blocks, shape.threads, shape.shared, call)

    def _arrays(self, inputs: Tensor, weights: Tensor) -> Arrays:
        size, batch = len(self.batch), self.batch
        fits = weights.shape in ((batch.n_weights,), (size, batch.n_weights))
        if inputs.shape != (size, batch.n_inputs) or not fits:
            raise ShapeError(
                f"inputs has shape {tuple(inputs.shape)} and weights {tuple(weights.shape)}, expected "
                f"({size}, {batch.n_inputs}) and ({batch.n_weights},) or ({size}, {batch.n_weights})"
            )
        tolerance = norm_tolerance(inputs.dtype)
        return Arrays(inputs, weights, self.n_outputs, norm_tolerance=tolerance)
