"""The codes that memory experiments know: which distances and bases each has, and what decodes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from qloom.checks import is_integer
from qloom.errors import ConfigError


@dataclass(frozen=True)
class Code:
    """A family of codes, one for each odd distance.

    Args:
        name: as callers give it.
        bases: of the logical operator that can be kept, the first by default.
        physical_qubits: coefficients (a, b, c) of a d^2 + b d + c, measuring qubits counted.
        is_matchable: whether flips of data and outcomes change at most two detectors of a basis each.
    """

    name: str
    bases: tuple[str, ...]
    physical_qubits: tuple[float, float, float]
    is_matchable: bool = True

    def n_qubits(self, distance: int) -> int:
        """Physical qubits of one logical qubit, measuring qubits counted."""
        square, linear, constant = self.physical_qubits
        return round(square * distance**2 + linear * distance + constant)

    def checked_basis(self, basis: Any) -> str:
        """In capitals; the first of the code if None."""
        if basis is None:
            return self.bases[0]
        if not isinstance(basis, str) or basis.upper() not in self.bases:
            raise ConfigError(f"basis={basis!r} of the {self.name} code, expected {' or '.join(map(repr, self.bases))}")
        return basis.upper()


CODES = {
    code.name: code
    for code in (
        Code("repetition", ("Z",), (0, 2, -1)),
        Code("rotated_surface", ("Z", "X"), (2, 0, -1)),
        Code("color", ("Z", "X"), (3 / 2, 0, -1 / 2), is_matchable=False),
    )
}


def find_code(name: Any) -> Code:
    """A code by name.

    Raises:
        ConfigError: for any other.
    """
    if not isinstance(name, str) or name not in CODES:
        raise ConfigError(f"code={name!r}, expected one of {', '.join(map(repr, CODES))}")
    return CODES[name]


def checked_distance(distance: Any) -> int:
    """A code distance: an odd integer of at least 3.

    Raises:
        ConfigError: for any other; with an even one as many errors are corrected as with the odd one below.
    """
    if not is_integer(distance) or distance < 3:
        raise ConfigError(f"distance={distance!r}, expected an odd integer from 3")
    if distance % 2 == 0:
        raise ConfigError(
            f"distance={distance} is even, expected an odd one: it corrects no more errors than {distance - 1}; "
            f"take {distance - 1} or {distance + 1}"
        )
    return int(distance)
