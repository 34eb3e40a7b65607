"""Rotations about Pauli words, and words that are measured, as arrays: what is left of a circuit beside its frame."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from qloom.circuits.parameters import Source

SOURCES: tuple[Source, ...] = ("number", "input", "weight")
"""Where an angle's slot stands; arrays hold the place in this list."""


@dataclass(frozen=True, eq=False)
class Rotations:
    """exp(-i a P / 2) about Hermitian words P, as arrays; angles are scale * slot + offset.

    Shapes: x, z (R, 1) masks of the words, wider for wide registers (`qloom.programs.masks`); source (R,) int8 places
    in SOURCES; index (R,) int32; scale, offset (R,) float64.
    """

    x: np.ndarray
    z: np.ndarray
    source: np.ndarray
    index: np.ndarray
    scale: np.ndarray
    offset: np.ndarray

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, rows: np.ndarray) -> Rotations:
        return Rotations(*(getattr(self, field.name)[rows] for field in fields(self)))

    @property
    def shared(self) -> np.ndarray:
        """Whether all samples turn alike unless weights are given per sample, (R,)."""
        return self.source != SOURCES.index("input")


@dataclass(frozen=True, eq=False)
class Terms:
    """coefficient * <word>, each added to one output, as arrays.

    Shapes: coefficient (T,); x, z (T, 1) masks; output (T,) uint32.
    """

    coefficient: np.ndarray
    x: np.ndarray
    z: np.ndarray
    output: np.ndarray

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, rows: np.ndarray) -> Terms:
        return Terms(*(getattr(self, field.name)[rows] for field in fields(self)))
