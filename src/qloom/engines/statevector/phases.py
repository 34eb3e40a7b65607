"""Final states whose global phase depends on inputs or weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from qloom.engines.base import DifferentiableEvaluator
from qloom.engines.batch import Batch
from qloom.engines.outputs import FinalState, Outputs

_LARGE = 1e6


class PhasedEvaluator(DifferentiableEvaluator):
    """The states of another evaluator times exp(i phase), where gates such as U3 turn the phase by their angles.

    Args:
        evaluator: of a program, for the state but for those phases.
        outputs: what it gives.
    """

    def __init__(self, evaluator: Any, outputs: FinalState):
        self.evaluator, self.linear, self.any_norm = evaluator, outputs.linear, evaluator.any_norm
        self.circuit, self.n_outputs, self.device = evaluator.circuit, evaluator.n_outputs, evaluator.device
        self.phases = [angle for angle in evaluator.program.phases if not angle.is_number]

    def forward(self, batch: Batch, keep: bool) -> tuple[np.ndarray, Any]:
        values, kept = self.evaluator.forward(batch, keep)
        return self._as_numbers(self._as_states(values) * self._factors(batch)), kept

    def backward(
        self, batch: Batch, cotangents: np.ndarray, kept: Any, wants: tuple[bool, bool]
    ) -> tuple[np.ndarray | None, np.ndarray | None]:
        turned = self._as_states(np.ascontiguousarray(cotangents, batch.dtype)) * self._factors(batch).conj()
        states = self._as_states(self.evaluator.forward(batch, keep=False)[0])
        self.evaluator.trained = self.trained
        d_inputs, d_weights = self.evaluator.backward(batch, self._as_numbers(turned), kept, wants)
        # The real part of <g| i state>.
        slopes = np.einsum("bi,bi->b", turned, states.conj()).imag
        for angle in self.phases:
            if angle.source == "input" and d_inputs is not None:
                d_inputs[:, angle.index] += angle.scale * slopes
            if angle.source == "weight" and d_weights is not None and self.wants_weight(angle.index):
                d_weights[..., angle.index] += angle.scale * (slopes if d_weights.ndim == 2 else slopes.sum())
        return d_inputs, d_weights

    def _factors(self, batch: Batch) -> np.ndarray:
        """exp(i phase), (B, 1)."""
        total = np.zeros(batch.size, np.longdouble)
        for angle in self.phases:
            slots = batch.inputs if angle.source == "input" else batch.weights
            total += _within_a_turn(np.longdouble(angle.scale) * slots[..., angle.index].astype(np.longdouble))
        return np.exp(1j * total.astype(np.float64))[:, None].astype(np.result_type(batch.dtype, np.complex64))

    def _as_states(self, numbers: np.ndarray) -> np.ndarray:
        """Outputs (B, 2 * 2^n) as complex amplitudes (B, 2^n)."""
        if not self.linear:
            return numbers.view(np.result_type(numbers.dtype, np.complex64))
        real, imaginary = np.hsplit(numbers, 2)
        return real + 1j * imaginary

    def _as_numbers(self, states: np.ndarray) -> np.ndarray:
        if not self.linear:
            return states.view(states.real.dtype)
        return np.hstack([states.real, states.imag])


def with_phases(evaluator: Any, outputs: Outputs) -> DifferentiableEvaluator:
    """An evaluator of a program; of states whose global phase depends on slots, with that phase."""
    if isinstance(outputs, FinalState) and not all(phase.is_number for phase in evaluator.program.phases):
        return PhasedEvaluator(evaluator, outputs)
    return evaluator  # type: ignore[no-any-return]


def _within_a_turn(phases: np.ndarray) -> np.ndarray:
    """Phases, in the longest floating point numbers there are, less their whole turns.

    Scales may be those of many thousand gates together: the digits beyond a double's keep 1e-12. Phases too large for
    that are taken for the doubles they are nearest to, whose sine and cosine are right at any size.
    """
    as_doubles = phases.astype(np.float64)
    exact = np.arctan2(np.sin(as_doubles), np.cos(as_doubles))
    return np.where(np.abs(phases) < _LARGE, np.remainder(phases, 8 * np.arctan(np.longdouble(1))), exact)
