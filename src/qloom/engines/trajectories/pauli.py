"""Trajectories of circuits with Pauli noise: lanes of the state-vector engine with some rotations turned round.

What a call draws is a few bits a trajectory: which rotations turn the other way, and which of what is measured changes
its sign. Equal trajectories of a sample are run once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from qloom import _native
from qloom.circuits.circuit import Circuit
from qloom.circuits.parameters import Angle
from qloom.engines.base import Derivatives, DifferentiableEvaluator, Estimate, Wants
from qloom.engines.batch import MOST_NUMBERS, Batch, check_memory
from qloom.engines.outputs import Outputs
from qloom.engines.streams import Stream
from qloom.engines.trajectories.lanes import lanes_of
from qloom.engines.trajectories.lowering import lowered
from qloom.engines.trajectories.pieces import Piece, pieces
from qloom.engines.trajectories.rates import Drawn, Rates
from qloom.errors import ShapeError


@dataclass(eq=False, slots=True)
class _Run:
    """What was drawn for a piece, and found.

    Shapes: flips (D, numbers) of distinct trajectories, None where nothing is flipped; samples (D,) which of the batch
    each is of; places (rows,) of each among the distinct; signs (rows, numbers); values (D, V).
    """

    flips: np.ndarray | None
    samples: np.ndarray
    places: np.ndarray
    signs: np.ndarray
    inputs: np.ndarray
    weights: np.ndarray
    values: np.ndarray | None = None
    kept: Any = None


@dataclass(eq=False, slots=True)
class _Call:
    """One call's random numbers, and what it found.

    Shapes: means, squares (B, O).
    """

    place: np.ndarray
    drawn: Drawn
    pieces: list[Piece]
    means: np.ndarray
    squares: np.ndarray | None
    runs: list[_Run] | None


class PauliEvaluator(DifferentiableEvaluator):
    """Means over trajectories of a circuit whose channels are all Pauli channels."""

    stream: Stream

    def __init__(
        self, circuit: Circuit, outputs: Outputs, n_trajectories: int, stream: Stream, n_threads: int,
        machine: Any = None,
    ):  # fmt: skip
        found = lowered(circuit, outputs)
        self.circuit, self.n_outputs, self.any_norm = circuit.copy(), outputs.size, outputs.any_norm
        self.n_trajectories, self.stream, self.n_threads = n_trajectories, stream, n_threads
        self._errors, self._measured, self._n_values = found.errors, found.measured, found.n_values
        self._rates = Rates(found.channels, found.errors)
        self._native = found.native
        self.reads_tensors = machine is None and n_trajectories == 1 and self._rates.fixed is not None
        self.device = "cpu" if machine is None else machine.device.type
        self._n_flips, self._n_signs = found.errors.n_flips, found.errors.n_signs
        self._lanes = lanes_of(circuit, found.program, found.native, found.n_values, n_threads, machine)

    def __reduce__(self) -> Any:
        raise TypeError("an evaluator is not pickled; pickle the circuit and prepare it again")

    @property
    def is_noisy(self) -> bool:
        """Whether any channel changes anything that is asked for."""
        return self._rates.n_channels > 0

    # -- forward

    def forward(self, batch: Batch, keep: bool) -> tuple[np.ndarray, Any]:
        call = self._call(batch, keep)
        return call.means.astype(batch.dtype), call if keep else None

    def estimate(self, batch: Batch) -> Estimate:
        """Errors are those of the spread of trajectories, infinite of a single one: it says nothing of its spread."""
        call, n = self._call(batch, keep=False, spread=True), self.n_trajectories
        assert call.squares is not None
        if n == 1:
            errors = np.full_like(call.means, np.inf if self.is_noisy else 0.0)
        else:
            errors = np.sqrt(call.squares / (n - 1) / n)
        return Estimate(call.means.astype(batch.dtype), errors.astype(batch.dtype), batch.size * n)

    def _call(self, batch: Batch, keep: bool, spread: bool = False) -> _Call:
        self._check(batch)
        place, drawn = self.stream.call(), self._rates.at(batch)
        means = np.zeros((batch.size, self.n_outputs))
        cut = list(pieces(batch.size, self.n_trajectories, self._numbers_a_row(batch)))
        call = _Call(place, drawn, cut, means, np.zeros_like(means) if spread else None, None)
        call.runs = [] if keep and len(call.pieces) < 2 else None
        for piece in call.pieces:
            run = self._drawn(call, piece, batch)
            self._run(run, keep=call.runs is not None)
            squares = None if call.squares is None else call.squares[piece.samples]
            _native.add_values(
                self._measured, piece.rows, run.values, run.places, run.signs, means[piece.samples], squares
            )
            if call.runs is not None:
                call.runs.append(run)
        return call

    def _numbers_a_row(self, batch: Batch) -> int:
        own = self.circuit.n_weights if batch.weights.ndim == 2 else 0
        return self.circuit.n_inputs + own + self._n_values + self._n_flips + self._n_signs + 1

    def _drawn(self, call: _Call, piece: Piece, batch: Batch) -> _Run:
        rows, size, part = piece.rows, piece.size, piece.samples
        flips, signs = np.empty((size, self._n_flips), np.uint64), np.empty((size, self._n_signs), np.uint64)
        samples, places = np.empty(size, np.int64), np.empty(size, np.int64)
        count, plain = self._errors.draw(
            *call.drawn.rows(part), call.place, rows, flips, signs, samples, places, self.n_threads
        )
        samples = samples[:count] if rows[0] == 0 else samples[:count] + rows[0]
        weights = batch.weights if batch.weights.ndim == 1 else batch.weights[samples]
        return _Run(None if plain == count else flips[:count], samples, places, signs, batch.inputs[samples], weights)

    def _run(self, run: _Run, keep: bool) -> None:
        run.values = np.empty((len(run.samples), self._n_values), run.inputs.dtype)
        run.kept = self._lanes.forward_into(run.values, run.inputs, run.weights, keep, run.flips)

    # -- one trajectory of every sample, with errors of fixed rates: arrays of any library, in one call each way

    def forward_into(self, values: Any, inputs: Any, weights: Any, keep: bool) -> Any:
        """Fill `values` (B, O) and give back what `forward` would beside it."""
        self._lanes.check(inputs, weights, states=2 if keep else 1)
        kept = self._lanes.room_for(inputs.shape[0], inputs.itemsize) if keep else None
        drawn = self._rates.fixed
        assert drawn is not None
        single = _native.run_single(
            self._native, self._errors, self._measured, drawn.probabilities, drawn.hazards, self.stream.call(),
            inputs, weights, values, kept, self.n_threads,
        )  # fmt: skip
        return (single, kept) if keep else None

    def backward_into(
        self, d_inputs: Any, d_weights: Any, inputs: Any, weights: Any, cotangents: Any, kept: Any
    ) -> None:
        """Fill `d_inputs` and `d_weights`, shaped as inputs and weights; None is not wanted."""
        expected = (inputs.shape[0], self.n_outputs)
        if cotangents.shape != expected:
            raise ShapeError(f"cotangents has shape {tuple(cotangents.shape)}, expected {expected}")
        if kept is None:
            values = np.empty(expected, np.float32 if inputs.itemsize == 4 else np.float64)
            kept = self.forward_into(values, inputs, weights, keep=True)
        single, states = kept
        self._lanes.check(inputs, weights, states=2 if states is None else 1, with_outputs=False)
        single.walk_back(
            self._native, self._measured, inputs, weights, cotangents, states, d_inputs, d_weights,
            None if self.trained is None else self.trained.view(np.uint8), self.n_threads,
        )  # fmt: skip

    # -- backward

    def backward(self, batch: Batch, cotangents: np.ndarray, kept: Any, wants: Wants) -> Derivatives:
        if cotangents.shape != (batch.size, self.n_outputs):
            raise ShapeError(f"cotangents has shape {cotangents.shape}, expected {(batch.size, self.n_outputs)}")
        call = self._call(batch, keep=True) if kept is None else kept
        cotangents = np.ascontiguousarray(cotangents, batch.dtype)
        d_inputs = np.zeros(batch.inputs.shape, batch.dtype) if wants[0] else None
        d_weights = np.zeros(batch.weights.shape) if wants[1] else None

        def array(angle: Angle) -> Any:
            if angle.is_number:
                return None
            return d_inputs if angle.source == "input" else d_weights if self.wants_weight(angle.index) else None

        scores = np.zeros_like(call.drawn.probabilities) if self._rates.wants(array) else None
        for k, piece in enumerate(call.pieces):
            run = self._drawn(call, piece, batch) if call.runs is None else call.runs[k]
            if scores is not None:
                self._score(call, piece, run, cotangents, scores)
            self._walk_back(piece, run, cotangents[piece.samples], d_inputs, d_weights)
        if scores is not None:
            self._rates.add_slopes(batch, scores, call.drawn, array)
        return d_inputs, None if d_weights is None else d_weights.astype(batch.dtype)

    def _walk_back(self, piece: Piece, run: _Run, cotangents: np.ndarray, d_inputs: Any, d_weights: Any) -> None:
        spread = np.empty((len(run.samples), self._n_values), cotangents.dtype)
        _native.spread_cotangents(self._measured, piece.rows, cotangents, run.places, run.signs, spread)
        own_inputs = None if d_inputs is None else np.empty_like(run.inputs)
        own_weights = None if d_weights is None else np.empty_like(run.weights)
        self._lanes.trained = self.trained
        self._lanes.backward_into(own_inputs, own_weights, run.inputs, run.weights, spread, run.kept, run.flips)
        if own_weights is not None:
            _add(d_weights, run.samples, own_weights)
        if own_inputs is not None and len(run.samples) == piece.rows[1] and piece.rows[4] == piece.rows[2]:
            d_inputs[run.samples] = own_inputs  # one of every sample
        elif own_inputs is not None:
            _add(d_inputs, run.samples, own_inputs)

    def _score(self, call: _Call, piece: Piece, run: _Run, cotangents: np.ndarray, scores: np.ndarray) -> None:
        """What each trajectory's value is above the mean of the others, over their number, to what it drew."""
        if run.values is None:
            self._run(run, keep=True)
        weights = np.empty(piece.size)
        own = cotangents[piece.samples]
        _native.weigh_values(self._measured, piece.rows, own, run.values, run.places, run.signs, weights)
        n = self.n_trajectories
        if n > 1:
            means = (own * call.means[piece.samples]).sum(axis=1)
            weights = (weights - np.repeat(means, piece.rows[4])) / (n - 1)
        part = scores if len(scores) == 1 else scores[piece.samples]
        self._errors.scores(*call.drawn.rows(piece.samples), call.place, piece.rows, weights, part)

    def _check(self, batch: Batch) -> None:
        program = self._lanes.program
        if program.n_qubits >= 20 or batch.size * self.n_outputs > MOST_NUMBERS:
            rows = min(batch.size * self.n_trajectories, MOST_NUMBERS)
            needed = self._lanes.bytes_needed(min(rows, self.n_threads), batch.dtype.itemsize, 2, 2)
            check_memory(needed + 24 * batch.size * self.n_outputs, f"trajectories of {program.n_qubits} qubits")


def _add(total: np.ndarray, samples: np.ndarray, own: np.ndarray) -> None:
    """Adds derivatives of distinct trajectories to those of their samples, or of all."""
    if total.ndim == 1:
        total += own
    else:
        np.add.at(total, samples, own)
