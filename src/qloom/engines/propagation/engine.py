"""The engine of wide circuits: what is cut, and which evaluator a circuit gets."""

from __future__ import annotations

from typing import Any

from qloom import _native
from qloom.circuits.circuit import Circuit
from qloom.circuits.kinds import NOISY
from qloom.engines.base import DifferentiableEvaluator, Engine, checked_threads
from qloom.engines.batch import make_batch
from qloom.engines.outputs import Outputs
from qloom.engines.propagation.cuts import Cuts, checked_tolerance
from qloom.engines.propagation.evaluator import PropagationEvaluator
from qloom.engines.propagation.surrogate import Surrogate
from qloom.errors import CircuitError, UnsupportedError


class PropagationEngine(Engine):
    """Expectation values of circuits of up to 1,024 qubits: observables run backwards as sums of Pauli words.

    A rotation about P turns a word W that anticommutes with it into cos(a) W + sin(a) W', W' = -i W P up to its sign:
    words become more. Those that a cut names are dropped, and the sum of their coefficients bounds what that can have
    changed: `evaluator.estimate` gives it as `bounds`. Without a cut, values are exact for as long as words have room.
    Noise multiplies words by numbers below 1, and makes cuts better.

    Derivatives are those of the values as they were cut: a branch that was dropped has no slope. An angle of exactly 0
    brings a branch with coefficient 0, which `min_coefficient` above 0 drops: begin with small angles.

    Args:
        min_coefficient: a word stays if its coefficient is larger, in some sample of the 64 that share a set of words.
        max_weight: letters that a word may have.
        max_words: of one observable; when there are a quarter more, the smallest are dropped.
        max_frequency: rotations that may have turned a word, on the shortest way to it. Words that are over it, or too
            small, are dropped when they are an eighth of all.
        tolerance: of values. Alone, `min_coefficient` is made smaller until no bound is larger; beside other cuts a
            bound that is larger is refused.
        warns: whether a bound above the tolerance is a warning, where it would be refused.
        threads: how many to use; None for all this process may run on. Results do not depend on it.

    Raises:
        CircuitError: for a cut, a tolerance or a number of threads that cannot be.

    Source: Begusic, Gray, Chan 2023, arXiv:2308.05077; Rudolph, Jones, Teng, Angrisani, Holmes 2025, arXiv:2505.21606.
    """

    gives = walks_back = frozenset({"expectations"})
    runs = NOISY
    is_bounded = True

    def __init__(
        self, min_coefficient: float | None = None, max_weight: int | None = None, max_words: int | None = None,
        max_frequency: int | None = None, tolerance: float | None = None, warns: bool = False,
        threads: int | None = None,
    ):  # fmt: skip
        self.cuts = Cuts(min_coefficient, max_weight, max_words, max_frequency)
        self.tolerance = checked_tolerance(tolerance)
        if type(warns) is not bool:
            raise CircuitError(f"warns={warns!r}, expected True or False")
        self.warns = warns
        self.threads = checked_threads(threads)
        self.is_exact = not self.cuts.any and tolerance is None

    def __repr__(self) -> str:
        given: dict[str, Any] = {**self.cuts.given, "tolerance": self.tolerance, "threads": self.threads}
        given["warns"] = self.warns or None
        return f"PropagationEngine({', '.join(f'{k}={v}' for k, v in given.items() if v is not None)})"

    @property
    def chooses(self) -> bool:
        """Whether the least coefficient is chosen by the tolerance."""
        return self.tolerance is not None and not self.cuts.any

    def surrogate(
        self, circuit: Circuit, observables: Any = None, inputs: Any = None, weights: Any = None
    ) -> Surrogate:
        """Find words at some samples, for values at other angles: an engine for this circuit and these observables.

        A word stays if any of the samples needs it, which share one set of words however many they are: give those
        that show where inputs and weights will be. Without cuts, or cut by `max_weight` and `max_frequency` alone,
        words are the same at any angles.

        Args:
            circuit: the circuit.
            observables: a Pauli sum or several; None for Z on every qubit.

        Shapes: inputs (B, I) or (I,), weights (W,) or (B, W).

        Raises:
            UnsupportedError: for other outputs than Pauli sums, or readout errors.
            MemoryLimitError: where words, or what is written down, have no room.
        """
        evaluator = self.prepare(circuit, observables)
        if not isinstance(evaluator, PropagationEvaluator):
            raise UnsupportedError(
                "a surrogate is of expectation values without readout errors; wrap it in Noisy, which adds those"
            )
        recorded, least = evaluator.record(make_batch(circuit, inputs, weights))
        cuts = self.cuts if least is None else Cuts(least)
        return Surrogate(recorded, cuts, self.tolerance, self.warns, self.threads)

    @property
    def n_threads(self) -> int:
        """Threads that are used: `threads`, or all that this process may run on."""
        return self.threads or _native.available_threads()

    def evaluator(self, circuit: Circuit, outputs: Outputs) -> DifferentiableEvaluator:
        return PropagationEvaluator(circuit, outputs, self)
