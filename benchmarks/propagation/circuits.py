"""The circuits that words are run back through, as lists of rotations: for us and for a peer."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from math import pi

import numpy as np

from benchmarks.shared import DATA
from qloom.circuits import Circuit
from qloom.observables import PauliSum, pauli

Rotation = tuple[str, tuple[int, ...], float]  # letters, qubits, angle


@dataclass(frozen=True)
class Task:
    """Rotations, first to last, and words with coefficients."""

    n_qubits: int
    rotations: list[Rotation]
    words: list[tuple[str, tuple[int, ...], float]]

    def circuit(self) -> Circuit:
        circuit = Circuit(self.n_qubits)
        for letters, qubits, angle in self.rotations:
            circuit.pauli_rotation(angle, letters, qubits)
        return circuit

    def observable(self) -> PauliSum:
        return sum_of(self.words)


def sum_of(words: list[tuple[str, tuple[int, ...], float]]) -> PauliSum:
    terms: dict[tuple[int, int], complex] = {}
    for letters, qubits, coefficient in words:
        terms |= {word: coefficient * c for word, c in pauli(letters, qubits).terms.items()}
    return PauliSum(terms)


def grid(side: int, n_steps: int) -> Task:
    """A tilted Ising model on a square, J = 1.5, hx = hz = 1, dt = .05: angles are dt times these; ZZ in the middle."""
    n, step = side * side, list[Rotation]()
    for q in range(n):
        step += [("ZZ", (q, q + 1), 0.075)] * (q % side + 1 < side) + [("ZZ", (q, q + side), 0.075)] * (q + side < n)
    step += [("Z", (q,), 0.05) for q in range(n)] + [("X", (q,), 0.05) for q in range(n)]
    middle = (side // 2 - 1) * side + side // 2 - 1
    return Task(n, step * n_steps, [("ZZ", (middle, middle + 1), 1.0)])


def chain(n: int, n_steps: int) -> Task:
    """A transverse Ising chain, J = h = 1, dt = .1: angles are twice dt times these; Z on all sites."""
    step: list[Rotation] = [("ZZ", (q, q + 1), 0.2) for q in range(n - 1)] + [("X", (q,), 0.2) for q in range(n)]
    return Task(n, step * n_steps, [("Z", (q,), 1.0) for q in range(n)])


# Words that Kim and others 2023 measured, by letters and qubits.
_W17_X, _W17_YZ = (37, 41, 52, 56, 57, 58, 62, 79), (38, 40, 42, 63, 72, 80, 90, 91)
RECORDED = {
    "w10_5": (5, False, "X" * 3 + "Y" * 2 + "Z" * 5, (13, 29, 31, 9, 30, 8, 12, 17, 28, 32)),
    "w17_5": (5, False, "X" * 8 + "Y" + "Z" * 8, (*_W17_X, 75, *_W17_YZ)),
    "w17b_5p1": (5, True, "X" * 8 + "Y" * 8 + "Z", (*_W17_X, *_W17_YZ, 75)),
    "z62_9": (9, False, "Z", (62,)),
    "z62_20": (20, False, "Z", (62,)),
}


def kicked(name: str, angle: float) -> Task:
    """The kicked Ising model on 127 qubits: RX(angle) on all, RZZ(-pi/2) on all edges; "mz_5" is the mean of Z."""
    n_steps, with_kick, letters, qubits = RECORDED.get(name, (5, False, "", ()))
    kick: list[Rotation] = [("X", (q,), angle) for q in range(127)]
    rotations = (kick + [("ZZ", edge, -pi / 2) for edge in edges()]) * n_steps + kick * with_kick
    words = [("Z", (q,), 1 / 127) for q in range(127)] if name == "mz_5" else [(letters, qubits, 1.0)]
    return Task(127, rotations, words)


def edges() -> list[tuple[int, int]]:
    return [(int(row["a"]), int(row["b"])) for row in recorded("edges_127")]


def recorded(name: str) -> list[dict[str, str]]:
    with (DATA / "ibm_utility_127q" / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def bonds(n: int) -> list[tuple[int, int]]:
    """Of an open chain, the even ones first."""
    return [(q, q + 1) for q in (*range(0, n - 1, 2), *range(1, n - 1, 2))]


def bricks(n: int, n_layers: int) -> tuple[Circuit, PauliSum]:
    """Layers of RZZ on even, then odd bonds, then RX, all with weights of their own; -sum ZZ - sum X."""
    circuit = Circuit(n)
    w = circuit.weights(n_layers, 2 * n - 1)
    for layer in w:
        for k, bond in enumerate(bonds(n)):
            circuit.rzz(layer[k], *bond)
        for q in range(n):
            circuit.rx(layer[n - 1 + q], q)
    return circuit, sum_of(_ising_words(n))


def bricks_task(n: int, numbers: np.ndarray) -> Task:
    """The same at some numbers, flat."""
    rotations: list[Rotation] = []
    for layer in numbers.reshape(-1, 2 * n - 1):
        rotations += [("ZZ", bond, float(layer[k])) for k, bond in enumerate(bonds(n))]
        rotations += [("X", (q,), float(layer[n - 1 + q])) for q in range(n)]
    return Task(n, rotations, _ising_words(n))


def _ising_words(n: int) -> list[tuple[str, tuple[int, ...], float]]:
    return [("ZZ", bond, -1.0) for bond in bonds(n)] + [("X", (q,), -1.0) for q in range(n)]


def encoded(n: int, n_layers: int) -> Circuit:
    """RY(x_q), then layers of RY and of RZZ on all bonds of a chain: n inputs, (n_layers, 2, n) weights."""
    circuit = Circuit(n)
    x, w = circuit.inputs(n), circuit.weights(n_layers, 2, n)
    for q in range(n):
        circuit.ry(x[q], q)
    for layer in w:
        for q in range(n):
            circuit.ry(layer[0][q], q)
        for bond in bonds(n):
            circuit.rzz(layer[1][bond[0]], *bond)
    return circuit


def encoded_task(n: int, n_layers: int, numbers: np.ndarray) -> Task:
    """The same at some numbers, inputs first; Z on all qubits."""
    x, w = numbers[:n], numbers[n:].reshape(n_layers, 2, n)
    rotations: list[Rotation] = [("Y", (q,), float(x[q])) for q in range(n)]
    for layer in w:
        rotations += [("Y", (q,), float(layer[0, q])) for q in range(n)]
        rotations += [("ZZ", bond, float(layer[1, bond[0]])) for bond in bonds(n)]
    return Task(n, rotations, [("Z", (q,), 1.0) for q in range(n)])
