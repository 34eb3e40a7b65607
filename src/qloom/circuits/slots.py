"""Slots of a circuit: named blocks of inputs or of weights, each with its shape, in one flat order.

Engines see flat arrays only. Callers give them flat, in the shape that was declared where there is one block, or by
name; all three forms are told apart and made one here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from math import prod
from typing import Any

import numpy as np

from qloom.checks import checked_shape
from qloom.circuits.parameters import Source, slot_array
from qloom.errors import CircuitError, ShapeError

# Blocks of many are named in messages up to here.
MOST_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Block:
    """Slots that were declared together.

    Args:
        name: told apart from those of other blocks.
        shape: as declared.
        start: place of the first slot in flat order.
    """

    name: str
    shape: tuple[int, ...]
    start: int

    @property
    def size(self) -> int:
        return prod(self.shape)

    @property
    def places(self) -> slice:
        """Where its slots stand in flat order."""
        return slice(self.start, self.start + self.size)


class Slots:
    """The blocks of one source, in order of declaration.

    Names are declared once. Those of circuits that are put together stay where they differ; a name that is there
    already is counted on, "w" as "w_2". Without a name a block is called after its source, "weights", "weights_2", ...

    Args:
        source: "input" or "weight".

    Attributes:
        count: of slots, I or W.
    """

    def __init__(self, source: Source):
        self.source = source
        self.count = 0
        self._blocks: dict[str, Block] = {}
        self._last: dict[str, int] = {}  # how far a name was counted on

    def __iter__(self) -> Iterator[Block]:
        return iter(self._blocks.values())

    def __len__(self) -> int:
        """How many blocks there are."""
        return len(self._blocks)

    def __getitem__(self, name: str) -> Block:
        if name not in self._blocks:
            raise ShapeError(f"no {self.source}s {name!r}, expected {self or 'none'}")
        return self._blocks[name]

    def __str__(self) -> str:
        shown = [f"{block.name} {block.shape}" for block in islice(self, MOST_SHOWN)]
        return ", ".join(shown) + (f" and {len(self) - MOST_SHOWN} more" if len(self) > MOST_SHOWN else "")

    def __repr__(self) -> str:
        return f"Slots({self.source}: {self})"

    def copy(self) -> Slots:
        """An independent copy."""
        other = Slots.__new__(Slots)
        other.source, other.count = self.source, self.count
        other._blocks, other._last = self._blocks.copy(), self._last.copy()
        return other

    # -- declaring

    def declare(self, shape: tuple[int, ...], name: str | None = None) -> np.ndarray:
        """A new block's slots, an array of `Angle` in its shape."""
        block = self.add(shape, name)
        return slot_array(self.source, block.start, block.shape)

    def add(self, shape: tuple[int, ...], name: str | None = None) -> Block:
        """A new block, its slots counted and not made.

        Raises:
            CircuitError: for a shape that is none, or a name that is none or there already.
        """
        if name is None:
            return self._add(self._free(f"{self.source}s"), checked_shape(shape))
        if not (isinstance(name, str) and name.isidentifier()):
            raise CircuitError(f"name={name!r}, expected a word of letters, digits and _ such as 'w'")
        if name in self._blocks:
            raise CircuitError(f"{self.source}s {name!r} are declared already, expected another name")
        return self._add(name, checked_shape(shape))

    def extend(self, other: Slots) -> None:
        """The blocks of another circuit after these."""
        for block in list(other):
            self._add(self._free(block.name), block.shape)

    def _add(self, name: str, shape: tuple[int, ...]) -> Block:
        block = self._blocks[name] = Block(name, shape, self.count)
        self.count += block.size
        return block

    def _free(self, name: str) -> str:
        """The name, or the next number behind it that is free."""
        if name not in self._blocks:
            return name
        stem = re.sub(r"_\d+$", "", name)
        number = self._last.get(stem, 1) + 1
        while f"{stem}_{number}" in self._blocks:
            number += 1
        self._last[stem] = number
        return f"{stem}_{number}"

    def share(self, number: int, of: int) -> np.ndarray:
        """Which slots are in one of so many equal shares of every block's first dimension, (count,) of booleans.

        Layer k of L is share k of L where blocks are declared (L, ...).

        Raises:
            ShapeError: if a block has no such shares.
        """
        chosen = np.zeros(self.count, bool)
        for block in self:
            rows = block.shape[0] if block.shape else 1
            if rows % of:
                raise ShapeError(
                    f"{self.source}s {block.name} {block.shape}, expected a first dimension of {of} equal shares"
                )
            size = block.size // of
            chosen[block.start + number * size : block.start + (number + 1) * size] = True
        return chosen

    # -- arrays of any library, in the forms that callers give

    def flat(self, array: Any) -> Any:
        """An array (count,), (B, count), or of the one block's shape with or without B in front: flat.

        (1, count) is a batch of one, also where a block was declared so.

        Raises:
            ShapeError: for any other shape, with what was declared.
        """
        block = self._declared_form(array)
        if block is not None:
            return array.reshape((*array.shape[: array.ndim - len(block.shape)], self.count))
        if array.ndim not in (1, 2) or array.shape[-1] != self.count:
            raise ShapeError(f"{self.source}s has shape {tuple(array.shape)}, expected {self._expected()}")
        return array

    def arranged(self, values: Mapping[str, Any]) -> list[Any]:
        """Arrays by name as parts (..., size) in flat order, each with the leading dimensions that it came with.

        Raises:
            ShapeError: for names or shapes that were not declared, with those that were.
        """
        if set(values) != set(self._blocks):
            names = ", ".join(map(repr, values)) or "no name"
            raise ShapeError(f"{self.source}s given by name for {names}, expected {self or 'none'}")
        return [self._part(block, values[block.name]) for block in self]

    def like(self, given: Any, array: Any) -> Any:
        """An array (..., count) in the form that `given` has: by name and as declared, as declared, or as it is."""
        if isinstance(given, Mapping):
            return self.named(array)
        block = None if given is None else self._declared_form(np.asarray(given))
        return array if block is None else array.reshape((*array.shape[:-1], *block.shape))

    def named(self, array: Any) -> dict[str, Any]:
        """Views of an array (..., count) by name, in the shapes declared."""
        if tuple(array.shape[-1:]) != (self.count,):
            raise ShapeError(f"{self.source}s has shape {tuple(array.shape)}, expected (..., {self.count})")
        lead = array.shape[:-1]
        return {block.name: array[..., block.places].reshape((*lead, *block.shape)) for block in self}

    def _declared_form(self, array: Any) -> Block | None:
        """The one block in whose shape an array is, and not flat."""
        if len(self._blocks) != 1 or (array.ndim in (1, 2) and array.shape[-1] == self.count):
            return None
        (block,) = self._blocks.values()
        lead = _lead(array, block.shape)
        return block if lead is not None and len(lead) <= 1 else None

    def _part(self, block: Block, array: Any) -> Any:
        for shape in (block.shape, (block.size,)):
            lead = _lead(array, shape)
            if lead is not None and len(lead) <= 1:
                return array.reshape((*lead, block.size))
        raise ShapeError(
            f"{self.source}s {block.name!r} has shape {tuple(array.shape)}, expected {block.shape}, or that with a row "
            "for each sample"
        )

    def _expected(self) -> str:
        flat = f"({self.count},) or (B, {self.count})"
        if len(self._blocks) == 1 and next(iter(self)).shape != (self.count,):
            return f"{flat}, or as declared: {self}"
        return f"{flat}, or by name: {self}" if len(self._blocks) > 1 else flat


def _lead(array: Any, shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """The dimensions in front of a shape, or None if an array does not end with it."""
    n_lead = array.ndim - len(shape)
    return tuple(array.shape[:n_lead]) if n_lead >= 0 and tuple(array.shape[n_lead:]) == shape else None
