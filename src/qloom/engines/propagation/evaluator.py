"""Observables run backwards: values with bounds, and their derivatives."""

from __future__ import annotations

import hashlib
import json
import warnings
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from qloom import _native
from qloom.circuits.circuit import Circuit
from qloom.engines.base import Derivatives, DifferentiableEvaluator, Estimate, Wants
from qloom.engines.batch import Batch, available_memory, check_shapes
from qloom.engines.outputs import Expectations, Outputs
from qloom.engines.propagation.factors import Factors
from qloom.engines.propagation.steps import native_program, steps_of
from qloom.errors import MemoryLimitError, ShapeError, UnsupportedError
from qloom.programs.masks import MOST_QUBITS, pack

if TYPE_CHECKING:
    from qloom.engines.propagation.engine import PropagationEngine
    from qloom.engines.propagation.surrogate import Surrogate

# Words of walks that stay for the way back; others are run again.
_MOST_KEPT_BYTES = 1 << 28
# Of the memory that is free, what words may take; a table that grows has two copies for a while.
_SHARE_OF_MEMORY = 0.5
# Coefficients that a tolerance begins with, and by what it makes them smaller.
_FIRST_COEFFICIENT, _SMALLER, _LEAST_COEFFICIENT = 0.1, 8.0, 1e-15


class Found(NamedTuple):
    """Of every output.

    Shapes: values, bounds, typical (B, O); words (O,), the most that a step left in some walk.
    """

    values: np.ndarray
    bounds: np.ndarray
    typical: np.ndarray
    words: np.ndarray


class _Kept(NamedTuple):
    """What a walk back begins from: the least coefficient, numbers of channels, and walks that stayed."""

    least: float | None
    factors: np.ndarray
    walks: Any


class PropagationEvaluator(DifferentiableEvaluator):
    """A circuit's steps in the native engine's hands.

    The walk back finds coefficients again from what they became. It needs room for the words that stayed, and for those
    that stayed for a while; of all coefficients a copy is kept each time that finding them again would cost three
    digits.
    """

    walk_cost = 3

    def __init__(
        self, circuit: Circuit, outputs: Outputs, engine: PropagationEngine | Surrogate,
        recorded: Recorded | None = None,
    ):  # fmt: skip
        assert isinstance(outputs, Expectations)
        if circuit.n_qubits > MOST_QUBITS:
            raise UnsupportedError(f"the circuit has {circuit.n_qubits} qubits, PropagationEngine takes {MOST_QUBITS}")
        if circuit.initial is not None:
            raise UnsupportedError(
                "the circuit starts from amplitudes, PropagationEngine from |0..0> only; give gates that prepare the "
                "state"
            )
        self.circuit, self.engine = circuit.copy(), engine
        self.outputs, self.n_outputs = outputs, outputs.size
        self._program = _compiled(self.circuit)
        self._native = self._program.native(outputs) if recorded is None else recorded.program
        self._recordings = None if recorded is None else recorded.native

    def __reduce__(self) -> Any:  # the native program is made again from the circuit
        raise TypeError("an evaluator is not pickled; pickle the circuit and prepare it again")

    def forward(self, batch: Batch, keep: bool) -> tuple[np.ndarray, Any]:
        found, kept = self._found(batch, keep)
        return found.values.astype(batch.dtype), kept

    def estimate(self, batch: Batch) -> Estimate:
        found, _ = self._found(batch, keep=False)
        zeros = np.zeros(found.values.shape, batch.dtype)
        return Estimate(
            found.values.astype(batch.dtype), zeros, runs=batch.size, bounds=found.bounds, typical=found.typical
        )

    def propagated(self, batch: Batch) -> Found:
        """Values with bounds and numbers of words."""
        return self._found(batch, keep=False)[0]

    def backward(self, batch: Batch, cotangents: np.ndarray, kept: Any, wants: Wants) -> Derivatives:
        self._check(batch)
        if cotangents.shape != (batch.size, self.n_outputs):
            raise ShapeError(f"cotangents has shape {tuple(cotangents.shape)}, expected {(batch.size, self.n_outputs)}")
        if not batch.size:
            return np.zeros_like(batch.inputs) if wants[0] else None, np.zeros_like(batch.weights) if wants[1] else None
        if kept is None:
            _, kept = self._found(batch, keep=True)
        factors = self._factors(batch)
        inputs, weights = (np.ascontiguousarray(array, np.float64) for array in (batch.inputs, batch.weights))
        d_inputs, d_weights = np.zeros(inputs.shape), np.zeros(weights.shape)
        by_factors = np.zeros(kept.factors.shape) if kept.factors.size else None
        self._raise_if_full(_native.propagation_backward(
            self._native, inputs, weights, kept.factors, self._cuts(kept.least, batch.size),
            np.ascontiguousarray(cotangents, np.float64), d_inputs, d_weights, by_factors, kept.walks,
            self._recordings, self.engine.n_threads,
        ))  # fmt: skip
        if by_factors is not None:
            factors.add_slopes(batch, by_factors, d_inputs, d_weights)
        if self.trained is not None:
            d_weights[..., ~self.trained] = 0
        return (
            d_inputs.astype(batch.dtype) if wants[0] else None,
            d_weights.astype(batch.dtype) if wants[1] else None,
        )

    def record(self, batch: Batch) -> tuple[Recorded, float | None]:
        """What walks of these samples do, written down, and the least coefficient, where it was chosen."""
        self._check(batch)
        if not batch.size:
            raise ShapeError("inputs has 0 rows, expected at least one sample to find words at")
        _, kept = self._found(batch, keep=True) if self.engine.chooses else (None, None)
        least = kept.least if kept else None
        recorded = Recorded(self.circuit, self.outputs)
        inputs, weights = (np.ascontiguousarray(array, np.float64) for array in (batch.inputs, batch.weights))
        self._raise_if_full(_native.propagation_record(
            recorded.program, inputs, weights, self._factors(batch).values(batch), self._cuts(least, 1),
            recorded.native, self.engine.n_threads,
        ))  # fmt: skip
        return recorded, least

    # -- values

    def _found(self, batch: Batch, keep: bool) -> tuple[Found, _Kept | None]:
        """As cut as the engine says; where it has a tolerance alone, cut less until that is met."""
        self._check(batch)
        tolerance = self.engine.tolerance
        chooses = self.engine.chooses
        least = _FIRST_COEFFICIENT * min(1.0, tolerance) if chooses and tolerance is not None else None
        while True:
            found, kept = self._run(batch, least, keep)
            reached = float(found.bounds.max(initial=0))
            if tolerance is None or reached <= tolerance:
                return found, kept
            if not chooses:
                self._say_bound(reached, tolerance)
                return found, kept
            assert least is not None
            least = least / _SMALLER if least > _LEAST_COEFFICIENT else 0.0

    def _say_bound(self, reached: float, tolerance: float) -> None:
        said = (
            f"the bound of the error is {reached:.3g}, above the tolerance {tolerance:g}, with {self.engine!r}; "
            "cut less, or give tolerance alone"
        )
        if not self.engine.warns:
            raise UnsupportedError(said)
        warnings.warn(said, stacklevel=4)

    def _run(self, batch: Batch, least: float | None, keep: bool) -> tuple[Found, _Kept | None]:
        shape = batch.size, self.n_outputs
        values, bounds, squares = (np.zeros(shape) for _ in range(3))
        words = np.zeros(self.n_outputs, np.int64)
        factors = self._factors(batch).values(batch)
        walks = _native.PropagationWalks(_MOST_KEPT_BYTES) if keep else None
        if batch.size:
            inputs, weights = (np.ascontiguousarray(array, np.float64) for array in (batch.inputs, batch.weights))
            self._raise_if_full(_native.propagation_forward(
                self._native, inputs, weights, factors, self._cuts(least, batch.size), values, bounds, squares, words,
                walks, self._recordings, self.engine.n_threads,
            ))  # fmt: skip
        return Found(values, bounds, np.sqrt(squares), words), _Kept(least, factors, walks) if keep else None

    def _cuts(self, least: float | None, size: int) -> Any:
        walks = self.n_outputs * -(-size // _native.propagation_lanes)
        at_once = max(1, min(self.engine.n_threads, walks))
        return self.engine.cuts.native(int(available_memory() * _SHARE_OF_MEMORY) // at_once, least)

    def _raise_if_full(self, report: tuple[bool, int, int, float]) -> None:
        is_full, step, words, bound = report
        if not is_full:
            return
        steps = self._program.n_steps
        raise MemoryLimitError(
            f"{words:,} Pauli words are more than memory has room for, {steps - step} of {steps} steps back through "
            f"the circuit, where the bound of the error was {bound:.3g}; give a larger min_coefficient, or max_words"
        )

    def _factors(self, batch: Batch) -> Factors:
        return self._program.factors[batch.weights.ndim == 2]

    def _check(self, batch: Batch) -> None:
        check_shapes(batch.inputs, batch.weights, self.circuit.n_inputs, self.circuit.n_weights)


class Recorded:
    """Walks of a circuit and its observables, written down; empty at first."""

    def __init__(self, circuit: Circuit, outputs: Expectations):
        self.circuit, self.outputs = circuit.copy(), outputs
        steps = _compiled(self.circuit)
        self.program, self.steps_sha256 = steps.native(outputs), steps.sha256
        self.native = _native.PropagationRecordings()

    def append(self, n_slots: int, *arrays: np.ndarray) -> None:
        """One of the next observable; ValueError where it does not fit the circuit."""
        self.native.append(self.program, n_slots, *arrays)


class _Program:
    """A circuit's steps, for any observables."""

    def __init__(self, circuit: Circuit):
        self.n_qubits = circuit.n_qubits
        self._steps = list(steps_of(circuit))
        self.n_steps = len(self._steps)
        self.factors = Factors(self._steps, own_weights=False), Factors(self._steps, own_weights=True)

    @property
    def sha256(self) -> str:
        """What tells the steps from those of other circuits, or of a version that makes them otherwise."""
        steps = [(s.kind, s.qubits, s.letters, s.angle.to_json(), s.quarters) for s in self._steps]
        return hashlib.sha256(json.dumps(steps).encode()).hexdigest()

    def native(self, outputs: Expectations) -> Any:
        """The steps with what is measured behind them."""
        native = native_program(self.n_qubits, self._steps)
        terms = [(word, c.real, o) for o, one in enumerate(outputs.observables) for c, word in one]
        native.measure(
            outputs.size,
            pack((word[0] for word, _, _ in terms), self.n_qubits),
            pack((word[1] for word, _, _ in terms), self.n_qubits),
            np.array([c for _, c, _ in terms], np.float64),
            np.array([o for _, _, o in terms], np.int64),
        )
        return native


_compiled = lru_cache(maxsize=32)(_Program)
