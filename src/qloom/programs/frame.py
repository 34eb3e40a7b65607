"""The Clifford part of a circuit, kept as the images of every X_q and Z_q under C^dagger . C.

Words here are i^k X^x Z^z as (k, x, z), bit q of the masks for qubit q. Full lowering puts every Clifford gate into
the frame; monomial lowering only those that permute basis states with phases, so that what is left of C at the end can
be applied to a state as one permutation of indices.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from qloom.circuits.gates import Expansion, Gate
from qloom.observables import Word, word_from_letters

PhasedWord = tuple[int, int, int]

_QUARTER = np.pi / 2
_TOLERANCE = 1e-12


def quarter_turns(angle: float) -> int | None:
    """k if the angle is k pi/2, modulo 8 (a rotation by 2 pi is -1); None otherwise."""
    k = round(angle / _QUARTER)
    return k % 8 if abs(angle - k * _QUARTER) < _TOLERANCE * max(1.0, abs(angle)) else None


def multiply(a: PhasedWord, b: PhasedWord) -> PhasedWord:
    """Product of two phased words."""
    return a[0] + b[0] + 2 * (a[2] & b[1]).bit_count() & 3, a[1] ^ b[1], a[2] ^ b[2]


def hermitian(word: Word) -> PhasedWord:
    """The Hermitian word of masks (x, z): i^|x&z| X^x Z^z."""
    return (word[0] & word[1]).bit_count() & 3, word[0], word[1]


@dataclass(frozen=True)
class Tableau:
    """A Clifford gate on its own qubits (bit j for the j-th).

    Args:
        images: G^dagger X_j G for every j, then G^dagger Z_j G.
        column: where the gate is monomial, local basis state -> (local basis state, phase); None if it is not.
    """

    images: tuple[PhasedWord, ...]
    column: Callable[[int], tuple[int, complex]] | None


def gate_tableau(gate: Gate) -> Tableau | None:
    """Tableau of a gate without angles, None if it is not a Clifford gate."""
    # Gates that carry a matrix are not kept in a cache; they are lowered rotation by rotation.
    return None if gate.n_angles or gate.name in ("unitary", "diagonal") else _cached_tableau(gate)


@lru_cache(maxsize=1024)
def _cached_tableau(gate: Gate) -> Tableau | None:
    expansion = gate.expansion()
    if any(quarter_turns(angle) is None for _, angle in expansion.rotations):  # type: ignore[arg-type]
        return None
    return Tableau(_images(expansion, gate.n_qubits), _columns(gate.matrix(), gate.n_qubits))


@lru_cache(maxsize=4096)
def rotation_tableau(letters: str, turns: int) -> Tableau:
    """Tableau of exp(-i k pi/4 P): monomial if P is diagonal or k even."""
    n = len(letters)
    images = _images(Expansion(((letters, turns * _QUARTER),)), n)
    x, z = word_from_letters(letters, range(n))
    if x and turns % 2:
        return Tableau(images, None)
    half = turns * np.pi / 4

    def column(b: int) -> tuple[int, complex]:
        sign = (-1) ** (b & z).bit_count()
        if turns % 2 == 0 and turns % 4:  # -i sin(half) P
            return b ^ x, complex(-1j * np.sin(half) * 1j ** (x & z).bit_count() * sign)
        return b, complex(np.exp(-1j * half * sign)) if not x else complex(np.cos(half))

    return Tableau(images, column)


def _images(expansion: Expansion, n: int) -> tuple[PhasedWord, ...]:
    words: list[PhasedWord] = [(0, 1 << j, 0) for j in range(n)] + [(0, 0, 1 << j) for j in range(n)]
    for letters, angle in reversed(expansion.rotations):
        turns = quarter_turns(angle)  # type: ignore[arg-type]
        generator = hermitian(word_from_letters(letters, range(n)))
        words = [_turned(word, generator, turns or 0) for word in words]
    return tuple(words)


def _turned(word: PhasedWord, generator: PhasedWord, turns: int) -> PhasedWord:
    """R^dagger W R for R = exp(-i k pi/4 G): W (cos(k pi/2) - i sin(k pi/2) G) where they anticommute."""
    if not ((word[1] & generator[2]).bit_count() + (word[2] & generator[1]).bit_count()) & 1:
        return word
    k, x, z = multiply(word, generator) if turns % 2 else word
    return (k + (0, 3, 2, 1)[turns % 4]) & 3, x, z


def _columns(matrix: np.ndarray, n: int) -> Callable[[int], tuple[int, complex]] | None:
    """Columns of a monomial matrix, bit j of an index for the j-th qubit (the matrix has the first one on top)."""
    rows = np.abs(matrix) > 1e-9
    if not (rows.sum(axis=0) == 1).all():
        return None
    columns: list[tuple[int, complex]] = [(0, 0j)] * len(matrix)
    for b in range(len(matrix)):
        row = int(np.argmax(rows[:, b]))
        columns[reversed_bits(b, n)] = reversed_bits(row, n), complex(matrix[row, b])
    return columns.__getitem__


def reversed_bits(value: int, n: int) -> int:
    """A mask of n bits read backwards: qubit masks (bit q for qubit q) to index masks (qubit 0 on top) and back."""
    return sum((value >> j & 1) << (n - 1 - j) for j in range(n))


class Frame:
    """The Clifford gates met so far, C.

    Args:
        n_qubits: n.
        monomial: keep only gates that map basis states to basis states, and C |0> with its phase.
    """

    def __init__(self, n_qubits: int, monomial: bool):
        self.n_qubits = n_qubits
        self.monomial = monomial
        self.x_images: list[PhasedWord] = [(0, 1 << q, 0) for q in range(n_qubits)]
        self.z_images: list[PhasedWord] = [(0, 0, 1 << q) for q in range(n_qubits)]
        self.basis_state = 0
        self.phase = 1 + 0j
        self.is_identity = True

    def takes(self, tableau: Tableau | None) -> bool:
        """Whether a gate goes into this frame."""
        return tableau is not None and not (self.monomial and tableau.column is None)

    def apply(self, tableau: Tableau, qubits: Sequence[int]) -> None:
        """C becomes G C."""
        new = [self._pull_local(image, qubits) for image in tableau.images]
        for j, q in enumerate(qubits):
            self.x_images[q], self.z_images[q] = new[j], new[len(qubits) + j]
        self.is_identity = False
        if self.monomial and tableau.column is not None:
            local = sum((self.basis_state >> q & 1) << j for j, q in enumerate(qubits))
            target, phase = tableau.column(local)
            for j, q in enumerate(qubits):
                self.basis_state = self.basis_state & ~(1 << q) | (target >> j & 1) << q
            self.phase *= phase

    def pull(self, word: Word) -> tuple[int, Word]:
        """C^dagger P C for the Hermitian word P, as (sign, Hermitian word)."""
        support = word[0] | word[1]
        qubits = [q for q in range(support.bit_length()) if support >> q & 1]
        local = sum((word[0] >> q & 1) << j for j, q in enumerate(qubits))
        local_z = sum((word[1] >> q & 1) << j for j, q in enumerate(qubits))
        k, x, z = self._pull_local(hermitian((local, local_z)), qubits)
        return 1 - (k - (x & z).bit_count() & 3), (x, z)

    def _pull_local(self, word: PhasedWord, qubits: Sequence[int]) -> PhasedWord:
        k, x_bits, z_bits = word
        x = z = 0
        for bits, images in ((x_bits, self.x_images), (z_bits, self.z_images)):
            for j, q in enumerate(qubits):
                if bits >> j & 1:
                    image = images[q]
                    k += image[0] + 2 * (z & image[1]).bit_count()
                    x ^= image[1]
                    z ^= image[2]
        return k & 3, x, z

    def forward_x_image(self, qubit: int) -> PhasedWord:
        """C X_q C^dagger, by the symplectic inverse of the images."""
        x = sum((image[2] >> qubit & 1) << q for q, image in enumerate(self.z_images))
        z = sum((image[2] >> qubit & 1) << q for q, image in enumerate(self.x_images))
        k, px, pz = self._pull_local((0, x, z), range(self.n_qubits))
        assert (px, pz) == (1 << qubit, 0)
        return -k & 3, x, z

    def basis_map(self) -> tuple[np.ndarray, np.ndarray]:
        """C |i> = phases[i] |targets[i]> for a monomial frame; indices with qubit 0 the most significant bit."""
        n = self.n_qubits
        targets = np.array([reversed_bits(self.basis_state, n)], dtype=np.int64)
        quarters = np.zeros(1, dtype=np.int8)
        for qubit in range(n - 1, -1, -1):  # C |i + 2^b> = C X_q |i> = (C X_q C^dagger) C |i>
            k, x, z = self.forward_x_image(qubit)
            x, z = reversed_bits(x, n), reversed_bits(z, n)
            flips = (2 * (np.bitwise_count(targets & z) & 1)).astype(np.int8)
            quarters = np.concatenate([quarters, (quarters + flips + np.int8(k)) & 3])
            targets = np.concatenate([targets, targets ^ x])
        return targets, self.phase * np.array([1, 1j, -1, -1j])[quarters]
