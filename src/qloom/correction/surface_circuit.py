"""Circuits of the rotated surface code of six layers a round: resets, four of CX, measurements.

X ancillas are reset and measured in the X basis, so there is no layer of Hadamards, and data qubits are prepared and
measured in the layers of the first resets and the last measurements.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from qloom.correction.record import Place, Record
from qloom.extras import package

# Neighbours of an ancilla in the order in which they are met. Hooks, the errors that an ancilla spreads to its last two
# neighbours, then lie across the logical operator that they could shorten.
_ORDERS = {
    "X": ((1, 1), (-1, 1), (1, -1), (-1, -1)),
    "Z": ((1, 1), (1, -1), (-1, 1), (-1, -1)),
}


@dataclass(frozen=True)
class Patch:
    """Where the qubits of a rotated surface code of odd distance are.

    Data qubits have odd coordinates, ancillas even ones. Those above and below measure X words, left and right Z words:
    a row of Z and a column of X are logical operators.
    """

    distance: int

    @property
    def data(self) -> list[Place]:
        """d^2 of them, row by row."""
        d = self.distance
        return [(2 * column + 1, 2 * row + 1) for row in range(d) for column in range(d)]

    def ancillas(self, basis: str) -> list[Place]:
        """(d^2 - 1) / 2 of each basis."""
        d = self.distance
        inner = range(2, 2 * d, 2)
        ends = range(0, 2 * d + 1, 2)
        spots = [(x, y) for y in ends for x in inner] if basis == "X" else [(x, y) for y in inner for x in ends]
        return sorted((s for s in spots if ((s[0] + s[1]) // 2) % 2 == (basis == "X")), key=lambda s: (s[1], s[0]))

    def neighbours(self, ancilla: Place, basis: str) -> list[Place | None]:
        """Data qubits by layer, None where the ancilla idles."""
        data, (x, y) = set(self.data), ancilla
        spots = [(x + dx, y + dy) for dx, dy in _ORDERS[basis]]
        return [spot if spot in data else None for spot in spots]

    def logical(self, basis: str) -> list[Place]:
        """The data qubits of a logical operator."""
        return [place for place in self.data if place[basis == "Z"] == 1]


def surface_circuit(distance: int, rounds: int, basis: str) -> Any:
    """A stim.Circuit without noise that keeps a logical qubit in a basis."""
    stim = package("stim", "a code's circuit", "correction")
    patch = Patch(distance)
    spots = sorted([*patch.data, *patch.ancillas("X"), *patch.ancillas("Z")], key=lambda s: (s[1], s[0]))
    number = {spot: k for k, spot in enumerate(spots)}
    circuit = stim.Circuit()
    for spot in spots:
        circuit.append("QUBIT_COORDS", [number[spot]], spot)
    record = Record(circuit)
    for k in range(rounds):
        _append_round(circuit, record, patch, number, basis, k == 0, k == rounds - 1)
        for b in ("X", "Z"):
            for spot in patch.ancillas(b):
                if k or b == basis:
                    record.detect([(spot, k), (spot, k - 1)] if k else [(spot, k)], (*spot, k))
    for spot in patch.ancillas(basis):
        around = [(place, 0) for place in patch.neighbours(spot, basis) if place]
        record.detect([(spot, rounds - 1), *around], (*spot, rounds))
    record.observe([(place, 0) for place in patch.logical(basis)])
    return circuit


def _append_round(
    circuit: Any, record: Record, patch: Patch, number: dict[Place, int], basis: str, first: bool, last: bool
) -> None:
    """Six layers; data qubits are prepared in the first of a circuit and measured in the last."""
    data_of = {b: patch.data if b == basis else [] for b in ("X", "Z")}
    for b in ("X", "Z"):
        circuit.append(f"R{b}" if b == "X" else "R", [number[s] for s in patch.ancillas(b) + data_of[b] * first])
    for layer in range(4):
        circuit.append("TICK")
        pairs: list[int] = []
        for b in ("X", "Z"):
            for spot in patch.ancillas(b):
                place = patch.neighbours(spot, b)[layer]
                if place:
                    pairs += [number[spot], number[place]] if b == "X" else [number[place], number[spot]]
        circuit.append("CX", pairs)
    circuit.append("TICK")
    for b in ("X", "Z"):
        spots = patch.ancillas(b) + data_of[b] * last
        circuit.append("MX" if b == "X" else "M", [number[s] for s in spots])
        record.measured(spots)
    if not last:
        circuit.append("TICK")
