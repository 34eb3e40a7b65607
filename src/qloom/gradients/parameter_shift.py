"""Parameter shift: each derivative from two values of the same circuit, also with shots and on hardware.

Every gate is a product of Pauli rotations exp(-i a P / 2), so one rule serves all,
df/da = (f(a + pi/2) - f(a - pi/2)) / 2, taken for each rotation by itself and added up over slots by the chain rule.

Source: Schuld et al. 2019, Phys. Rev. A 99, 032331.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.circuits.gates import pauli_rotation_gate
from qloom.circuits.parameters import Angle, as_angle
from qloom.engines.base import AdjointEvaluator, Engine, Evaluator, FinalState, as_outputs
from qloom.engines.batch import Batch
from qloom.engines.shots import ShotEvaluator
from qloom.engines.streams import Stream
from qloom.errors import CircuitError, UnsupportedError
from qloom.gradients.base import Derivatives, Differentiator, ForwardEvaluator, Wants

# Shifted circuits are evaluated in batches of at most this many samples.
_MOST_AT_ONCE = 1 << 14


class ParameterShift(Differentiator):
    """Exact on exact values, unbiased with shots; two evaluations a rotation and sample."""

    def prepare(
        self, engine: Engine, circuit: Circuit, observables: Any = None, *, shots: int | None = None,
        seed: Any = None,
    ) -> AdjointEvaluator:  # fmt: skip
        if isinstance(as_outputs(circuit, observables), FinalState):
            raise UnsupportedError(
                'parameter shift is for what is measured, not for states; use differentiator="adjoint"'
            )
        free, angles = free_rotations(circuit)
        stream = seed if isinstance(seed, Stream) else Stream(seed)  # of values and of slopes
        values, shifted = (engine.prepare(c, observables, shots=shots, seed=stream) for c in (circuit, free))
        return ShiftEvaluator(values, shifted, angles)


def free_rotations(circuit: Circuit) -> tuple[Circuit, list[Angle]]:
    """The circuit with a further input for every rotation that has a slot, and the angles those stand for."""
    free = Circuit(circuit.n_qubits)
    free.inputs(circuit.n_inputs)
    free.initial = circuit.initial
    angles: list[Angle] = []
    for op in circuit.operations:
        if all(angle.is_number for angle in op.angles):
            free.append(op.gate, op.angles, op.qubits)
            continue
        for letters, scalar in op.gate.expansion(*op.angles).rotations:
            angle = as_angle(scalar)
            if not angle.is_number:
                angles.append(angle)
                angle = free.inputs(1)[0]
            free.append(pauli_rotation_gate(letters), (angle,), op.qubits)
    return free, angles


class FreeAngles:
    """The angles of free rotations, and how inputs and weights give them."""

    def __init__(self, angles: list[Angle]):
        self.angles = angles
        self.of_inputs = np.array([angle.source == "input" for angle in angles], bool)
        self.index = np.array([angle.index for angle in angles], int)
        self.scale, self.offset = (np.array([getattr(angle, name) for angle in angles]) for name in ("scale", "offset"))

    def inputs(self, batch: Batch) -> np.ndarray:
        """Of the circuit of free rotations: those of the circuit, then the angles, (B, I + A)."""
        slots = np.empty((batch.size, len(self.angles)))
        slots[:, self.of_inputs] = batch.inputs[:, self.index[self.of_inputs]]
        slots[:, ~self.of_inputs] = np.atleast_2d(batch.weights)[:, self.index[~self.of_inputs]]
        return np.concatenate([batch.inputs, (self.scale * slots + self.offset).astype(batch.dtype)], axis=1)


class ShotPlan:
    """How many measurements the slope by each rotation takes, and what they showed.

    Slopes by inputs take as many as values do.

    Args:
        shots: of each of a slope's two shifted circuits, for every sample, (R,); at least 2. May be written to.

    Attributes:
        variances: of the derivatives by weights' rotations, summed over samples, times the shots they took; (R,).
        runs, spent: circuits at one sample and measurements.
    """

    def __init__(self, shots: np.ndarray):
        self.shots = shots
        self.restart()

    def restart(self) -> None:
        """Forget what was measured, and what it took."""
        self.variances = np.zeros(len(self.shots))
        self.runs = self.spent = 0


def _no_plan() -> ShotPlan | None:
    return None


class ShiftEvaluator(ForwardEvaluator):
    """Derivatives from shifted values."""

    def __init__(self, evaluator: Evaluator, shifted: Evaluator, angles: list[Angle]):
        super().__init__(evaluator)
        self.shifted = shifted
        self.free = FreeAngles(angles)
        self._plan: Callable[[], ShotPlan | None] = _no_plan

    @property
    def n_slopes(self) -> int:  # type: ignore[override]
        return len(self.free.angles) if isinstance(self.shifted, ShotEvaluator) else 0

    @property
    def plan(self) -> ShotPlan | None:
        """The one that is followed."""
        return self._plan()

    def follow(self, plan: ShotPlan) -> None:
        """Let a plan say how many measurements slopes take, as long as it lives; it takes the place of another."""
        if not self.n_slopes:
            return super().follow(plan)
        shots = np.asarray(plan.shots)
        if shots.shape != (self.n_slopes,) or shots.dtype.kind not in "iu" or shots.min() < 2:
            raise CircuitError(f"shots={plan.shots!r}, expected {self.n_slopes} integers of at least 2, one a slope")
        self._plan = weakref.ref(plan)
        return None

    @property
    def walk_cost(self) -> int:  # type: ignore[override]
        return 2 * sum(angle.source == "input" or self.wants_weight(angle.index) for angle in self.free.angles)

    def go_on_from(self, other: Any) -> None:
        if isinstance(other, ShiftEvaluator):
            self.evaluator.go_on_from(other.evaluator)
            self.shifted.go_on_from(other.shifted)
            if self.n_slopes == other.n_slopes:
                self._plan = other._plan

    def backward(self, batch: Batch, cotangents: np.ndarray, kept: np.ndarray | None, wants: Wants) -> Derivatives:
        if wants[0] and self.circuit.initial is not None and self.circuit.initial.values is None:
            raise UnsupportedError(
                'parameter shift gives no derivative of initial amplitudes; use differentiator="adjoint"'
            )
        d_inputs = np.zeros(batch.inputs.shape) if wants[0] else None
        d_weights = np.zeros((batch.size, self.circuit.n_weights)) if wants[1] else None
        wanted = {"input": d_inputs, "weight": d_weights}
        free = self.free.inputs(batch)
        for k, angle in enumerate(self.free.angles):
            target = wanted.get(angle.source)
            if target is not None and (angle.source == "input" or self.wants_weight(angle.index)):
                target[:, angle.index] += angle.scale * self._slope(free, k, cotangents)
        if d_weights is not None and batch.weights.ndim == 1:
            d_weights = d_weights.sum(axis=0)
        cast = lambda d: None if d is None else d.astype(batch.dtype)  # noqa: E731
        return cast(d_inputs), cast(d_weights)

    def _slope(self, free: np.ndarray, k: int, cotangents: np.ndarray) -> np.ndarray:
        """sum_o g_o df_o/da_k, one number a sample."""
        column, slopes = self.circuit.n_inputs + k, np.empty(len(free))
        no_weights = np.zeros(0, free.dtype)
        for start in range(0, len(free), _MOST_AT_ONCE):
            part = slice(start, start + _MOST_AT_ONCE)
            both = np.concatenate([free[part], free[part]])
            half = len(both) // 2
            both[:half, column] += np.pi / 2
            both[half:, column] -= np.pi / 2
            sums = self._sums(Batch(both, no_weights, single=False), k, np.tile(cotangents[part], (2, 1)))
            slopes[part] = (sums[:half] - sums[half:]) / 2
        return slopes

    def _sums(self, batch: Batch, k: int, cotangents: np.ndarray) -> np.ndarray:
        """Of the outputs weighted by cotangents, (B,); slopes by weights are measured as a plan says."""
        plan, shifted = self.plan, self.shifted
        if plan is None or not isinstance(shifted, ShotEvaluator):
            return (shifted.values(batch).astype(np.float64) * cotangents).sum(axis=1)
        shots = shifted.shots if self.free.of_inputs[k] else int(plan.shots[k])
        sums, variances = shifted.measure(batch, cotangents.astype(np.float64), shots)
        if not self.free.of_inputs[k]:
            plan.variances[k] += self.free.scale[k] ** 2 * variances.sum() / 4
        plan.runs += batch.size
        plan.spent += batch.size * shots * shifted.n_groups
        return sums
