"""First columns of the matrices of many circuits, in one native call for all that are equal but for angles.

A circuit that falls apart into groups of qubits is run group by group: its matrix is their Kronecker product.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from functools import lru_cache
from typing import Any, NamedTuple

import torch
from torch import Tensor

from qloom.circuits import Circuit
from qloom.engines import FinalState
from qloom.gradients import prepare_gradient
from qloom.nn.bridge import evaluate
from qloom.nn.operators import GraphKey, evaluate_in_graph


@lru_cache(maxsize=256)
def columns_of(circuit: Circuit, n_columns: int) -> Columns:
    """Kept by what it is made of: all layers of one shape share it."""
    with torch.device("cpu"):  # whatever device models are made on just now
        return Columns(circuit, n_columns)


class Columns:
    """Columns 0 to r - 1 of circuits of real gates that are equal but for their angles.

    Args:
        circuit: without inputs, of n qubits and W weights.
        n_columns: r.
    """

    def __init__(self, circuit: Circuit, n_columns: int):
        self.circuit, self.n_columns, self.size = circuit, n_columns, 2**circuit.n_qubits
        self._groups = _kinds(circuit, n_columns)

    def __reduce__(self) -> Any:
        return columns_of, (self.circuit, self.n_columns)

    def __deepcopy__(self, memo: Any) -> Columns:
        return self

    def __call__(self, angles: Tensor) -> Tensor:
        """The columns of C circuits, as rows: row j is the image of the basis state j.

        Shapes: angles (C, W) -> (C, r, 2^n). float64 stays, all else becomes float32. Circuits run where the angles
            are, on a CUDA device too; from devices of other kinds angles come to the CPU, and columns go back.
        """
        device = angles.device if angles.is_cuda else torch.device("cpu")
        numbers = angles.to(device, torch.float64 if angles.dtype == torch.float64 else torch.float32)
        made = self._product(numbers) if self.circuit.n_qubits > 1 else self._groups[0].run(numbers)[0]
        return made.reshape(len(angles), self.n_columns, self.size).to(angles.device)

    def _product(self, angles: Tensor) -> Tensor:
        """Kronecker products, column by column: a product of arrays with an axis a qubit."""
        made = None
        for kind in self._groups:
            for states, shape in zip(kind.run(angles), kind.shapes, strict=True):
                part = states.reshape(len(angles), self.n_columns, *shape)
                made = part if made is None else made * part
        assert made is not None
        return made


class _Kind:
    """Groups of qubits with equal circuits, run in one call.

    Args:
        circuit: of a group.
        groups: its qubits in the whole circuit of n qubits, and which of the angles are its own; one entry a group.
    """

    def __init__(self, circuit: Circuit, groups: Sequence[_Group], n: int, n_columns: int):
        self.n_qubits, self.n_pairs = circuit.n_qubits, -(-min(n_columns, 2**circuit.n_qubits) // 2)
        self.shapes = [tuple(2 if q in group.qubits else 1 for q in range(n)) for group in groups]
        self.angles = [torch.tensor(group.angles) for group in groups]
        self.picked = [torch.tensor(_numbers_within(n_columns, n, group.qubits)) for group in groups]
        self._elsewhere: dict[torch.device, _Kind] = {}
        prepared = Circuit(self.n_qubits)
        prepared.prepare_amplitudes(*(prepared.inputs(2**self.n_qubits) for _ in range(2)))
        self.evaluator = prepare_gradient(prepared + circuit, FinalState(self.n_qubits, linear=True))
        self.key = GraphKey(self.evaluator)
        # A real circuit takes two columns at once, as real and imaginary parts.
        self.basis = torch.eye(2 * self.n_pairs, 2**self.n_qubits).reshape(self.n_pairs, -1)

    def run(self, angles: Tensor) -> list[Tensor]:
        """Of each group the columns (C, r, 2^g) that the columns of the whole are made of."""
        if angles.is_cuda:
            return self._on(angles.device)._run(angles)
        return self._run(angles)

    def _on(self, device: torch.device) -> _Kind:
        """The same with its numbers on a device, copied once."""
        if device not in self._elsewhere:
            there = copy(self)
            with torch.inference_mode(False):  # they are for trainings to come, too
                there.angles, there.picked = ([index.to(device) for index in e] for e in (self.angles, self.picked))
                there.basis = self.basis.to(device)
            self._elsewhere[device] = there
        return self._elsewhere[device]

    def _run(self, angles: Tensor) -> list[Tensor]:
        stacked = torch.cat([angles[:, mine] for mine in self.angles])
        inputs = self.basis.to(angles.dtype).repeat(len(stacked), 1)
        states = self._evaluated(inputs, stacked.repeat_interleave(self.n_pairs, 0))
        found = states.reshape(len(self.angles), len(angles), 2 * self.n_pairs, 2**self.n_qubits)
        if len(self.picked[0]) == 2 * self.n_pairs:
            return list(found)
        return [columns[:, picked] for columns, picked in zip(found, self.picked, strict=True)]

    def _evaluated(self, inputs: Tensor, weights: Tensor) -> Tensor:
        if torch.compiler.is_compiling():
            return evaluate_in_graph(inputs, weights, self.key.number, self.key.sizes, "")
        return evaluate(inputs, weights, self.evaluator)


class _Group(NamedTuple):
    """Qubits that nothing couples with others, and which angles are theirs, in order."""

    qubits: tuple[int, ...]
    angles: tuple[int, ...]


def _kinds(circuit: Circuit, n_columns: int) -> list[_Kind]:
    kinds: dict[Circuit, list[_Group]] = {}
    for qubits in _uncoupled(circuit):
        part, group = _part_on(circuit, qubits)
        kinds.setdefault(part, []).append(group)
    return [_Kind(part, groups, circuit.n_qubits, n_columns) for part, groups in kinds.items()]


def _uncoupled(circuit: Circuit) -> list[tuple[int, ...]]:
    owner = list(range(circuit.n_qubits))
    for operation in circuit.operations:
        joined = {owner[qubit] for qubit in operation.qubits}
        owner = [min(joined) if mine in joined else mine for mine in owner]
    return [tuple(q for q, mine in enumerate(owner) if mine == first) for first in sorted(set(owner))]


def _part_on(circuit: Circuit, qubits: tuple[int, ...]) -> tuple[Circuit, _Group]:
    """The circuit on some qubits alone, its angles declared anew."""
    place = {qubit: k for k, qubit in enumerate(qubits)}
    mine = [operation for operation in circuit.operations if operation.qubits[0] in place]
    angles = tuple(sorted({angle.index for operation in mine for angle in operation.angles if not angle.is_number}))
    part = Circuit(len(qubits))
    declared = dict(zip(angles, part.weights(len(angles)) if angles else (), strict=True))
    for operation in mine:
        own = [declared[a.index] * a.scale + a.offset if not a.is_number else a.offset for a in operation.angles]
        part.append(operation.gate, own, [place[qubit] for qubit in operation.qubits])
    return part, _Group(qubits, angles)


def _numbers_within(n_columns: int, n: int, qubits: tuple[int, ...]) -> list[int]:
    """For each column of the whole, which column of a group it has: the bits of its number at the group's qubits."""
    places = [(n - 1 - qubit, len(qubits) - 1 - k) for k, qubit in enumerate(qubits)]
    return [sum((j >> whole & 1) << own for whole, own in places) for j in range(n_columns)]
