"""Words to measure where a layer needs more outputs than it has qubits."""

from __future__ import annotations

from itertools import combinations, islice

from qloom.errors import CircuitError
from qloom.observables import PauliSum, X, Y, Z


def output_words(n_qubits: int, n_outputs: int) -> list[PauliSum]:
    """The first of: Z on every qubit, Z Z on pairs, nearest first, X and Y on every qubit, X X and Y Y on pairs.

    Raises:
        CircuitError: if there are fewer than n_outputs.
    """
    pairs = sorted(combinations(range(n_qubits), 2), key=lambda pair: pair[1] - pair[0])
    words = [Z(q) for q in range(n_qubits)] + [Z(a) @ Z(b) for a, b in pairs]
    words += [letter(q) for letter in (X, Y) for q in range(n_qubits)]
    words += [letter(a) @ letter(b) for letter in (X, Y) for a, b in pairs]
    if n_outputs > len(words):
        raise CircuitError(f"{n_outputs} outputs of {n_qubits} qubits, expected at most {len(words)}; use more qubits")
    return list(islice(words, n_outputs))
