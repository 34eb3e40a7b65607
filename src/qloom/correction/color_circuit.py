"""Circuits of the triangular 6.6.6 color code: a Bell pair in each face measures its X and its Z word in one round.

A round has ten layers: resets, CX in the pairs, three of CX from data, three of CX to data, CX in the pairs,
measurements. Each half of a pair meets the data qubits of its half of the face, the two halves mirrored, so that no
data qubit is met twice in a layer. Stim's own color code circuit, which measures one qubit a face in turning bases, has
flips of outcomes that no decoder by matching takes apart.

Source: Gidney and Jones 2023, arXiv:2312.08813, the superdense circuit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from qloom.correction.record import Place, Record
from qloom.extras import package

# Data qubits around a face, by layer: (left half, right half).
_ORDER = (((-0.5, -1.0), (0.5, -1.0)), ((-1.0, 0.0), (1.0, 0.0)), ((-0.5, 1.0), (0.5, 1.0)))
# Where the halves of the pair are drawn, left and right of the middle of a face.
_HALF = 0.25


@dataclass(frozen=True)
class Triangle:
    """Where the qubits of a triangular color code of odd distance are: rows y, the lowest the longest."""

    distance: int

    def _sites(self) -> list[tuple[int, int]]:
        length = (3 * self.distance - 1) // 2
        return [(k, y) for y in range(length) for k in range(length - y)]

    @property
    def data(self) -> list[Place]:
        """(3 d^2 + 1) / 4 of them, row by row."""
        return [(k + y / 2, float(y)) for k, y in self._sites() if (k - y) % 3 != 2]

    @property
    def faces(self) -> list[Place]:
        """(3 d^2 - 3) / 8 of them; that of row y has color y mod 3."""
        return [(k + y / 2, float(y)) for k, y in self._sites() if (k - y) % 3 == 2]

    def around(self, face: Place) -> list[Place]:
        """The data qubits of a face, 4 or 6."""
        data = set(self.data)
        spots = [(face[0] + dx, face[1] + dy) for pair in _ORDER for dx, dy in pair]
        return [spot for spot in spots if spot in data]

    def turned_by(self, data: set[Place]) -> list[Place]:
        """Faces whose left half, flipped as a whole, flips the parity of some data qubits."""
        halves = {face: {(face[0] + left[0], face[1] + left[1]) for left, _ in _ORDER} for face in self.faces}
        return [face for face, half in halves.items() if len(half & set(self.data) & data) % 2]

    @property
    def logical(self) -> list[Place]:
        """The data qubits of a side, d of them: X words and Z words on them are logical operators."""
        return [place for place in self.data if place[1] == 0]


def color_circuit(distance: int, rounds: int, basis: str, data_noise: float = 0.0) -> Any:
    """A stim.Circuit that keeps a logical qubit in a basis.

    Args:
        data_noise: depolarizing on each data qubit at the start of every round; all else is without noise.

    Detectors have as fourth coordinate what Chromobius asks for: the face's color, and 3 more if it is a Z word.
    """
    stim = package("stim", "a code's circuit", "correction")
    triangle = Triangle(distance)
    pairs = [tuple((x + side * _HALF, y) for side in (-1, 1)) for x, y in triangle.faces]
    spots = sorted([*triangle.data, *(half for pair in pairs for half in pair)], key=lambda s: (s[1], s[0]))
    number = {spot: k for k, spot in enumerate(spots)}
    circuit = stim.Circuit()
    for spot in spots:
        circuit.append("QUBIT_COORDS", [number[spot]], spot)

    def outcome(face: Place, b: str, k: int) -> tuple[Place, int]:
        return (face[0] + (_HALF if b == "Z" else -_HALF), face[1]), k

    def expected(face: Place, b: str, k: int) -> list[tuple[Place, int]]:
        """The outcomes of round k that add up to what a face's word is after it."""
        odd = {face} ^ (set(triangle.turned_by(set(triangle.around(face)))) if b == "Z" else set())
        return [outcome(other, b, k) for other in sorted(odd)]

    record, start, end = Record(stim, circuit), *(("RX", "MX") if basis == "X" else ("R", "M"))
    for k in range(rounds):
        circuit.append("RX", [number[left] for left, _ in pairs])
        circuit.append("R", [number[right] for _, right in pairs])
        if k == 0:
            circuit.append(start, [number[place] for place in triangle.data])
        circuit.append("TICK")
        if data_noise:
            circuit.append("DEPOLARIZE1", [number[place] for place in triangle.data], [data_noise])
        _append_gates(circuit, triangle, number)
        for name, side in (("MX", 0), ("M", 1)):
            circuit.append(name, [number[pair[side]] for pair in pairs])
            record.measured([pair[side] for pair in pairs])
        if k == rounds - 1:
            circuit.append(end, [number[place] for place in triangle.data])
            record.measured(triangle.data)
        else:
            circuit.append("TICK")
        for face in triangle.faces:
            for b in "XZ":
                if k or b == basis:
                    before = expected(face, b, k - 1) if k else []
                    record.detect([outcome(face, b, k), *before], (*face, k, _label(face, b)))
    for face in triangle.faces:
        around = [(place, 0) for place in triangle.around(face)]
        record.detect([*expected(face, basis, rounds - 1), *around], (*face, rounds, _label(face, basis)))
    turned = [outcome(face, "Z", k) for face in triangle.turned_by(set(triangle.logical)) for k in range(rounds)]
    record.observe([(place, 0) for place in triangle.logical] + turned * (basis == "Z"))
    return circuit


def _append_gates(circuit: Any, triangle: Triangle, number: dict[Place, int]) -> None:
    """Eight layers of CX, each with a TICK behind it."""
    data, halves = set(triangle.data), [[number[x + s * _HALF, y] for s in (-1, 1)] for x, y in triangle.faces]
    bell = [qubit for pair in halves for qubit in pair]
    layers = [
        [
            (pair[side], number[x + steps[side][0], y + steps[side][1]])
            for (x, y), pair in zip(triangle.faces, halves, strict=True)
            for side in (0, 1)
            if (x + steps[side][0], y + steps[side][1]) in data
        ]
        for steps in _ORDER
    ]
    from_data = [[qubit for half, place in layer for qubit in (place, half)] for layer in layers]
    to_data = [[qubit for meeting in layer for qubit in meeting] for layer in layers]
    for targets in (bell, *from_data, *to_data, bell):
        circuit.append("CX", targets)
        circuit.append("TICK")


def _label(face: Place, basis: str) -> int:
    return int(face[1]) % 3 + 3 * (basis == "Z")
