"""Pulling back: a circuit becomes rotations about Pauli words, and what is measured becomes words before them.

Walking the gates, those that the Clifford frame C takes cost nothing; a rotation about P that it does not take becomes
one about C^dagger P C. Words W that are measured are pulled back in the same way at the end. With R the rotations that
are left, first to last, U = C R up to a phase, and U^dagger W U = R^dagger (C^dagger W C) R.

Nothing here knows an engine: simulators of states, of words and of noise begin alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from qloom import _native
from qloom.circuits.circuit import Circuit
from qloom.observables import PauliSum, Word
from qloom.programs.frame import FlatGates, flat_gates
from qloom.programs.masks import pack
from qloom.programs.rotations import Rotations, Terms


def pull_back(circuit: Circuit | FlatGates, words: Sequence[Word], frame: Any) -> tuple[Rotations, Terms]:
    """The rotations that a frame does not take, and words behind the circuit as words before the rotations.

    Args:
        circuit: or its `flat_gates`, where it is pulled back more than once.
        words: Hermitian ones.
        frame: an empty one, of `make_frame`; it takes the circuit's Clifford gates.

    Shapes: rotations (R,), first to last; terms (T,), each a word with its sign as coefficient and its place in `words`
    as output.

    Raises:
        UnsupportedError: for a circuit with gates that are not unitary.
    """
    gates = circuit if isinstance(circuit, FlatGates) else flat_gates(circuit)
    rotations = gates.lower_into(frame)
    signs, x, z = pull(frame, words)
    return rotations, Terms(signs, x, z, np.arange(len(words), dtype=np.uint32))


def pull_back_sums(circuit: Circuit | FlatGates, sums: Sequence[PauliSum], frame: Any) -> tuple[Rotations, Terms]:
    """The same of observables: every term has its coefficient, and the place of its observable as output."""
    flat = [(coefficient.real, word, output) for output, one in enumerate(sums) for coefficient, word in one]
    rotations, terms = pull_back(circuit, [word for _, word, _ in flat], frame)
    coefficients = np.array([coefficient for coefficient, _, _ in flat], np.float64)
    outputs = np.array([output for _, _, output in flat], np.uint32)
    return rotations, Terms(terms.coefficient * coefficients, terms.x, terms.z, outputs)


def pull(frame: Any, words: Sequence[Word]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """C^dagger W C for Hermitian words W: signs (T,) and masks x, z (T, 1) of Hermitian words."""
    xs, zs = (pack((word[part] for word in words), frame.n_qubits) for part in (0, 1))
    return frame.pull(xs, zs)  # type: ignore[no-any-return]


def effective(circuit: Circuit, rotations: Rotations, terms: Terms) -> Rotations:
    """The rotations that can change what is measured: the light cone of the terms.

    Those outside it are left out, and diagonal ones that meet |0>; derivatives by them are zero.
    """
    starts_in_zero = circuit.initial is None
    return rotations[_native.effective_rotations(rotations.x, rotations.z, terms.x, terms.z, starts_in_zero)]
