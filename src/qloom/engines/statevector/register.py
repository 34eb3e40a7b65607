"""The part of a register that a program's state really lives on.

Started from |0>, it is the span of the rotations' x masks: with those as its basis a state has 2^rank amplitudes,
however wide the register is. Z words are linear forms on it.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from qloom.engines.statevector.program import Program
from qloom.programs.masks import unpack


class Register:
    """Coordinates of the basis states that are reached from |0>.

    Args:
        x_masks: of everything that flips bits.
    """

    def __init__(self, x_masks: Iterable[int]):
        self.basis: list[int] = []
        self._rows: list[tuple[int, int]] = []  # reduced vectors, each with the sum of basis vectors that it is
        for x in x_masks:
            rest, _ = self._reduce(x)
            if rest:
                self._rows.append((rest, self._sum_of(x) ^ 1 << len(self.basis)))
                self.basis.append(x)

    @property
    def rank(self) -> int:
        return len(self.basis)

    def _reduce(self, x: int) -> tuple[int, int]:
        """What is left of a mask outside the span, and which basis vectors were taken off."""
        taken = 0
        for row, made_of in self._rows:
            if x ^ row < x:  # the row's highest bit is set
                x, taken = x ^ row, taken ^ made_of
        return x, taken

    def _sum_of(self, x: int) -> int:
        return self._reduce(x)[1]

    def contains(self, x: int) -> bool:
        return self._reduce(x)[0] == 0

    def coordinates(self, x: int) -> int:
        """Which basis vectors sum to a mask of the span, bit k for vector k."""
        return self._sum_of(x)

    def form(self, z: int) -> int:
        """The linear form z on coordinates: bit k is its value on basis vector k."""
        return sum(((vector & z).bit_count() & 1) << k for k, vector in enumerate(self.basis))

    def word(self, x: int, z: int) -> tuple[int, int, int]:
        """A Hermitian word in coordinates, and its sign there."""
        new_x, new_z = self.coordinates(x), self.form(z)
        return new_x, new_z, 1 - (((x & z).bit_count() - (new_x & new_z).bit_count()) & 3)

    def words(self, x: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Words as masks (R, numbers a mask) in coordinates: x, z (R,) uint64, signs (R,)."""
        made = [self.word(*pair) for pair in zip(unpack(x), unpack(z), strict=True)]
        columns = np.array(made, object).reshape(-1, 3)
        return columns[:, 0].astype(np.uint64), columns[:, 1].astype(np.uint64), columns[:, 2].astype(float)


def reached(program: Program) -> Register:
    """The register that a program started from |0> reaches."""
    return Register(unpack(np.unique(program.rotations.x, axis=0)))


def n_bits(program: Program) -> int:
    """2 to this power are the amplitudes of the program's state."""
    return program.n_qubits if program.initial is not None else reached(program).rank
