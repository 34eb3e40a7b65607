"""Code capacity: bit flips on data qubits alone, outcomes of checks without errors, computed exactly."""

from __future__ import annotations

from collections.abc import Callable
from math import comb
from typing import Any

import numpy as np

from qloom.checks import is_real
from qloom.correction.codes import checked_distance
from qloom.correction.surface_circuit import Patch
from qloom.errors import ConfigError, UnsupportedError

# Faces of the Steane code, the triangular color code of distance 3; all seven qubits are a logical operator.
_STEANE_FACES = ((0, 1, 2, 3), (1, 2, 4, 5), (2, 3, 5, 6))


def code_capacity(code: str, distance: int, p: float) -> float:
    """The probability that independent bit flips of probability p, corrected, leave a logical flip.

    The repetition code decides by majority. The rotated surface code and the Steane code of distance 3 ("color" or
    "steane") look up a likeliest error of least weight for each syndrome; all 2^n errors are summed over.

    Raises:
        ConfigError: for an unknown code, an even distance, or p outside 0 to 1.
        UnsupportedError: for other codes of distances above 3; sample these with `memory_experiment`.
    """
    if not isinstance(code, str) or code not in _EXACT:
        raise ConfigError(f"code={code!r}, expected one of {', '.join(map(repr, _EXACT))}")
    if not is_real(p) or not 0 <= p <= 1:
        raise ConfigError(f"p={p!r}, expected a probability from 0 to 1")
    return _EXACT[code](checked_distance(distance), float(p))


def _repetition(distance: int, p: float) -> float:
    return sum(comb(distance, k) * p**k * (1 - p) ** (distance - k) for k in range(distance // 2 + 1, distance + 1))


def _surface(distance: int, p: float) -> float:
    _check_small("rotated_surface", distance)
    patch = Patch(distance)
    number = {place: k for k, place in enumerate(patch.data)}
    faces = [tuple(number[place] for place in patch.neighbours(spot, "Z") if place) for spot in patch.ancillas("Z")]
    return _looked_up(faces, tuple(number[place] for place in patch.logical("Z")), distance**2, p)


def _steane(distance: int, p: float) -> float:
    _check_small("color", distance)
    return _looked_up(_STEANE_FACES, tuple(range(7)), 7, p)


def _looked_up(faces: Any, logical: tuple[int, ...], n_qubits: int, p: float) -> float:
    """By a table of a least error for each syndrome.

    Of errors of the same least weight the one whose logical class has more of them is looked up, where a class is a
    syndrome with a logical value.
    """
    bits = (np.arange(1 << n_qubits)[:, None] >> np.arange(n_qubits)) & 1
    weights = bits.sum(axis=1)
    syndromes = np.zeros(len(bits), np.int64)
    for place, face in enumerate(faces):
        syndromes |= (bits[:, list(face)].sum(axis=1) & 1) << place
    classes = 2 * syndromes + (bits[:, list(logical)].sum(axis=1) & 1)
    counts = np.zeros((n_qubits + 1, 2 << len(faces)), np.int64)  # errors by weight and class
    np.add.at(counts, (weights, classes), 1)
    of_class = (p ** np.arange(n_qubits + 1) * (1 - p) ** np.arange(n_qubits, -1, -1)) @ counts
    # First weights count, then how many: classes are compared from the least weight on.
    order = np.lexsort(counts[::-1]).argsort().reshape(-1, 2)
    wrong = of_class.reshape(-1, 2)[np.arange(1 << len(faces)), order.argmin(axis=1)]
    return float(wrong.sum())


def _check_small(code: str, distance: int) -> None:
    if distance > 3:
        raise UnsupportedError(
            f"code_capacity of the {code} code sums over all errors at distance 3 only, got distance {distance}; "
            "sample it with memory_experiment(...) and noise on the data alone"
        )


_EXACT: dict[str, Callable[[int, float], float]] = {
    "repetition": _repetition, "rotated_surface": _surface, "color": _steane, "steane": _steane,
}  # fmt: skip
