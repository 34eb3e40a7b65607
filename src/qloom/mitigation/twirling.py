"""Pauli twirling: random words around two-qubit Clifford gates that leave the circuit as it is.

Of the noise of such a gate, coherent errors too, what is left on average is a Pauli channel: amplitudes of errors no
longer add up from gate to gate. It mitigates nothing else by itself, and makes what other methods suppose.

Source: Wallman, Emerson 2016, Phys. Rev. A 94, 052325.
"""

from __future__ import annotations

import numpy as np

from qloom.checks import checked_count
from qloom.circuits.circuit import Circuit
from qloom.circuits.operations import Operation
from qloom.engines.base import Engine
from qloom.engines.batch import Batch
from qloom.engines.outputs import Outputs
from qloom.engines.streams import Stream
from qloom.errors import UnsupportedError
from qloom.mitigation.combinations import WeightedSum
from qloom.mitigation.differentiable import differentiable
from qloom.mitigation.mitigated import MitigatedEngine, MitigatedEvaluator, Plan, fixed
from qloom.mitigation.places import bits_of_words, filled, place
from qloom.mitigation.variants import SettingVariants
from qloom.observables import pauli

MOST_TWIRLS = 1 << 14
_GENERATORS = ("XI", "ZI", "IX", "IZ")


class Twirled(MitigatedEngine):
    """Means over circuits with random words before and after every two-qubit Clifford gate.

    Args:
        engine: what runs the circuits, with its noise.
        n_twirls: circuits drawn for each value, which then varies from call to call; None for all 16 of each gate,
            where they are at most 2^14 together.
        seed: of what is drawn, where the engine has no random numbers of its own; those are drawn from then.

    Raises:
        CircuitError: for `n_twirls` below 1; for what is no engine.
        UnsupportedError: when a circuit is prepared that has no noise, no two-qubit Clifford gate, or too many words to
            sum over.

    Source: Wallman, Emerson 2016, Phys. Rev. A 94, 052325.
    """

    mitigates_readout = False

    def __init__(self, engine: Engine, n_twirls: int | None = 32, seed: int | Stream | None = None):
        super().__init__(engine)
        self.n_twirls = None if n_twirls is None else checked_count("n_twirls", n_twirls)
        self.stream = seed if isinstance(seed, Stream) else Stream(seed)
        self.runs = engine.runs
        self.is_exact = engine.is_exact and n_twirls is None
        if engine.shots is not None and self.n_twirls is not None:
            self.shots = engine.shots * self.n_twirls

    def evaluator(self, circuit: Circuit, outputs: Outputs) -> MitigatedEvaluator:
        marked, images = circuit.copy(), []
        marked.operations = []
        for op in circuit.operations:
            image = clifford_image(op)
            if image is None:
                marked.operations.append(op)
                continue
            images.append(image)
            marked.operations += [place(op.qubits), op, place(op.qubits)]
        if not images:
            raise UnsupportedError("the circuit has no two-qubit Clifford gate to twirl, expected one such as cx")
        inner, written = self.engine.running(marked)
        ready, n_settings = filled(written)
        variants, maps = (
            SettingVariants(differentiable(inner, ready, outputs, n_settings), n_settings),
            np.array(images),
        )
        if self.n_twirls is None:
            return MitigatedEvaluator(circuit, variants, fixed(*_all_twirls(maps)), outputs.size)
        count = self.n_twirls

        def plan(batch: Batch, generator: np.random.Generator | None) -> Plan:
            assert generator is not None
            before = generator.integers(2, size=(count, len(maps), 4))
            return Plan(_settings(maps, before), WeightedSum(np.full(count, 1 / count), are_drawn=True))

        return MitigatedEvaluator(circuit, variants, plan, outputs.size, self.stream)


def _all_twirls(maps: np.ndarray) -> tuple[np.ndarray, WeightedSum]:
    count = 16 ** len(maps)
    if count > MOST_TWIRLS:
        raise UnsupportedError(
            f"{len(maps)} gates have {count:.3g} twirls, expected at most {MOST_TWIRLS:,} to run all; give n_twirls=32"
        )
    digits = np.arange(count)[:, None] // 16 ** np.arange(len(maps)) % 16
    return _settings(maps, bits_of_words(digits, 2)), WeightedSum(np.full(count, 1 / count))


def _settings(maps: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Angles of the words before each gate and after it, from bits (S, G, 4) of those before."""
    after = np.einsum("gij,sgj->sgi", maps, before) % 2
    return np.pi * np.concatenate([before, after], axis=2).reshape(len(before), -1)


def clifford_image(op: Operation) -> np.ndarray | None:
    """What a two-qubit Clifford gate makes of words, up to signs: bits after from bits x, z, x, z before, (4, 4) modulo
    2; None of all other operations."""
    if len(op.qubits) != 2 or not op.gate.is_unitary or not all(angle.is_number for angle in op.angles):
        return None
    matrix = op.gate.matrix(*(angle.offset for angle in op.angles))
    columns = []
    for letters in _GENERATORS:
        turned = matrix @ pauli(letters, (0, 1)).matrix(2) @ matrix.conj().T
        overlaps = np.array([abs(np.vdot(word, turned)) / 4 for word in _WORDS])
        if overlaps.max() < 1 - 1e-9:
            return None
        columns.append(bits_of_words(np.array(overlaps.argmax()), 2))
    return np.array(columns).T


_WORDS = [pauli(a + b, (0, 1)).matrix(2) for a in "IXYZ" for b in "IXYZ"]
