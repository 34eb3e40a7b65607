"""What a circuit, taken to it from the end, makes of an observable: Pauli words that a computer can follow."""

from __future__ import annotations

from qloom.circuits import Circuit
from qloom.observables import PauliSum, check_fits, words_commute
from qloom.programs.frame import make_frame
from qloom.programs.masks import unpack
from qloom.programs.pulling import pull_back


def reached_words(circuit: Circuit, observable: PauliSum, most: int = 4096) -> tuple[int, bool]:
    """Pauli words of the observable after the circuit, at any angles, and whether these are all; stops at `most`.

    A rotation about P makes of a word Q that does not commute with it a sum of Q and P Q; Clifford gates make one word
    of one. An expectation value is then a sum over these words in the first state: where they are few it is easy to
    simulate. They may be many also where the circuit's Lie algebra is small, for observables outside of that.

    Source: Goh, Larocca, Cincio, Cerezo, Sauvage 2023, arXiv 2308.01432; Rudolph et al. 2023, arXiv 2308.09109.
    """
    check_fits(observable, circuit.n_qubits)
    frame = make_frame(circuit.n_qubits, monomial=False)
    rotations, terms = pull_back(circuit, [word for _, word in observable if word != (0, 0)], frame)
    found, every = set(zip(unpack(terms.x), unpack(terms.z), strict=True)), 4**circuit.n_qubits - 1
    for turned in reversed(list(zip(unpack(rotations.x), unpack(rotations.z), strict=True))):
        found |= {(x ^ turned[0], z ^ turned[1]) for x, z in found if not words_commute((x, z), turned)}
        if len(found) > most:
            return most, False
        if len(found) == every:
            break
    return len(found), True
