"""Parameter shift: each derivative from two values of the same circuit, also with shots and on hardware.

Every gate is a product of Pauli rotations exp(-i a P / 2), so one rule serves all,
df/da = (f(a + pi/2) - f(a - pi/2)) / 2, taken for each rotation by itself and added up over slots by the chain rule.

Source: Schuld et al. 2019, Phys. Rev. A 99, 032331.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.circuits.gates import pauli_rotation_gate
from qloom.circuits.parameters import Angle, as_angle
from qloom.engines.base import Derivatives, DifferentiableEvaluator, Engine, Evaluator, Wants
from qloom.engines.batch import Batch
from qloom.engines.outputs import as_outputs
from qloom.errors import UnsupportedError
from qloom.gradients.base import Differentiator, ForwardEvaluator
from qloom.gradients.measured import MeasuredSlopes, ShotPlan

# Shifted circuits are evaluated in batches of at most this many samples.
_MOST_AT_ONCE = 1 << 14


class ParameterShift(Differentiator):
    """Exact on exact values, unbiased with shots; two evaluations a rotation and sample.

    Source: Schuld et al. 2019, Phys. Rev. A 99, 032331.
    """

    def prepare(self, engine: Engine, circuit: Circuit, observables: Any = None) -> DifferentiableEvaluator:
        if not as_outputs(circuit, observables).is_measured:
            raise UnsupportedError(
                'parameter shift is for what is measured, not for states; use differentiator="adjoint"'
            )
        engine, circuit = engine.running(circuit)
        free, angles = free_rotations(circuit)
        values, shifted = (engine.prepare(c, observables) for c in (circuit, free))
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
        if not op.gate.is_unitary:
            raise UnsupportedError(
                f"parameter shift gives no derivative by the rates of {op.gate.name} on qubit {op.qubits[0]}, expected "
                'numbers; use differentiator="adjoint" or "finite-difference"'
            )
        for letters, scalar in op.gate.expansion(*op.angles).rotations:
            angle = as_angle(scalar)
            if not angle.is_number:
                angles.append(angle)
                angle = free.inputs(1)[0]
            free.append(pauli_rotation_gate(letters), (angle,), op.qubits)
    return free, angles


class FreeAngles:
    """Angles that are set free, and how inputs and weights give them; they may be numbers too."""

    def __init__(self, angles: list[Angle]):
        self.angles = angles
        self.of_inputs, self.of_weights = (
            np.array([angle.source == source for angle in angles], bool) for source in ("input", "weight")
        )
        self.index = np.array([angle.index for angle in angles], int)
        self.scale, self.offset = (
            np.array([getattr(angle, name) for angle in angles], float) for name in ("scale", "offset")
        )

    def values(self, batch: Batch) -> np.ndarray:
        """Radians of every angle, (B, A), in double precision."""
        slots = np.zeros((batch.size, len(self.angles)))
        slots[:, self.of_inputs] = batch.inputs[:, self.index[self.of_inputs]]
        slots[:, self.of_weights] = np.atleast_2d(batch.weights)[:, self.index[self.of_weights]]
        return self.scale * slots + self.offset

    def inputs(self, batch: Batch) -> np.ndarray:
        """Of the circuit of free rotations: those of the circuit, then the angles, (B, I + A)."""
        return np.concatenate([batch.inputs, self.values(batch).astype(batch.dtype)], axis=1)


class ShiftEvaluator(ForwardEvaluator):
    """Derivatives from shifted values, all of them in one batch."""

    def __init__(self, evaluator: Evaluator, shifted: Evaluator, angles: list[Angle]):
        super().__init__(evaluator)
        self.shifted = shifted
        self.free = FreeAngles(angles)
        self.slopes = None if shifted.deterministic else MeasuredSlopes(len(angles))

    @property
    def walk_cost(self) -> int:  # type: ignore[override]
        return self.walk_runs((True, True))

    def walk_runs(self, wants: Wants) -> int:
        return 2 * int(self._wanted(wants).sum())

    def backward(self, batch: Batch, cotangents: np.ndarray, kept: np.ndarray | None, wants: Wants) -> Derivatives:
        if wants[0] and self.circuit.initial is not None and self.circuit.initial.values is None:
            raise UnsupportedError(
                'parameter shift gives no derivative of initial amplitudes; use differentiator="adjoint"'
            )
        wanted = np.flatnonzero(self._wanted(wants))
        slopes = self._slopes(self.free.inputs(batch), wanted, cotangents) * self.free.scale[wanted]
        of_inputs, index = self.free.of_inputs[wanted], self.free.index[wanted]
        d_inputs = _added_up(slopes[:, of_inputs], index[of_inputs], batch.inputs.shape[1])
        d_weights = _added_up(slopes[:, ~of_inputs], index[~of_inputs], self.circuit.n_weights)
        if batch.weights.ndim == 1:
            d_weights = d_weights.sum(axis=0)
        return d_inputs.astype(batch.dtype) if wants[0] else None, d_weights.astype(batch.dtype) if wants[1] else None

    def _wanted(self, wants: Wants) -> np.ndarray:
        """Which rotations' slopes are, (A,) of booleans."""
        trained = np.ones(self.circuit.n_weights, bool) if self.trained is None else self.trained
        by_weights = np.zeros(len(self.free.angles), bool)
        by_weights[~self.free.of_inputs] = trained[self.free.index[~self.free.of_inputs]]
        return (self.free.of_inputs & wants[0]) | (by_weights & wants[1])

    def _slopes(self, free: np.ndarray, wanted: np.ndarray, cotangents: np.ndarray) -> np.ndarray:
        """sum_o g_o df_o/da_k of the wanted rotations, (B, K)."""
        n, half = len(free) * len(wanted), _MOST_AT_ONCE // 2
        slopes = np.empty(n)
        parts = [np.arange(first, min(first + half, n)) for first in range(0, n, half)]
        for part, sums in zip(parts, self._sums(free, wanted, cotangents, parts), strict=True):
            slopes[part] = (sums[: len(part)] - sums[len(part) :]) / 2
        return slopes.reshape(len(free), len(wanted))

    def _sums(
        self, free: np.ndarray, wanted: np.ndarray, cotangents: np.ndarray, parts: list[np.ndarray]
    ) -> Iterator[np.ndarray]:
        """Outputs weighted by cotangents, of each part's circuits shifted up, then of those shifted down."""
        shifted = [self._shifted(free, wanted, part) for part in parts]
        weights = [np.tile(cotangents[part // len(wanted)], (2, 1)).astype(np.float64) for part in parts]
        plan = self.slopes.plan if self.slopes is not None else None
        if plan is not None:
            for part, batch, g in zip(parts, shifted, weights, strict=True):
                yield self._measured(plan, batch, g, np.tile(wanted[part % len(wanted)], 2))
            return
        pending = [self.shifted.submit(batch) for batch in shifted]
        for values, g in zip(pending, weights, strict=True):
            yield np.einsum("bo,bo->b", values.result(), g)

    def _shifted(self, free: np.ndarray, wanted: np.ndarray, part: np.ndarray) -> Batch:
        rows, columns = part // len(wanted), self.circuit.n_inputs + wanted[part % len(wanted)]
        both = np.concatenate([free[rows], free[rows]])
        places = np.arange(len(part))
        both[places, columns] += np.pi / 2
        both[places + len(part), columns] -= np.pi / 2
        return Batch(both, np.zeros(0, free.dtype), single=False)

    def _measured(self, plan: ShotPlan, batch: Batch, cotangents: np.ndarray, of: np.ndarray) -> np.ndarray:
        """The same as a plan says; `of` (B,) tells which rotation each circuit is for."""
        shifted: Any = self.shifted
        by_weights = ~self.free.of_inputs[of]
        shots = np.where(by_weights, np.asarray(plan.shots)[of], shifted.shots)
        sums, variances = shifted.measure(batch, cotangents, shots)
        np.add.at(plan.variances, of[by_weights], (self.free.scale[of] ** 2 * variances / 4)[by_weights])
        plan.runs += batch.size
        plan.spent += int(shots.sum()) * shifted.n_groups
        return sums  # type: ignore[no-any-return]


def _added_up(slopes: np.ndarray, index: np.ndarray, size: int) -> np.ndarray:
    """Columns (B, K) added up by the slot they belong to, (B, size)."""
    total = np.zeros((size, len(slopes)))
    np.add.at(total, index, slopes.T)
    return total.T
