"""Kraus operators of channels at the samples of a batch, and their slopes by rates.

Slopes come from complex steps on both sides, [K(r + ih) - K(r - ih)] / 2ih: operators are analytic in their rates but
where a root ends. There an operator is 0, is never drawn and has a slope, so no mean over trajectories holds it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from qloom.circuits.operations import Operation
from qloom.circuits.parameters import Angle
from qloom.engines.batch import Batch
from qloom.engines.trajectories.rates import check_rates, values_of
from qloom.errors import UnsupportedError

# Of a rate, relative to its distance from where it ends: h^2 is below what the difference loses to rounding.
_STEP = 1e-5
# Operators with squares below this are as good as never drawn.
_NEVER = 1e-14


@dataclass(frozen=True, eq=False)
class Slopes:
    """Of the operators of channels.

    Attributes:
        rates: by which.
        places: of each its channel, and where its entries start.
        entries: (1, S) where all samples have the same, or (B, S).
    """

    rates: list[Angle]
    places: list[tuple[int, int]]
    entries: np.ndarray

    def add(self, d_rates: np.ndarray, wanted: Callable[[Angle], Any]) -> None:
        """Adds derivatives by the rates (B, rates) to the arrays of their slots."""
        for column, angle in zip(d_rates.T, self.rates, strict=True):
            out = wanted(angle)
            out[..., angle.index] += angle.scale * (column if out.ndim == 2 else column.sum())


class Operators:
    """Of some channels, in order."""

    def __init__(self, channels: Sequence[Operation]):
        self._channels = tuple(channels)
        self._slots_of_rates = [
            (c, k) for c, op in enumerate(channels) for k, angle in enumerate(op.angles) if not angle.is_number
        ]
        nothing = Batch(np.zeros((1, 0)), np.zeros(0), True)
        self._fixed = {c: _at(op, nothing) for c, op in enumerate(channels) if all(a.is_number for a in op.angles)}

    def at(self, batch: Batch) -> np.ndarray:
        """Entries of all operators, (1, E) where all samples have the same, or (B, E); ShapeError for a wrong rate."""
        rows = [self._fixed[c] if c in self._fixed else _at(op, batch) for c, op in enumerate(self._channels)]
        return _side_by_side(rows)

    def slopes(self, batch: Batch, wanted: Callable[[Angle], Any]) -> Slopes:
        """By the rates whose derivatives are wanted."""
        asked = [(c, k) for c, k in self._slots_of_rates if wanted(self._channels[c].angles[k]) is not None]
        rows = [_slope(self._channels[c], batch, k) for c, k in asked]
        ends = np.cumsum([0, *(row.shape[1] for row in rows)]).tolist()
        places = [(c, first) for (c, _), first in zip(asked, ends[:-1], strict=True)]
        return Slopes([self._channels[c].angles[k] for c, k in asked], places, _side_by_side(rows))


def n_operators(op: Operation) -> int:
    """How many a channel has, whatever its rates are."""
    return len(op.gate.operators(*(0.5 * (rate.low + min(rate.high, 1.0)) for rate in op.gate.rates)))


def _rates(op: Operation, batch: Batch) -> np.ndarray:
    """(1, R) where all samples have the same, or (B, R)."""
    if not op.angles:
        return np.zeros((1, 0))
    return np.atleast_2d(values_of(op.angles, batch))


def _at(op: Operation, batch: Batch) -> np.ndarray:
    rates = _rates(op, batch)
    check_rates(op.gate, list(rates.T))
    return _at_each(op, rates, lambda row: np.asarray(op.gate.operators(*row)))


def _slope(op: Operation, batch: Batch, k: int) -> np.ndarray:
    rate = op.gate.rates[k]

    def slope(row: np.ndarray) -> np.ndarray:
        room = min(row[k] - rate.low, rate.high - row[k], 1.0)
        h = _STEP * (room if room > 0 else 1.0)
        step = 1j * h * (np.arange(len(row)) == k)
        with np.errstate(all="ignore"):
            here, up, down = (np.asarray(op.gate.operators(*at)) for at in (row, row + step, row - step))
            found: np.ndarray = (up - down) / (2j * h)
        _check_drawn(op, here, found)
        return found

    return _at_each(op, _rates(op, batch), slope)


def _at_each(op: Operation, rates: np.ndarray, of: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Entries of matrices (K, 2^k, 2^k) at rates (B, R), found once for equal ones: (B, K 4^k)."""
    distinct, places = np.unique(rates, axis=0, return_inverse=True)
    size = n_operators(op) * 4 ** len(op.qubits)
    found = np.array([of(row) for row in distinct], complex).reshape(len(distinct), size)
    return found[places.ravel()]


def _check_drawn(op: Operation, operators: np.ndarray, slopes: np.ndarray) -> None:
    never = (np.abs(operators) ** 2).sum(axis=(1, 2)) < _NEVER
    moves = ~np.isfinite(slopes).all(axis=(1, 2)) | (np.abs(slopes).sum(axis=(1, 2)) > 0)
    if (never & moves).any():
        raise UnsupportedError(
            f"{op.gate.name} on qubit {', '.join(map(str, op.qubits))} has operators of probability 0 at a rate that "
            "is trained, which trajectories never draw though they have a slope; expected a rate inside its range, "
            "freeze it or use a DensityEngine"
        )


def _side_by_side(rows: Sequence[np.ndarray]) -> np.ndarray:
    size = max((len(row) for row in rows), default=1)
    size = 0 if any(len(row) == 0 for row in rows) else size
    own = [np.broadcast_to(row, (size, row.shape[1])) for row in rows]
    return np.ascontiguousarray(np.concatenate([*own, np.zeros((size, 0))], axis=1), complex)
