"""Trajectories of circuits with any channels: a state vector each, and at every channel one of its Kraus operators.

An operator is drawn with the probability |K psi|^2 that the state gives it, so values are unbiased. Derived is the mean
of the unnormalised <psi|O|psi> over paths, divided by the probability of the path that was drawn: its slopes are
unbiased too, by rates and by angles before a channel, which change those probabilities. Against their spread the mean
of a sample's other trajectories is taken off O. In double precision, whatever the arrays are.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.circuits.parameters import Angle
from qloom.engines.base import Derivatives, DifferentiableEvaluator, Estimate, Wants
from qloom.engines.batch import Batch
from qloom.engines.outputs import Outputs
from qloom.engines.streams import Stream
from qloom.engines.trajectories.pieces import pieces
from qloom.engines.trajectories.steps import Given, part_of
from qloom.errors import ShapeError


class BranchingEvaluator(DifferentiableEvaluator):
    """Means over trajectories of a circuit with channels of any kind."""

    stream: Stream

    def __init__(self, circuit: Circuit, outputs: Outputs, n_trajectories: int, stream: Stream, n_threads: int):
        self._given = Given(circuit, outputs)
        self._steps, self._rates, self._operators = self._given.steps, self._given.rates, self._given.operators
        self.circuit, self.n_outputs, self.any_norm = circuit.copy(), outputs.size, outputs.any_norm
        self.n_trajectories, self.stream, self.n_threads = n_trajectories, stream, n_threads

    def __reduce__(self) -> Any:
        raise TypeError("an evaluator is not pickled; pickle the circuit and prepare it again")

    def forward(self, batch: Batch, keep: bool) -> tuple[np.ndarray, Any]:
        place, means, _ = self._means(batch)
        return means.astype(batch.dtype), (place, means) if keep else None

    def estimate(self, batch: Batch) -> Estimate:
        """Errors are those of the spread of trajectories, infinite of a single one: it says nothing of its spread."""
        _, means, squares = self._means(batch)
        n = self.n_trajectories
        errors = np.sqrt(squares / (n - 1) / n) if n > 1 else np.full_like(means, np.inf)
        return Estimate(means.astype(batch.dtype), errors.astype(batch.dtype), batch.size * n)

    def _means(self, batch: Batch) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Where the random numbers stand, means and sums of squared differences from them (B, O)."""
        self._given.check(1, self.n_threads)
        place = self.stream.call()
        means, squares = np.zeros((batch.size, self.n_outputs)), np.zeros((batch.size, self.n_outputs))
        numbers = self._given.numbers(batch)
        for piece in pieces(batch.size, self.n_trajectories, self.n_outputs):
            samples, rows = piece.samples, piece.rows
            values = np.empty((rows[1], rows[4], self.n_outputs))
            self._steps.native.forward(*(part_of(n, samples) for n in numbers), place, rows, values, self.n_threads)
            before, mine = means[samples].copy(), values.mean(axis=1)
            total, share = rows[3] + rows[4], rows[4] / (rows[3] + rows[4])
            squares[samples] += ((values - mine[:, None]) ** 2).sum(axis=1)
            squares[samples] += (mine - before) ** 2 * rows[3] * rows[4] / total
            means[samples] = before + (mine - before) * share
        return place, means, squares

    def backward(self, batch: Batch, cotangents: np.ndarray, kept: Any, wants: Wants) -> Derivatives:
        if cotangents.shape != (batch.size, self.n_outputs):
            raise ShapeError(f"cotangents has shape {cotangents.shape}, expected {(batch.size, self.n_outputs)}")
        self._given.check(3 + len(self._steps.channels), self.n_threads)
        place, means = self._means(batch)[:2] if kept is None else kept
        d_inputs = np.zeros(batch.inputs.shape) if wants[0] else None
        d_weights = np.zeros(batch.weights.shape) if wants[1] else None

        def array(angle: Angle) -> Any:
            if angle.is_number:
                return None
            return d_inputs if angle.source == "input" else d_weights if self.wants_weight(angle.index) else None

        self._walk_back(batch, np.ascontiguousarray(cotangents, np.float64), place, means, array, d_inputs)
        found = [None if d is None else d.astype(batch.dtype) for d in (d_inputs, d_weights)]
        return found[0], found[1]

    def _walk_back(self, batch: Batch, cotangents: Any, place: Any, means: Any, array: Any, d_inputs: Any) -> None:
        numbers, size = self._given.numbers(batch), batch.size
        scores = np.zeros((size, numbers[1].shape[1])) if self._rates.wants(array) else None
        d_angles = np.zeros((size, len(self._steps.angles)))
        slopes = self._operators.slopes(batch, array)
        d_rates = np.zeros((size, len(slopes.rates)))
        initial = self.circuit.initial
        starts = d_inputs is not None and initial is not None and initial.values is None
        d_start = np.zeros((size, 2**self.circuit.n_qubits), complex) if starts else None
        for piece in pieces(batch.size, self.n_trajectories, self.n_outputs):
            samples, rows = piece.samples, piece.rows
            out = [None if d is None else d[samples] for d in (d_angles, scores, d_rates, d_start)]
            self._steps.native.backward(
                *(part_of(n, samples) for n in numbers), place, rows, cotangents[samples], means[samples],
                slopes.places, part_of(slopes.entries, samples), *out, self.n_threads,
            )  # fmt: skip
        for column, angle in enumerate(self._steps.angles):
            if (total := array(angle)) is not None:
                found = angle.scale * d_angles[:, column]
                total[..., angle.index] += found if total.ndim == 2 else found.sum()
        if scores is not None:
            drawn = self._rates.at(batch)
            pooled = scores if len(drawn.probabilities) == size else scores.sum(axis=0, keepdims=True)
            self._rates.add_slopes(batch, pooled, drawn, array)
        slopes.add(d_rates, array)
        if d_start is not None:
            self._add_amplitudes(d_start, d_inputs)

    def _add_amplitudes(self, d_start: np.ndarray, d_inputs: np.ndarray) -> None:
        initial, size = self.circuit.initial, d_start.shape[1]
        assert initial is not None
        assert initial.real is not None
        d_inputs[:, initial.real : initial.real + size] += d_start.real
        if initial.imaginary is not None:
            d_inputs[:, initial.imaginary : initial.imaginary + size] += d_start.imag
