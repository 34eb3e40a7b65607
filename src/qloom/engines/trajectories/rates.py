"""Rates of Pauli channels: probabilities of their errors at the samples of a batch, and derivatives by them.

The probability of a trajectory is the product of those of its errors, so its logarithm's slope is a sum over channels:
the mean of value times slope is the derivative of the mean value (the score function). Outcomes of probability 0 are
never drawn; where such a one has a slope no mean over trajectories holds it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from qloom.circuits.gate import Gate
from qloom.circuits.operations import Operation
from qloom.circuits.parameters import Angle
from qloom.circuits.transfer import transfer_slope
from qloom.engines.batch import Batch, value_of
from qloom.errors import ShapeError, UnsupportedError


@dataclass(frozen=True, eq=False)
class _Group:
    """Channels of one gate.

    Shapes: columns (C, 4^k), where their probabilities stand; of each of the gate's rates, angles (C,).
    """

    gate: Gate
    operations: tuple[Operation, ...]
    columns: np.ndarray

    def rates(self, batch: Batch) -> list[np.ndarray]:
        """Of each of the gate's rates, (C,) where all samples have the same, or (B, C)."""
        return [values_of([op.angles[k] for op in self.operations], batch) for k in range(self.gate.n_angles)]

    @property
    def is_fixed(self) -> bool:
        return all(angle.is_number for op in self.operations for angle in op.angles)


def values_of(angles: Sequence[Any], batch: Batch) -> np.ndarray:
    """Of angles or rates, (A,) where all samples have the same, or (B, A), float64."""
    return np.stack(np.broadcast_arrays(*(value_of(angle, batch) for angle in angles)), axis=-1)


@dataclass(frozen=True, eq=False)
class Drawn:
    """Probabilities of one call, with the native side's hazards: (1, S) or (B, S), and (1, C) or (B, C)."""

    probabilities: np.ndarray
    hazards: np.ndarray

    def rows(self, part: slice) -> tuple[np.ndarray, np.ndarray]:
        """Of some samples."""
        if len(self.probabilities) == 1:
            return self.probabilities, self.hazards
        return self.probabilities[part], self.hazards[part]


class Rates:
    """What errors of some channels are drawn by.

    Args:
        channels: in order.
        errors: the same on the native side.

    Attributes:
        fixed: what errors are drawn by where all rates are numbers, else None.
    """

    def __init__(self, channels: Sequence[Operation], errors: Any):
        self._errors, self.n_channels = errors, len(channels)
        self.slots = {(a.source, a.index) for op in channels for a in op.angles if not a.is_number}
        members: dict[Gate, list[tuple[Operation, np.ndarray]]] = {}
        first = 0
        for op in channels:
            size = 4 ** len(op.qubits)
            members.setdefault(op.gate, []).append((op, np.arange(first, first + size)))
            first += size
        self._size = first
        self._groups = [
            _Group(gate, tuple(op for op, _ in found), np.array([columns for _, columns in found]))
            for gate, found in members.items()
        ]
        nothing = Batch(np.zeros((1, 0)), np.zeros(0), True)
        self.fixed = self._drawn(nothing) if not self.slots else None

    def wants(self, wanted: Callable[[Angle], Any]) -> bool:
        """Whether the derivative of any rate is wanted."""
        return any(wanted(Angle(source, index)) is not None for source, index in self.slots)

    def at(self, batch: Batch) -> Drawn:
        """Probabilities at the samples; ShapeError for a rate out of its range."""
        return self.fixed or self._drawn(batch)

    def _drawn(self, batch: Batch) -> Drawn:
        own = any(source == "input" for source, _ in self.slots) or bool(self.slots and batch.weights.ndim == 2)
        probabilities = np.zeros((batch.size if own else 1, self._size))
        for group in self._groups:
            rates = group.rates(batch)
            check_rates(group.gate, rates)
            probabilities[:, group.columns] = pauli_of(group.gate)(*rates)
        hazards = np.empty((len(probabilities), self.n_channels))
        self._errors.hazards(probabilities, hazards)
        return Drawn(probabilities, hazards)

    def add_slopes(self, batch: Batch, scores: np.ndarray, drawn: Drawn, wanted: Callable[[Angle], Any]) -> None:
        """Adds derivatives of the rates to arrays.

        Args:
            scores: sums of weights of the trajectories that drew each outcome, shaped as probabilities.
            wanted: the array that an angle's derivative is added to, (B, I), (W,) or (B, W); None where it is not.

        Raises:
            UnsupportedError: where an outcome that is never drawn has a slope.
        """
        for group in self._groups:
            if group.is_fixed:
                continue
            p, rates = drawn.probabilities[:, group.columns], group.rates(batch)
            over_p = np.divide(scores[:, group.columns], p, out=np.zeros_like(p), where=p > 0)
            for k in range(group.gate.n_angles):
                slopes = np.broadcast_to(transfer_slope(pauli_of(group.gate), rates, k), p.shape)
                self._add(group, k, (over_p * slopes).sum(axis=-1), (p <= 0) & (slopes != 0), wanted)

    @staticmethod
    def _add(group: _Group, k: int, slopes: np.ndarray, never: np.ndarray, wanted: Any) -> None:
        for c, op in enumerate(group.operations):
            angle = op.angles[k]
            out = wanted(angle)
            if out is None:
                continue
            if never[:, c].any():
                raise UnsupportedError(
                    f"{op.gate.name} on qubit {', '.join(map(str, op.qubits))} has errors of probability 0 at a rate "
                    "that is trained, which trajectories never draw though they have a slope; expected a rate inside "
                    "its range, freeze it or use a DensityEngine"
                )
            column = angle.scale * slopes[:, c]
            out[..., angle.index] += column if out.ndim == 2 else column.sum()


def pauli_of(gate: Gate) -> Callable[..., np.ndarray]:
    """Probabilities of a Pauli channel's words by its rates."""
    assert gate.pauli is not None
    return gate.pauli


def check_rates(gate: Gate, rates: Sequence[np.ndarray]) -> None:
    """Raise ShapeError where a rate is out of its range."""
    if wrong := gate.fault(*rates):
        raise ShapeError(f"{gate.name}: {wrong}; give rates within their ranges")
