"""Probabilistic error cancellation: the inverse of every Pauli channel as words with signs, summed over or drawn.

A channel of probabilities p over words multiplies word a by f_a = sum_b (-1)^[a, b] p_b, [a, b] = 1 where they
anticommute. Its inverse divides by f_a, and is a sum over words of quasi-probabilities eta that add up to 1 and are
negative in part: every place multiplies the spread of what is drawn by gamma = sum |eta|. For depolarizing noise that
leaves f of every word, gamma is (1 + e / 2) / (1 - e) on one qubit and (1 + 7 e / 8) / (1 - e) on two, e = 1 - f: with
p the probability of an error, e is 4 p / 3 and 16 p / 15.

Source: Temme, Bravyi, Gambetta 2017, Phys. Rev. Lett. 119, 180509.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import prod

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

MOST_WORDS = 1 << 14
# Of what a channel leaves less of, the inverse is of no use.
_LEAST_LEFT = 1e-6


class ErrorCancellation(MitigatedEngine):
    """The noise of Pauli channels undone on average; readout and coherent errors stay.

    Args:
        engine: what runs the circuits, with its noise model.
        n_samples: circuits drawn for each value, which then varies from call to call; None to sum over all, where they
            are at most 2^14.
        seed: of what is drawn, where the engine has no random numbers of its own; those are drawn from then.

    Raises:
        CircuitError: for fewer than 2 samples; for what is no engine.
        UnsupportedError: when a circuit is prepared that has no channels, or others than Pauli channels with rates that
            are numbers.

    Source: Temme, Bravyi, Gambetta 2017, Phys. Rev. Lett. 119, 180509.
    """

    mitigates_readout = False

    def __init__(self, engine: Engine, n_samples: int | None = None, seed: int | Stream | None = None):
        super().__init__(engine)
        self.n_samples = None if n_samples is None else checked_count("n_samples", n_samples, 2)
        self.stream = seed if isinstance(seed, Stream) else Stream(seed)
        self.runs = engine.runs
        self.is_exact = engine.is_exact and n_samples is None
        if engine.shots is not None and self.n_samples is not None:
            self.shots = engine.shots * self.n_samples

    def costs(self, circuit: Circuit) -> list[float]:
        """gamma of every channel that acts, in order; their product multiplies errors, its square the measurements."""
        return [float(np.abs(eta).sum()) for _, eta in self._inverses(self.engine.running(circuit)[1])]

    def cost(self, circuit: Circuit) -> float:
        """gamma of the whole circuit."""
        return prod(self.costs(circuit))

    @staticmethod
    def _inverses(written: Circuit) -> list[tuple[int, np.ndarray]]:
        """Place among the operations and quasi-probabilities of each channel."""
        found = [(k, _inverse_of(op)) for k, op in enumerate(written.operations) if op.gate.kind == "channel"]
        return [(k, eta) for k, eta in found if np.abs(eta[1:]).any()]

    def evaluator(self, circuit: Circuit, outputs: Outputs) -> MitigatedEvaluator:
        inner, written = self.engine.running(circuit)
        inverses = self._inverses(written)
        if not inverses:
            raise UnsupportedError(
                "no channel stands in the circuit that the engine runs, expected those of a noise model to cancel; put "
                "ErrorCancellation right around Noisy(engine, model) or its shots"
            )
        after = {k for k, _ in inverses}
        marked = written.copy()
        marked.operations = []
        for k, op in enumerate(written.operations):
            marked.operations.append(op)
            if k in after:
                marked.operations.append(place(op.qubits))
        ready, n_settings = filled(marked)
        variants = SettingVariants(differentiable(inner, ready, outputs, n_settings), n_settings)
        etas = [eta for _, eta in inverses]
        if self.n_samples is None:
            return MitigatedEvaluator(circuit, variants, fixed(*_all_words(etas)), outputs.size)
        count = self.n_samples

        def plan(batch: Batch, generator: np.random.Generator | None) -> Plan:
            assert generator is not None
            return Plan(*_drawn_words(etas, count, generator))

        return MitigatedEvaluator(circuit, variants, plan, outputs.size, self.stream)


def _inverse_of(op: Operation) -> np.ndarray:
    where = f"{op.gate.name} on qubit{'s' * (len(op.qubits) > 1)} {', '.join(map(str, op.qubits))}"
    if op.gate.pauli is None:
        raise UnsupportedError(
            f"{where} is no Pauli channel, expected those alone to be cancelled; take ZeroNoise, or a model of Pauli "
            "channels"
        )
    if not all(angle.is_number for angle in op.angles):
        raise UnsupportedError(f"{where} has rates that are slots, expected numbers to cancel; give the rates")
    return inverse_quasi_probabilities(op.gate.pauli(*(angle.offset for angle in op.angles)), where)


def inverse_quasi_probabilities(probabilities: Sequence[float] | np.ndarray, what: str = "the channel") -> np.ndarray:
    """Quasi-probabilities (4^k,) of the inverse of a Pauli channel, words in the order I X Y Z, first qubit first.

    Args:
        probabilities: of the channel's words, in that order.
        what: how messages call it.

    Shapes: probabilities (4^k,).

    Raises:
        UnsupportedError: if the channel has no inverse.

    Source: Temme, Bravyi, Gambetta 2017, Phys. Rev. Lett. 119, 180509.
    """
    p = np.asarray(probabilities, np.float64)
    signs = _signs((len(p).bit_length() - 1) // 2)
    left = signs @ p
    if np.abs(left).min() < _LEAST_LEFT:
        raise UnsupportedError(f"{what} leaves {np.abs(left).min():.3g} of a word, which cannot be undone")
    eta = signs @ (1 / left) / len(p)
    return np.where(np.abs(eta) < 1e-15, 0, eta)


@lru_cache(maxsize=8)
def _signs(n_qubits: int) -> np.ndarray:
    """1 where two words commute and -1 where they do not, (4^k, 4^k)."""
    one = np.array([[1, 1, 1, 1], [1, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]])
    whole = np.eye(1)
    for _ in range(n_qubits):
        whole = np.kron(whole, one)
    return whole


def _all_words(etas: Sequence[np.ndarray]) -> tuple[np.ndarray, WeightedSum]:
    """Settings (S, A) of every choice of words, and what each counts."""
    used = [np.flatnonzero(eta) for eta in etas]
    count = prod(map(len, used))
    if count > MOST_WORDS:
        raise UnsupportedError(
            f"{len(etas)} channels have {count:.3g} choices of words, expected at most {MOST_WORDS:,} to sum over; "
            "draw some, n_samples=1000"
        )
    bits, weights = np.zeros((1, 0), np.int64), np.ones(1)
    for eta, words in zip(etas, used, strict=True):
        of_words = bits_of_words(words, (len(eta).bit_length() - 1) // 2)
        bits = np.hstack([np.repeat(bits, len(words), axis=0), np.tile(of_words, (len(bits), 1))])
        weights = np.outer(weights, eta[words]).ravel()
    return np.pi * bits, WeightedSum(weights)


def _drawn_words(
    etas: Sequence[np.ndarray], count: int, generator: np.random.Generator
) -> tuple[np.ndarray, WeightedSum]:
    """The same of `count` choices, drawn by the sizes of their quasi-probabilities."""
    bits, weights = [np.zeros((count, 0), np.int64)], np.full(count, 1 / count)
    for eta in etas:
        gamma = np.abs(eta).sum()
        words = generator.choice(len(eta), size=count, p=np.abs(eta) / gamma)
        bits.append(bits_of_words(words, (len(eta).bit_length() - 1) // 2))
        weights *= gamma * np.sign(eta[words])
    return np.pi * np.hstack(bits), WeightedSum(weights, are_drawn=True)
