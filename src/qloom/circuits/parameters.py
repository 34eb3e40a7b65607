"""Angles: a number, an input (one value per sample) or a weight (trainable, shared by the batch), scaled and offset."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite, prod
from numbers import Real
from typing import Any, Literal

import numpy as np

from qloom.errors import CircuitError

Source = Literal["number", "input", "weight"]


@dataclass(frozen=True, slots=True)
class Angle:
    """``scale * slot[index] + offset`` in radians; a number has scale 0.

    Args:
        source: which array the slot is taken from; "number" for a constant.
        index: column of inputs (B, I) or entry of weights (W,).
        scale: factor of the slot.
        offset: radians added.
    """

    source: Source = "number"
    index: int = 0
    scale: float = 1.0
    offset: float = 0.0

    @property
    def is_number(self) -> bool:
        """Whether it is a constant, so that `offset` alone is its value."""
        return self.source == "number"

    def shifted(self, n_inputs: int, n_weights: int) -> Angle:
        """The same angle when n_inputs and n_weights slots stand before its own."""
        if self.is_number:
            return self
        by = n_inputs if self.source == "input" else n_weights
        return Angle(self.source, self.index + by, self.scale, self.offset)

    def __mul__(self, factor: float) -> Angle:
        if isinstance(factor, Angle):
            raise CircuitError(
                f"product of two angle slots ({self!r} and {factor!r}), expected a number as factor; "
                "make the product before the circuit and give it as an input of its own"
            )
        if not isinstance(factor, Real):
            return NotImplemented
        scale = 0.0 if self.is_number else self.scale * float(factor)
        return Angle(self.source, self.index, scale, self.offset * float(factor))

    __rmul__ = __mul__

    def __truediv__(self, divisor: float) -> Angle:
        return self * (1.0 / divisor)

    def __neg__(self) -> Angle:
        return self * -1.0

    def __add__(self, other: float | Angle) -> Angle:
        if isinstance(other, Angle):
            return self._plus_slot(other)
        if not isinstance(other, Real):
            return NotImplemented
        return Angle(self.source, self.index, self.scale, self.offset + float(other))

    __radd__ = __add__

    def __sub__(self, other: float | Angle) -> Angle:
        return self + (-other)

    def __rsub__(self, other: float) -> Angle:
        return -self + other

    def _plus_slot(self, other: Angle) -> Angle:
        if other.is_number:
            return self + other.offset
        if self.is_number:
            return other + self.offset
        if (self.source, self.index) == (other.source, other.index):
            return replace(self, scale=self.scale + other.scale, offset=self.offset + other.offset)
        raise CircuitError(
            f"sum of two different angle slots ({self!r} and {other!r}), expected one slot and numbers; "
            "use one gate after the other, or give the sum as an input of its own"
        )

    def __repr__(self) -> str:
        if self.is_number:
            return f"{self.offset:.6g}"
        name = f"{'x' if self.source == 'input' else 'w'}[{self.index}]"
        scaled = name if self.scale == 1 else f"-{name}" if self.scale == -1 else f"{self.scale:.6g}*{name}"
        return scaled if self.offset == 0 else f"{scaled}{self.offset:+.6g}"

    def to_json(self) -> float | dict[str, Any]:
        """A plain number, or ``{"input": i, "scale": s, "offset": o}`` with defaults left out."""
        if self.is_number:
            return self.offset
        data: dict[str, Any] = {self.source: self.index}
        if self.scale != 1:
            data["scale"] = self.scale
        if self.offset != 0:
            data["offset"] = self.offset
        return data

    @classmethod
    def from_json(cls, data: float | dict[str, Any]) -> Angle:
        """Inverse of `to_json`; CircuitError for anything else."""
        if isinstance(data, int | float):
            return as_angle(data)
        source: Source = "input" if "input" in data else "weight"
        numbers = isinstance(data[source], int) and all(
            isinstance(data.get(key, 0), int | float) for key in ("scale", "offset")
        )
        if set(data) - {source, "scale", "offset"} or not numbers or data[source] < 0:
            raise CircuitError(f"angle {data!r}, expected an input or weight from 0 with scale and offset")
        return cls(source, int(data[source]), float(data.get("scale", 1.0)), float(data.get("offset", 0.0)))


def as_angle(value: object) -> Angle:
    """A number or Angle as an Angle; raises CircuitError for anything else, NaN and infinity."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if isinstance(value, Angle):
        angle = value
    elif isinstance(value, Real):
        angle = Angle("number", 0, 0.0, float(value))
    else:
        raise CircuitError(
            f"angle {value!r} is a {type(value).__name__}, expected a number or a slot from inputs() or weights()"
        )
    if not (isfinite(angle.offset) and isfinite(angle.scale)):
        raise CircuitError(f"angle {value!r} is not finite, expected a finite number of radians")
    return angle


def slot_array(source: Source, start: int, shape: tuple[int, ...]) -> np.ndarray:
    """Object array of consecutive slots; numpy's arithmetic, indexing and unpacking work on it."""
    slots = np.empty(prod(shape), dtype=object)
    slots[:] = [Angle(source, start + k) for k in range(len(slots))]
    return slots.reshape(shape)
