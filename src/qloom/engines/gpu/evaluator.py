"""Programs of Pauli rotations on a device, forward and backward."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from qloom.circuits.circuit import Circuit
from qloom.engines.base import Derivatives, DifferentiableEvaluator, Wants
from qloom.engines.batch import Batch, check_shapes, starts_from_inputs
from qloom.engines.gpu.launches import Arrays, run_swept, run_whole, walk_back_swept, walk_back_whole
from qloom.engines.gpu.machine import Machine
from qloom.engines.gpu.memory import check_room
from qloom.engines.gpu.packing import Packed, norm_tolerance, pack
from qloom.engines.gpu.tensors import check_shape, check_tensors


class GpuEvaluator(DifferentiableEvaluator):
    """A lowered circuit in a device's hands.

    `forward_into` and `backward_into` take tensors on the device, run on its current stream and do not wait for it;
    `forward` and `backward` take arrays of numpy, and copy them there and back.
    """

    reads_tensors = marks_norms = True

    def __init__(
        self, circuit: Circuit, program: Any, native: Any, n_outputs: int, machine: Machine,
        any_norm: bool = False, most_whole: int | None = None,
    ):  # fmt: skip
        self.circuit = circuit.copy()
        self.program, self._native = program, native
        self.n_outputs, self.machine, self.any_norm = n_outputs, machine, any_norm
        self.device = machine.device.type
        self._most_whole = most_whole
        self._starts_from_inputs = starts_from_inputs(circuit)
        self._packs: dict[tuple[torch.dtype, bool], Packed] = {}
        self._frozen: tuple[Any, Tensor] | None = None

    def __reduce__(self) -> Any:
        raise TypeError("an evaluator is not pickled; pickle the circuit and prepare it again")

    def packed(self, dtype: torch.dtype, back: bool) -> Packed:
        """The program there, for walks forward alone or for both."""
        found = self._packs.get((dtype, back))
        if found is None:
            found = self._packs[dtype, back] = pack(self._native, self.machine, dtype, back, self._most_whole)
        return found

    # -- tensors

    def forward_into(
        self, values: Tensor, inputs: Tensor, weights: Tensor, keep: bool, flips: Tensor | None = None
    ) -> Any:
        """Fill `values` (B, O) and give back what spares `backward_into` the walk forward.

        Args:
            flips: (B, numbers) int64; where bit r of a sample's is 1, the program's rotation r turns the other way.
        """
        check_tensors(self.machine.device, inputs, weights=weights, values=values)
        arrays = self._arrays(inputs, weights, flips)
        check_shape("values", values, (arrays.n_samples, self.n_outputs))
        arrays.values = values
        if not arrays.n_samples:
            return None
        packed = self.packed(inputs.dtype, keep)
        check_room(packed, arrays.n_samples, 2 if keep else 1, f"{self.circuit.n_qubits} qubits")
        if packed.is_whole:
            return run_whole(packed, arrays, keep)
        return run_swept(packed, arrays, keep)

    def backward_into(
        self, d_inputs: Tensor | None, d_weights: Tensor | None, inputs: Tensor, weights: Tensor, cotangents: Tensor,
        kept: Any, flips: Tensor | None = None,
    ) -> None:  # fmt: skip
        """Fill `d_inputs` and `d_weights`, shaped as inputs and weights; None is not wanted."""
        slopes = {"d_inputs": d_inputs, "d_weights": d_weights}
        check_tensors(self.machine.device, inputs, weights=weights, cotangents=cotangents, **slopes)
        arrays = self._arrays(inputs, weights, flips)
        check_shape("cotangents", cotangents, (arrays.n_samples, self.n_outputs))
        arrays.cotangents, arrays.d_inputs, arrays.d_weights = cotangents, d_inputs, d_weights
        arrays.trained = self._trained_there()
        if not arrays.n_samples:
            if d_weights is not None:
                d_weights.zero_()
            return
        packed = self.packed(inputs.dtype, True)
        check_room(packed, arrays.n_samples, 2 if kept is None else 1, f"{self.circuit.n_qubits} qubits")
        if packed.is_whole:
            walk_back_whole(packed, arrays, kept)
        else:
            walk_back_swept(packed, arrays, kept, self._starts_from_inputs)

    def _arrays(self, inputs: Tensor, weights: Tensor, flips: Tensor | None) -> Arrays:
        check_shapes(inputs, weights, self.circuit.n_inputs, self.circuit.n_weights)
        if flips is not None:
            check_shape("flips", flips, (inputs.shape[0], -(-self.program.n_rotations // 64)))
        tolerance = 0.0
        if self._starts_from_inputs and not self.any_norm:
            tolerance = norm_tolerance(inputs.dtype)
        return Arrays(inputs, weights, self.n_outputs, flips, tolerance)

    def _trained_there(self) -> Tensor | None:
        """`trained` on the device, copied when it is another."""
        if self.trained is None:
            return None
        key = self.trained.tobytes()
        if self._frozen is None or self._frozen[0] != key:
            there = torch.from_numpy(self.trained.astype(np.uint8)).to(self.machine.device)
            self._frozen = key, there
        return self._frozen[1]

    # -- arrays of numpy

    def forward(self, batch: Batch, keep: bool) -> tuple[np.ndarray, Any]:
        inputs, weights = self.there(batch.inputs), self.there(batch.weights)
        values = inputs.new_empty((batch.size, self.n_outputs))
        kept = self.forward_into(values, inputs, weights, keep)
        return values.numpy(force=True), kept

    def backward(self, batch: Batch, cotangents: np.ndarray, kept: Any, wants: Wants) -> Derivatives:
        inputs, weights = self.there(batch.inputs), self.there(batch.weights)
        d_inputs = torch.empty_like(inputs) if wants[0] else None
        d_weights = torch.empty_like(weights) if wants[1] else None
        there = self.there(np.ascontiguousarray(cotangents, batch.dtype))
        self.backward_into(d_inputs, d_weights, inputs, weights, there, kept)
        return (
            None if d_inputs is None else d_inputs.numpy(force=True),
            None if d_weights is None else d_weights.numpy(force=True),
        )

    def there(self, array: np.ndarray) -> Tensor:
        """An array's numbers as a tensor on the device."""
        writable = array if array.flags.writeable else array.copy()
        return torch.from_numpy(writable).to(self.machine.device)
