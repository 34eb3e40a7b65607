"""Circuits on the engine inside a mitigated one, with derivatives."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.circuits.operations import Operation
from qloom.circuits.parameters import Angle
from qloom.engines.base import Derivatives, DifferentiableEvaluator, Engine, Wants
from qloom.engines.batch import Batch
from qloom.engines.outputs import Outputs
from qloom.gradients import prepare_gradient
from qloom.gradients.base import ForwardEvaluator


def differentiable(engine: Engine, circuit: Circuit, outputs: Outputs, n_settings: int = 0) -> DifferentiableEvaluator:
    """A circuit on an engine, the noise that this adds written out; derivatives by its own walk, or the shift rule.

    Args:
        n_settings: last inputs whose derivatives nobody asks for.
    """
    inner, written = engine.running(circuit)
    if inner.can_walk_back(outputs):
        return inner.prepare_adjoint(written, outputs)
    return ShiftedOnDemand(inner, written, outputs, n_settings)


class ShiftedOnDemand(ForwardEvaluator):
    """Values of an engine that does not walk back; what derivatives take is prepared when they are first asked for.

    Settings are weights of every sample there, frozen ones, so that nothing is shifted for them.
    """

    def __init__(self, engine: Engine, circuit: Circuit, outputs: Outputs, n_settings: int):
        super().__init__(engine.prepare(circuit, outputs))
        self._engine, self._outputs, self._n_settings = engine, outputs, n_settings

    @cached_property
    def _gradient(self) -> DifferentiableEvaluator:
        circuit = settings_as_weights(self.circuit, self._n_settings)
        found = prepare_gradient(circuit, self._outputs, self._engine)
        found.trained = self._with_settings(self.trained)
        return found

    def _with_settings(self, trained: np.ndarray | None) -> np.ndarray | None:
        """Which weights are trained, of the circuit's own and the frozen settings."""
        if self._n_settings == 0:
            return trained
        own = np.ones(self.circuit.n_weights, bool) if trained is None else trained
        return np.concatenate([own, np.zeros(self._n_settings, bool)])

    @property
    def walk_cost(self) -> int:  # type: ignore[override]
        return self._gradient.walk_cost

    def backward(self, batch: Batch, cotangents: np.ndarray, kept: Any, wants: Wants) -> Derivatives:
        self._gradient.trained = self._with_settings(self.trained)
        if self._n_settings == 0:
            return self._gradient.backward(batch, cotangents, None, wants)
        own, n_weights = batch.inputs.shape[1] - self._n_settings, self.circuit.n_weights
        shared = np.broadcast_to(batch.weights, (batch.size, n_weights))
        weights = np.concatenate([shared, batch.inputs[:, own:]], axis=1)
        inner = Batch(np.ascontiguousarray(batch.inputs[:, :own]), weights, False)
        d_inputs, d_weights = self._gradient.backward(inner, cotangents, None, wants)
        if d_inputs is not None:
            d_inputs = np.concatenate([d_inputs, np.zeros_like(batch.inputs[:, own:])], axis=1)
        if d_weights is not None:
            d_weights = d_weights[:, :n_weights]
            d_weights = d_weights.sum(axis=0) if batch.weights.ndim == 1 else d_weights
        return d_inputs, d_weights


def settings_as_weights(circuit: Circuit, n_settings: int) -> Circuit:
    """The circuit with its last inputs as weights behind its own."""
    own, n_weights = circuit.n_inputs - n_settings, circuit.n_weights

    def moved(angle: Angle) -> Angle:
        if angle.source != "input" or angle.index < own:
            return angle
        return replace(angle, source="weight", index=n_weights + angle.index - own)

    out = Circuit(circuit.n_qubits)
    out.inputs(own)
    out.weights(n_weights + n_settings)
    out.initial = circuit.initial
    out.operations = [Operation(op.gate, op.qubits, tuple(map(moved, op.angles))) for op in circuit.operations]
    return out
