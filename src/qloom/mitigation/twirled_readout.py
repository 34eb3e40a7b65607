"""Twirled readout: random flips before the measurement, and the damping that is left divided out.

With flips that are undone in the results, misread bits do nothing to a word but multiply it by a factor, whatever the
confusion is; the factor is measured on circuits that prepare the word's own eigenstate.

Source: van den Berg, Minev, Temme 2022, Phys. Rev. A 105, 032620.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qloom.checks import checked_count
from qloom.circuits.circuit import Circuit
from qloom.engines.base import Engine
from qloom.engines.batch import Batch, make_batch
from qloom.engines.outputs import Expectations, Outputs
from qloom.engines.readout import without_readout
from qloom.engines.streams import Stream
from qloom.errors import UnsupportedError
from qloom.mitigation.combinations import Combination
from qloom.mitigation.differentiable import differentiable
from qloom.mitigation.mitigated import MitigatedEngine, MitigatedEvaluator, Plan
from qloom.mitigation.places import filled, place
from qloom.mitigation.variants import SettingVariants, Variants
from qloom.observables import PauliSum, Word, word_letters

MOST_TWIRLS = 1 << 12
# Words that keep less than this, or than so many of its standard errors, are lost.
_LEAST_LEFT = 1e-3
SIGNIFICANT = 5.0
_FROM_ZERO = {"X": ("h",), "Y": ("h", "s"), "Z": ()}


class TwirledReadout(MitigatedEngine):
    """Expectation values with random Pauli words before the measurement, divided by their measured damping.

    Args:
        engine: what runs the circuits, with its readout errors.
        n_twirls: circuits drawn for each value, which then varies from call to call; None for all 4^n, where they are
            at most 4,096.
        seed: of what is drawn, where the engine has no random numbers of its own; those are drawn from then.

    Raises:
        CircuitError: for `n_twirls` below 1; for what is no engine.
        UnsupportedError: when other outputs than Pauli sums are asked for, or there are too many words to sum over.

    Source: van den Berg, Minev, Temme 2022, Phys. Rev. A 105, 032620.
    """

    def __init__(self, engine: Engine, n_twirls: int | None = 32, seed: int | Stream | None = None):
        super().__init__(engine)
        self.n_twirls = None if n_twirls is None else checked_count("n_twirls", n_twirls)
        self.stream = seed if isinstance(seed, Stream) else Stream(seed)
        self.gives = engine.gives & {"expectations"}
        self.walks_back, self.runs = self.gives, engine.runs
        self.is_exact = engine.is_exact and n_twirls is None
        if engine.shots is not None and self.n_twirls is not None:
            self.shots = engine.shots * self.n_twirls

    def evaluator(self, circuit: Circuit, outputs: Outputs) -> MitigatedEvaluator:
        assert isinstance(outputs, Expectations)
        words = tuple(dict.fromkeys(word for o in outputs.observables for _, word in o if word != (0, 0)))
        asked = Expectations(tuple(PauliSum({word: 1.0}) for word in words))
        coefficients = np.array([[float(np.real(o.terms.get(w, 0))) for w in words] for o in outputs.observables])
        constant = np.array([float(np.real(o.terms.get((0, 0), 0))) for o in outputs.observables])
        n, count = circuit.n_qubits, self.n_twirls
        if not words:
            raise UnsupportedError("observables are constants, expected Pauli words to measure")
        if count is None and 4**n > MOST_TWIRLS:
            raise UnsupportedError(f"{4**n:,} twirls of {n} qubits, expected at most {MOST_TWIRLS:,}; give n_twirls=32")
        everything = np.arange(4**n)[:, None] >> np.arange(2 * n) & 1 if count is None else None
        variants = self._variants(circuit, asked)
        stream = None if everything is not None else self.stream if variants.stream is None else variants.stream
        draw = lambda generator: generator.integers(2, size=(count, 2 * n))  # noqa: E731
        damping = [self._damping(n, w, everything if stream is None else draw(stream.generator())) for w in words]
        left = np.array([each.left for each in damping]), np.array([each.error for each in damping])

        def plan(batch: Batch, generator: np.random.Generator | None) -> Plan:
            bits = everything if generator is None else draw(generator)
            assert bits is not None
            return Plan(
                np.pi * bits, SignedMeans(_signs(bits, words), left, coefficients, constant, everything is None)
            )

        found = MitigatedEvaluator(circuit, variants, plan, outputs.size, None if stream is None else self.stream)
        found.prepared_runs = sum(each.runs for each in damping)
        found.prepared_shots = sum(each.shots for each in damping)
        return found

    def _variants(self, circuit: Circuit, asked: Expectations) -> Variants:
        inner, written = self.engine.running(circuit)
        marked, readout = without_readout(written.copy())
        marked.operations = [*marked.operations, place(range(circuit.n_qubits)), *readout]
        ready, n_settings = filled(marked)
        return SettingVariants(differentiable(inner, ready, asked, n_settings), n_settings)

    def _damping(self, n_qubits: int, word: Word, bits: np.ndarray | None) -> Damping:
        """Of a word, measured on its own eigenstate with twirls as in the circuit."""
        assert bits is not None
        circuit = Circuit(n_qubits)
        for qubit, letter in word_letters(word).items():
            for gate in _FROM_ZERO[letter]:
                circuit.append(gate, (), (qubit,))
        variants = self._variants(circuit, Expectations((PauliSum({word: 1.0}),)))
        estimate = variants.estimate(make_batch(circuit), np.pi * bits)
        signed = _signs(bits, (word,)) * estimate.values[:, 0]
        left, error = float(signed.mean()), float(np.sqrt((estimate.errors**2).sum())) / len(bits)
        if self.n_twirls is not None and len(bits) > 1:
            error = max(error, float(signed.std(ddof=1)) / len(bits) ** 0.5)
        if left <= max(_LEAST_LEFT, SIGNIFICANT * error):
            raise UnsupportedError(
                f"readout leaves {left:.3g} +- {error:.2g} of the word on qubits {tuple(word_letters(word))}, expected "
                "more than its noise; take more shots or shorter words"
            )
        return Damping(left, error, estimate.runs, estimate.shots)


def _signs(bits: np.ndarray, words: tuple[Word, ...]) -> np.ndarray:
    """-1 where a drawn word anticommutes with a measured one, (S, W), from bits x, z of each qubit (S, 2 n)."""
    n = bits.shape[1] // 2
    other = np.array([[w[k] >> q & 1 for q in range(n) for k in (1, 0)] for w in words])  # z meets x, x meets z
    return 1 - 2.0 * (bits @ other.T % 2)


@dataclass(frozen=True)
class Damping:
    """What readout leaves of a word, with its standard error, and what it took to measure that."""

    left: float
    error: float
    runs: int
    shots: int


@dataclass(frozen=True, eq=False)
class SignedMeans(Combination):
    """Means of words over twirls with the twirls' signs, divided by their damping and summed up.

    Shapes: signs (S, W), left a pair of (W,), coefficients (O, W), constant (O,).
    """

    signs: np.ndarray
    left: tuple[np.ndarray, np.ndarray]
    coefficients: np.ndarray
    constant: np.ndarray
    are_drawn: bool

    def _words(self, values: np.ndarray) -> np.ndarray:
        return np.einsum("sw,sbw->bw", self.signs, values) / (len(self.signs) * self.left[0])

    def combine(self, values: np.ndarray, errors: np.ndarray | None = None) -> np.ndarray:
        return self._words(values) @ self.coefficients.T + self.constant

    def pulled_back(self, values: np.ndarray, cotangents: np.ndarray) -> np.ndarray:
        of_words = cotangents @ self.coefficients / (len(self.signs) * self.left[0])
        return self.signs[:, None, :] * of_words

    def errors(self, values: np.ndarray, errors: np.ndarray) -> np.ndarray:
        """With those of the damping; of drawn twirls at least their scatter."""
        signed = self.signs[:, None, :] * values
        own = (errors**2).sum(axis=0) / len(signed) ** 2
        if self.are_drawn and len(signed) > 1:
            own = np.maximum(own, signed.var(axis=0, ddof=1) / len(signed))
        left, of_left = self.left
        squares = own / left**2 + (self._words(values) * of_left / left) ** 2
        return np.sqrt(squares @ self.coefficients.T**2)
