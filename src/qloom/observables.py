"""Observables: Pauli words and their real-weighted sums, built as ``0.5 * X(2) + Z(0) @ Z(1)``.

A word is a pair of bit masks (x, z), bit q for qubit q, and stands for the Hermitian operator
i^|x&z| X^x Z^z: X where only x is set, Z where only z is, Y where both are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from numbers import Number
from typing import Any

import numpy as np

from qloom.checks import is_integer
from qloom.errors import CircuitError

Word = tuple[int, int]

_LETTERS = {"I": (0, 0), "X": (1, 0), "Y": (1, 1), "Z": (0, 1)}
_NAMES = {bits: letter for letter, bits in _LETTERS.items()}
_I_POWERS = (1, 1j, -1, -1j)
_MATRICES: dict[str, np.ndarray] = {
    "I": np.eye(2),
    "X": np.array([[0, 1], [1, 0]]),
    "Y": np.array([[0, -1j], [1j, 0]]),
    "Z": np.diag([1, -1]),
}


def word_from_letters(letters: str, qubits: Sequence[int]) -> Word:
    """Masks of a word given as letters, e.g. ``("XZ", (0, 3))``."""
    if len(letters) != len(qubits):
        raise CircuitError(f"Pauli word {letters!r} has {len(letters)} letters, expected {len(qubits)}, one per qubit")
    x = z = 0
    for letter, qubit in zip(letters, qubits, strict=True):
        if letter not in _LETTERS:
            raise CircuitError(f"Pauli word {letters!r} has the letter {letter!r}, expected I, X, Y or Z")
        x |= _LETTERS[letter][0] << qubit
        z |= _LETTERS[letter][1] << qubit
    return x, z


def word_letters(word: Word) -> dict[int, str]:
    """Qubit -> letter of every qubit a word acts on."""
    x, z = word
    support = x | z
    return {q: _NAMES[x >> q & 1, z >> q & 1] for q in range(support.bit_length()) if support >> q & 1}


def multiply_words(a: Word, b: Word) -> tuple[int, Word]:
    """Product of two Hermitian words as (k, word): a b = i^k word."""
    x, z = a[0] ^ b[0], a[1] ^ b[1]
    k = (a[0] & a[1]).bit_count() + (b[0] & b[1]).bit_count() + 2 * (a[1] & b[0]).bit_count() - (x & z).bit_count()
    return k & 3, (x, z)


def words_commute(a: Word, b: Word) -> bool:
    """Whether two words commute (else they anticommute)."""
    return not ((a[0] & b[1]).bit_count() + (a[1] & b[0]).bit_count()) & 1


def words_commute_qubitwise(a: Word, b: Word) -> bool:
    """Whether on every qubit the letters are equal or one is the identity: such words are measured together."""
    return not ((a[0] ^ b[0]) | (a[1] ^ b[1])) & (a[0] | a[1]) & (b[0] | b[1])


class PauliSum:
    """A sum of Pauli words with coefficients; immutable.

    ``+`` and ``-`` add, ``*`` takes a number, ``@`` is the operator product (of words and of sums).

    Make one of `X`, `Y`, `Z`, `I`, `pauli`, `projector` or `hermitian`.

    Args:
        terms: word (x, z) -> coefficient; zero coefficients are dropped.
    """

    __slots__ = ("_added", "_terms")

    def __init__(self, terms: Mapping[Word, complex]):
        self._terms: dict[Word, complex] | None = {word: _plain(c) for word, c in terms.items() if c != 0}
        # What is still to be added up: the sum so far, and what comes to it.
        self._added: tuple[PauliSum, PauliSum] | None = None

    @property
    def terms(self) -> dict[Word, complex]:
        """Word (x, z) -> coefficient, none of them 0."""
        if self._terms is None:
            self._terms, self._added = self._total(), None
        return self._terms

    def _total(self) -> dict[Word, complex]:
        # Sums are added up when they are first looked at: a sum of n words copies no word n times.
        first, addends = self, []
        while (added := first._added) is not None:
            first, addend = added
            addends.append(addend)
        total = dict(first.terms)
        for addend in reversed(addends):
            for word, coefficient in addend.terms.items():
                total[word] = total.get(word, 0) + coefficient
        return {word: _plain(c) for word, c in total.items() if c != 0}

    def __add__(self, other: PauliSum | complex) -> PauliSum:
        addend = _as_sum(other)
        if addend is None:
            return NotImplemented
        addend.terms  # noqa: B018 - added up now: sums within sums would be added up one inside the other
        out = PauliSum({})
        out._terms, out._added = None, (self, addend)
        return out

    def __reduce__(self) -> Any:
        return PauliSum, (self.terms,)

    __radd__ = __add__

    def __mul__(self, factor: complex) -> PauliSum:
        if not isinstance(factor, Number):
            return NotImplemented
        return PauliSum({word: c * factor for word, c in self.terms.items()})  # type: ignore[operator]

    __rmul__ = __mul__

    def __truediv__(self, divisor: complex) -> PauliSum:
        return self * (1 / divisor)

    def __neg__(self) -> PauliSum:
        return self * -1

    def __sub__(self, other: PauliSum | complex) -> PauliSum:
        return self + (-other)

    def __rsub__(self, other: complex) -> PauliSum:
        return -self + other

    def __matmul__(self, other: PauliSum) -> PauliSum:
        if not isinstance(other, PauliSum):
            return NotImplemented
        total: dict[Word, complex] = {}
        for a, ca in self.terms.items():
            turned = [ca * power for power in _I_POWERS]
            for b, cb in other.terms.items():
                k, word = multiply_words(a, b)
                total[word] = total.get(word, 0) + turned[k] * cb
        return PauliSum(total)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PauliSum) and self.terms == other.terms

    def __hash__(self) -> int:
        return hash(frozenset(self.terms.items()))

    def __iter__(self) -> Iterator[tuple[complex, Word]]:
        return ((c, word) for word, c in self.terms.items())

    def __len__(self) -> int:
        return len(self.terms)

    def __repr__(self) -> str:
        return " + ".join(_term_repr(c, word) for c, word in self) or "0"

    @property
    def qubits(self) -> tuple[int, ...]:
        """Every qubit the sum acts on, in order."""
        support = 0
        for x, z in self.terms:
            support |= x | z
        return tuple(q for q in range(support.bit_length()) if support >> q & 1)

    @property
    def is_hermitian(self) -> bool:
        """Whether every coefficient is real, as a measured observable's must be."""
        return all(np.imag(c) == 0 for c in self.terms.values())

    def commutes(self, other: PauliSum) -> bool:
        """Whether the two operators commute, up to rounding of their coefficients."""
        bound = 1e-12 * sum(map(abs, self.terms.values())) * sum(map(abs, other.terms.values()))
        return all(abs(c) <= bound for c in (self @ other - other @ self).terms.values())

    def matrix(self, n_qubits: int) -> np.ndarray:
        """Dense (2^n, 2^n) matrix, qubit 0 the most significant bit; for checks on few qubits.

        Raises:
            CircuitError: if it acts on further qubits.
        """
        _check_range(self, n_qubits)
        total = np.zeros((2**n_qubits, 2**n_qubits), complex)
        for coefficient, word in self:
            letters = word_letters(word)
            factor: np.ndarray = np.eye(1)
            for qubit in range(n_qubits):
                factor = np.kron(factor, _MATRICES[letters.get(qubit, "I")])
            total += coefficient * factor
        return total

    def times(self, vectors: np.ndarray) -> np.ndarray:
        """Its matrix times vectors (2^n, ...), letter by letter, so that no matrix is made.

        Raises:
            CircuitError: if it acts on further qubits.
        """
        n_qubits = len(vectors).bit_length() - 1
        _check_range(self, n_qubits)
        total = np.zeros(vectors.shape, complex)
        for coefficient, word in self:
            cube = vectors.reshape(*(2,) * n_qubits, -1)
            for qubit, letter in word_letters(word).items():
                cube = np.moveaxis(np.tensordot(_MATRICES[letter], cube, (1, qubit)), 0, qubit)
            total += coefficient * cube.reshape(vectors.shape)
        return total


def X(qubit: int) -> PauliSum:
    """Pauli X on a qubit."""
    return pauli("X", (qubit,))


def Y(qubit: int) -> PauliSum:
    """Pauli Y on a qubit."""
    return pauli("Y", (qubit,))


def Z(qubit: int) -> PauliSum:
    """Pauli Z on a qubit."""
    return pauli("Z", (qubit,))


def I() -> PauliSum:  # noqa: E743 - the field's name of the identity
    """The identity: a constant in a sum."""
    return PauliSum({(0, 0): 1.0})


def pauli(letters: str, qubits: Sequence[int]) -> PauliSum:
    """A word from letters and qubits: ``pauli("XZY", (0, 1, 4))``.

    Args:
        letters: of I, X, Y and Z, one for each qubit.
        qubits: different ones.

    Raises:
        CircuitError: for other letters, or qubits that do not fit them.
    """
    if not isinstance(qubits, Iterable):
        raise CircuitError(f"qubits {qubits!r}, expected a sequence of them such as (0, 1)")
    for qubit in qubits:
        if not is_integer(qubit) or qubit < 0:
            raise CircuitError(f"qubit {qubit!r} in an observable, expected an integer from 0")
    if len(set(qubits)) != len(qubits):
        raise CircuitError(f"Pauli word {letters!r} on qubits {tuple(qubits)} repeats a qubit; multiply with @ instead")
    return PauliSum({word_from_letters(letters, [int(q) for q in qubits]): 1.0})


def projector(bits: str | Sequence[int], qubits: Sequence[int]) -> PauliSum:
    """Projector onto a basis state of some qubits, 2^k words: ``projector("01", (0, 3))``.

    Args:
        bits: one for each qubit.
        qubits: different ones.

    Raises:
        CircuitError: for what are no bits, or qubits that do not fit them.
    """
    values = [{"0": 1.0, "1": -1.0}.get(str(bit), 0.0) for bit in bits] if isinstance(bits, Iterable) else []
    if len(values) != len(qubits) or 0.0 in values:
        raise CircuitError(f"basis state {bits!r}, expected {len(qubits)} bits, each 0 or 1, one per qubit")
    total = I()
    for sign, qubit in zip(values, qubits, strict=True):
        total = total @ (0.5 * (I() + sign * Z(qubit)))
    return total


def hermitian(matrix: Any, qubits: Sequence[int]) -> PauliSum:
    """A Hermitian matrix on some qubits as a sum of Pauli words, up to 4^k of them.

    Args:
        matrix: (2^k, 2^k), the first qubit the most significant bit; an array or a sparse matrix of scipy's. Of a
            sparse one only the words are looked for that have entries.
        qubits: k different qubits.

    Raises:
        CircuitError: if the matrix has another shape, is not finite or not Hermitian to 1e-10 of its largest entry.
    """
    pauli("I" * len(qubits), qubits)  # raises where they are no qubits
    rows, columns, values, shape = _entries(matrix)
    size = 2 ** len(qubits)
    if shape != (size, size):
        raise CircuitError(f"observable has shape {shape} for {len(qubits)} qubits, expected ({size}, {size})")
    if not np.isfinite(values).all():
        raise CircuitError("observable holds a NaN or infinity, expected a Hermitian matrix of finite numbers")
    largest = float(np.abs(values).max(initial=0.0))
    listed = list(zip(rows.tolist(), columns.tolist(), values.tolist(), strict=True))
    mirrored = {(c, r): v.conjugate() for r, c, v in listed}
    worst = max((abs(v - mirrored.get((r, c), 0)) for r, c, v in listed), default=0.0)
    if worst > 1e-10 * largest:
        raise CircuitError(f"observable differs from its adjoint by {worst:.2g}, expected a Hermitian matrix")
    terms: dict[Word, complex] = {}
    flips = rows ^ columns
    for flip in np.unique(flips).tolist():
        diagonal = np.zeros(size, complex)
        np.add.at(diagonal, rows[flips == flip], values[flips == flip])
        sums = _signed_sums(diagonal) / size
        for z in np.flatnonzero(np.abs(sums) > 1e-15 * largest).tolist():
            mean = (sums[z] * _I_POWERS[(flip & z).bit_count() & 3]).real
            terms[_on_qubits(flip, qubits), _on_qubits(z, qubits)] = float(mean)
    return PauliSum(terms)


def _entries(matrix: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[int, ...]]:
    """Rows, columns and values of what is not 0, and the shape."""
    if hasattr(matrix, "tocoo"):
        found = matrix.tocoo()
        found.sum_duplicates()
        return found.row.astype(np.int64), found.col.astype(np.int64), found.data.astype(complex), found.shape
    try:
        dense = np.asarray(matrix, dtype=complex)
    except (TypeError, ValueError):
        raise CircuitError(f"observable got {str(matrix)[:60]!r}, expected a matrix of numbers") from None
    if dense.ndim != 2:
        raise CircuitError(f"observable has shape {dense.shape}, expected (2^k, 2^k)")
    rows, columns = np.nonzero(dense)
    return rows, columns, dense[rows, columns], dense.shape


def _signed_sums(values: np.ndarray) -> np.ndarray:
    """sum_m (-1)^|m & z| values[m] for every z: a Walsh-Hadamard transform."""
    out, half = values, 1
    while half < len(values):
        pairs = out.reshape(-1, 2, half)
        out = np.stack([pairs[:, 0] + pairs[:, 1], pairs[:, 0] - pairs[:, 1]], axis=1).reshape(-1)
        half *= 2
    return out


def _on_qubits(index: int, qubits: Sequence[int]) -> int:
    """Bits of an index, the first qubit's the most significant, as a mask of a register."""
    return sum((index >> (len(qubits) - 1 - k) & 1) << int(qubit) for k, qubit in enumerate(qubits))


def group_commuting(words: Iterable[Word], qubitwise: bool = True) -> list[list[Word]]:
    """Words gathered greedily into groups that can be measured together, in order of first appearance.

    Args:
        words: Pauli words.
        qubitwise: letters must agree qubit by qubit (measurable with one-qubit rotations); else plain commutation.
    """
    compatible = words_commute_qubitwise if qubitwise else words_commute
    groups: list[list[Word]] = []
    for word in words:
        for group in groups:
            if all(compatible(word, member) for member in group):
                group.append(word)
                break
        else:
            groups.append([word])
    return groups


def check_fits(observable: PauliSum, n_qubits: int) -> None:
    """Raise unless the observable is a Hermitian PauliSum on the first n_qubits qubits."""
    if not isinstance(observable, PauliSum):
        raise CircuitError(
            f"observable {observable!r} is a {type(observable).__name__}, expected a Pauli sum such as Z(0) @ Z(1)"
        )
    if not all(np.isfinite(c) for c in observable.terms.values()):
        raise CircuitError(f"observable {observable!r} has a coefficient that is not finite, expected finite real ones")
    if not observable.is_hermitian:
        raise CircuitError(f"observable {observable!r} has a complex coefficient, expected real ones (Hermitian)")
    _check_range(observable, n_qubits)


def _check_range(observable: PauliSum, n_qubits: int) -> None:
    if observable.qubits and observable.qubits[-1] >= n_qubits:
        raise CircuitError(
            f"observable {observable!r} acts on qubit {observable.qubits[-1]}, "
            f"the circuit has qubits 0 to {n_qubits - 1}"
        )


def _plain(coefficient: complex) -> complex:
    value = complex(coefficient)
    return value.real if value.imag == 0 else value


def _as_sum(value: object) -> PauliSum | None:
    if isinstance(value, PauliSum):
        return value
    return PauliSum({(0, 0): value}) if isinstance(value, Number) else None  # type: ignore[dict-item]


def _term_repr(coefficient: complex, word: Word) -> str:
    letters = " @ ".join(f"{letter}({qubit})" for qubit, letter in word_letters(word).items()) or "I()"
    return letters if coefficient == 1 else f"{coefficient:g} * {letters}"
