"""The dynamical Lie algebra of a circuit's rotations: how many directions it can go in.

All generators are Pauli words, and the commutator of two words is a word or 0, so the algebra is a set of words.
"""

from __future__ import annotations

from collections.abc import Iterable

from qloom.circuits import Circuit
from qloom.observables import Word, words_commute
from qloom.programs.frame import make_frame
from qloom.programs.masks import unpack
from qloom.programs.pulling import pull_back


def lie_closure(words: Iterable[Word], most: int = 4096) -> tuple[set[Word], bool]:
    """The words that commutators of commutators give, and whether these are all; the search stops at `most`.

    Source: Larocca et al. 2022, Quantum 6, 824; Goh, Larocca, Cincio, Cerezo, Sauvage 2023, arXiv 2308.01432.
    """
    generators = [word for word in dict.fromkeys(words) if word != (0, 0)]
    found, waiting = set(generators), list(generators)
    while waiting:
        word = waiting.pop()
        for generator in generators:
            if words_commute(word, generator):
                continue
            product = (word[0] ^ generator[0], word[1] ^ generator[1])
            if product not in found:
                if len(found) >= most:
                    return found, False
                found.add(product)
                waiting.append(product)
    return found, True


def generators(circuit: Circuit) -> list[Word]:
    """The words that a circuit's rotations turn about, the Clifford gates before them taken in.

    Rotations by inputs and by numbers are among them: they turn what the weights turn about. A weight or an input of
    several rotations is taken as if each had its own, so that their algebra is an upper bound.
    """
    rotations, _ = pull_back(circuit, (), make_frame(circuit.n_qubits, monomial=False))
    return list(zip(unpack(rotations.x), unpack(rotations.z), strict=True))
