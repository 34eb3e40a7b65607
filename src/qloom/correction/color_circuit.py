"""Circuits of the triangular 6.6.6 color code: a Bell pair in each face measures its X and its Z word in one round.

A round has ten layers: resets, CX in the pairs, three of CX from data, three of CX to data, CX in the pairs,
measurements. Each half of a pair meets the data qubits of its half of the face, the two halves mirrored, so that no
data qubit is met twice in a layer. Stim's own color code circuit, which measures one qubit a face in turning bases, has
flips of outcomes that no decoder by matching takes apart.

Source: Gidney and Jones 2023, arXiv:2312.08813, the superdense circuit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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

    Where a Z word is found to be -1, the round flips the left half of its face, up to its X word: what is expected of
    words afterwards, and the logical Z, count that in.

    Args:
        data_noise: depolarizing on each data qubit at the start of every round; all else is without noise.

    Detectors have as fourth coordinate what Chromobius asks for: the face's color, and 3 more if it is a Z word.
    """
    triangle = Triangle(distance)
    pairs = [[(x + side * _HALF, y) for side in (-1, 1)] for x, y in triangle.faces]
    circuit, number = _numbered([*triangle.data, *(half for pair in pairs for half in pair)])
    record = Record(circuit)
    data = [number[place] for place in triangle.data]

    def outcome(face: Place, b: str, k: int) -> tuple[Place, int]:
        return (face[0] + (_HALF if b == "Z" else -_HALF), face[1]), k

    def expected(face: Place, b: str, k: int) -> list[tuple[Place, int]]:
        """The outcomes of round k that add up to what a face's word is after it."""
        odd = {face} ^ (set(triangle.turned_by(set(triangle.around(face)))) if b == "Z" else set())
        return [outcome(other, b, k) for other in sorted(odd)]

    for k in range(rounds):
        circuit.append("RX", [number[left] for left, _ in pairs])
        circuit.append("R", [number[right] for _, right in pairs])
        _start_round(circuit, data, basis, k == 0, data_noise)
        _append_gates(circuit, triangle, number)
        for name, side in (("MX", 0), ("M", 1)):
            circuit.append(name, [number[pair[side]] for pair in pairs])
            record.measured([pair[side] for pair in pairs])
        _end_round(circuit, record, triangle, data, basis, k == rounds - 1)
        _detect(record, triangle, basis, k, outcome, expected)
    _detect_data(record, triangle, basis, rounds, expected)
    turned = [outcome(face, "Z", k) for face in triangle.turned_by(set(triangle.logical)) for k in range(rounds)]
    record.observe([(place, 0) for place in triangle.logical] + turned * (basis == "Z"))
    return circuit


def color_words(distance: int, rounds: int, basis: str, data_noise: float = 0.0) -> Any:
    """The same with the faces' words measured as such, without gates: for noise of data and outcomes alone."""
    triangle = Triangle(distance)
    circuit, number = _numbered(triangle.data)
    record = Record(circuit)
    data = [number[place] for place in triangle.data]

    def outcome(face: Place, b: str, k: int) -> tuple[Place, int]:
        return face, 2 * k + (b == "Z")

    def expected(face: Place, b: str, k: int) -> list[tuple[Place, int]]:
        return [outcome(face, b, k)]

    for k in range(rounds):
        _start_round(circuit, data, basis, k == 0, data_noise)
        for b in "XZ":
            for face in triangle.faces:
                word = [record.stim.target_pauli(number[place], b) for place in triangle.around(face)]
                circuit.append("MPP", record.stim.target_combined_paulis(word))
            record.measured(triangle.faces)
        circuit.append("TICK")
        _end_round(circuit, record, triangle, data, basis, k == rounds - 1)
        _detect(record, triangle, basis, k, outcome, expected)
    _detect_data(record, triangle, basis, rounds, expected)
    record.observe([(place, 0) for place in triangle.logical])
    return circuit


Outcome = Callable[[Place, str, int], tuple[Place, int]]
Expected = Callable[[Place, str, int], list[tuple[Place, int]]]


def _numbered(spots: Sequence[Place]) -> tuple[Any, dict[Place, int]]:
    """A circuit that says where its qubits are, row by row, and their numbers."""
    circuit = package("stim", "a code's circuit", "correction").Circuit()
    number = {spot: k for k, spot in enumerate(sorted(spots, key=lambda spot: (spot[1], spot[0])))}
    for spot, k in number.items():
        circuit.append("QUBIT_COORDS", [k], spot)
    return circuit, number


def _start_round(circuit: Any, data: list[int], basis: str, first: bool, noise: float) -> None:
    if first:
        circuit.append("RX" if basis == "X" else "R", data)
    circuit.append("TICK")
    if noise:
        circuit.append("DEPOLARIZE1", data, [noise])


def _end_round(circuit: Any, record: Record, triangle: Triangle, data: list[int], basis: str, last: bool) -> None:
    if last:
        circuit.append("MX" if basis == "X" else "M", data)
        record.measured(triangle.data)
    else:
        circuit.append("TICK")


def _detect(record: Record, triangle: Triangle, basis: str, k: int, outcome: Outcome, expected: Expected) -> None:
    """Words of a round against what the one before leaves to expect."""
    for face in triangle.faces:
        for b in "XZ":
            if k or b == basis:
                record.detect([outcome(face, b, k), *(expected(face, b, k - 1) if k else [])], _place(face, k, b))


def _detect_data(record: Record, triangle: Triangle, basis: str, rounds: int, expected: Expected) -> None:
    """Words of the data as it was measured at the end."""
    for face in triangle.faces:
        around = [(place, 0) for place in triangle.around(face)]
        record.detect([*expected(face, basis, rounds - 1), *around], _place(face, rounds, basis))


def _append_gates(circuit: Any, triangle: Triangle, number: dict[Place, int]) -> None:
    """Eight layers of CX, each with a TICK behind it."""
    halves = [(face, [number[face[0] + s * _HALF, face[1]] for s in (-1, 1)]) for face in triangle.faces]
    bell = [qubit for _, pair in halves for qubit in pair]
    layers = []
    for steps in _ORDER:
        spots = [(pair[s], (x + steps[s][0], y + steps[s][1])) for (x, y), pair in halves for s in (0, 1)]
        layers.append([(half, number[spot]) for half, spot in spots if spot in number])
    from_data = [[qubit for half, place in layer for qubit in (place, half)] for layer in layers]
    to_data = [[qubit for meeting in layer for qubit in meeting] for layer in layers]
    for targets in (bell, *from_data, *to_data, bell):
        circuit.append("CX", targets)
        circuit.append("TICK")


def _place(face: Place, k: int, basis: str) -> tuple[float, ...]:
    """A detector's coordinates."""
    return (*face, k, int(face[1]) % 3 + 3 * (basis == "Z"))
