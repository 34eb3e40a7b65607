"""Clifford data regression: what noise does to values, learnt from circuits that are near to Clifford ones.

Training circuits have the gates of the circuit, most of their angles moved to multiples of pi/2; their values without
noise are simulated. A straight line from noisy to exact values, which for depolarizing noise holds exactly, then maps
the circuit's own value.

Source: Czarnik, Arrasmith, Coles, Cincio 2021, Quantum 5, 592.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from qloom.checks import checked_count, checked_seed
from qloom.circuits.circuit import Circuit
from qloom.engines.base import Derivatives, Engine, Estimate, Pending, Wants
from qloom.engines.batch import Batch
from qloom.engines.outputs import Outputs
from qloom.engines.statevector import StatevectorEngine
from qloom.errors import UnsupportedError
from qloom.mitigation.combinations import Combination
from qloom.mitigation.differentiable import differentiable
from qloom.mitigation.freed_angles import QUARTER, FreedAngles
from qloom.mitigation.mitigated import MitigatedEngine, MitigatedEvaluator, Plan, rounding
from qloom.mitigation.variants import SettingVariants, Variants

# Radians; the source's choice.
_NEAR = 0.5


class CliffordDataRegression(MitigatedEngine):
    """Values mapped by a line that is learnt for every sample and output.

    Args:
        engine: what runs the circuits, with its noise.
        n_training: training circuits for each sample, at least 3.
        n_kept: angles of each that stay as they are; the others go to one of the two multiples of pi/2 beside them, the
            nearer one more often; None for a fifth of them, at least 2.
        exact: what gives the values of training circuits without noise; a StatevectorEngine by default.
        seed: of the choice of angles, which is made once.

    Raises:
        CircuitError: for numbers out of range; for what is no engine.
        UnsupportedError: when a circuit is prepared that has no angles to train by, or no noise.

    Source: Czarnik, Arrasmith, Coles, Cincio 2021, Quantum 5, 592.
    """

    def __init__(
        self,
        engine: Engine,
        n_training: int = 24,
        n_kept: int | None = None,
        exact: Engine | None = None,
        seed: int = 0,
    ):
        super().__init__(engine)
        self.n_training = checked_count("n_training", n_training, 3)
        self.n_kept = None if n_kept is None else checked_count("n_kept", n_kept, 0)
        self.exact, self.seed = exact or StatevectorEngine(), checked_seed(seed)
        self.gives = self.gives & self.exact.gives
        self.walks_back = self.gives
        if engine.shots is not None:
            self.shots = engine.shots * (1 + self.n_training)

    def evaluator(self, circuit: Circuit, outputs: Outputs) -> MitigatedEvaluator:
        freed = FreedAngles(circuit)
        if not len(freed):
            raise UnsupportedError(
                "the circuit has Clifford gates alone, expected angles to train by; simulate it exactly"
            )
        variants = WithExact(
            SettingVariants(differentiable(self.engine, freed.circuit, outputs), len(freed)),
            SettingVariants(differentiable(self.exact, freed.circuit, outputs), len(freed)),
        )
        return RegressionEvaluator(circuit, variants, freed, self, outputs.size)


class RegressionEvaluator(MitigatedEvaluator):
    """Evaluates the circuit and its training circuits in one batch."""

    def __init__(
        self, circuit: Circuit, variants: Variants, freed: FreedAngles, engine: CliffordDataRegression, n_outputs: int
    ):
        super().__init__(circuit, variants, self._training, n_outputs)
        self._freed = freed
        random = np.random.default_rng(engine.seed)
        shape = (engine.n_training, len(freed))
        n_kept = max(2, len(freed) // 5) if engine.n_kept is None else engine.n_kept
        # The first of a random order of the angles.
        self._kept = random.random(shape).argsort(axis=1).argsort(axis=1) < n_kept
        self._thresholds = random.random(shape)

    def _training(self, batch: Batch, generator: Any) -> Plan:
        angles = self._freed.values(batch)
        moved = QUARTER * (np.floor(angles / QUARTER) + (self._thresholds[:, None, :] < _share_above(angles)))
        training = np.where(self._kept[:, None, :], angles, moved)
        return Plan(np.concatenate([angles[None], training]), Line(100 * rounding(batch)))

    def backward(self, batch: Batch, cotangents: np.ndarray, kept: Any, wants: Wants) -> Derivatives:
        plan, values = self._planned(batch) if kept is None else kept
        pulled = plan.combination.pulled_back(values, cotangents.astype(np.float64))
        d_inputs, d_weights, d_angles = self.variants.backward(batch, plan.settings, pulled, (True, wants[1]), None)
        assert d_inputs is not None
        assert d_angles is not None
        # The circuit's own angles and those kept move with the slots, the others do not.
        by_angle = d_angles[0] + (d_angles[1:] * self._kept[:, None, :]).sum(axis=0)
        of_inputs, of_weights = self._freed.pulled_back(batch, by_angle)
        if d_weights is not None:
            d_weights = d_weights + of_weights
            d_weights = (d_weights if self.trained is None else d_weights * self.trained).astype(batch.dtype)
        return (d_inputs + of_inputs).astype(batch.dtype) if wants[0] else None, d_weights


def _share_above(angles: np.ndarray) -> np.ndarray:
    """How often angles go to the multiple above them: of distances d to both, by exp(-(d / _NEAR)^2)."""
    below = angles - QUARTER * np.floor(angles / QUARTER)
    return 1 / (1 + np.exp(((QUARTER - below) ** 2 - below**2) / _NEAR**2))


class WithExact(Variants):
    """Variants on a noisy engine, and all but the first of them on an exact one behind them."""

    def __init__(self, noisy: SettingVariants, exact: SettingVariants):
        self.noisy, self.exact = noisy, exact
        self.n_outputs, self.n_groups, self.stream = noisy.n_outputs, noisy.n_groups, noisy.stream

    @property
    def walk_cost(self) -> int:  # type: ignore[override]
        return self.noisy.walk_cost + self.exact.walk_cost

    def submit(self, batch: Batch, settings: np.ndarray | None) -> Sequence[Pending]:
        assert settings is not None
        return [*self.noisy.submit(batch, settings), *self.exact.submit(batch, settings[1:])]

    def gathered(
        self, batch: Batch, settings: np.ndarray | None, pending: Sequence[Pending], timeout: float | None = None
    ) -> np.ndarray:
        assert settings is not None
        noisy = self.noisy.gathered(batch, settings, pending[:1], timeout)
        return np.concatenate([noisy, self.exact.gathered(batch, settings[1:], pending[1:], timeout)])

    def estimate(self, batch: Batch, settings: np.ndarray | None) -> Estimate:
        assert settings is not None
        noisy, exact = self.noisy.estimate(batch, settings), self.exact.values(batch, settings[1:])
        errors = np.concatenate([noisy.errors, np.zeros_like(exact)])
        return Estimate(np.concatenate([noisy.values, exact]), errors, noisy.runs, noisy.shots)

    def backward(
        self, batch: Batch, settings: np.ndarray | None, cotangents: np.ndarray, wants: Wants,
        trained: np.ndarray | None,
    ) -> tuple[np.ndarray | None, np.ndarray | None, np.ndarray | None]:  # fmt: skip
        assert settings is not None
        count = len(settings)
        own = self.noisy.backward(batch, settings, cotangents[:count], wants, trained)
        other = self.exact.backward(batch, settings[1:], cotangents[count:], wants, trained)
        total = [None if a is None or b is None else a + b for a, b in zip(own[:2], other[:2], strict=True)]
        d_settings = None
        if own[2] is not None and other[2] is not None:
            d_settings = own[2] + np.concatenate([np.zeros_like(other[2][:1]), other[2]])
        return total[0], total[1], d_settings


@dataclass(frozen=True)
class Line(Combination):
    """The circuit's value y on the line of least squares through training values, noisy x and exact z.

    Of variants y, x, z stand one behind the other: 1 + T + T.

    Args:
        resolved: values that differ by less are one value.
    """

    resolved: float

    @property
    def reads_errors(self) -> bool:  # type: ignore[override]
        return True

    def combine(self, values: np.ndarray, errors: np.ndarray | None = None) -> np.ndarray:
        parts = _Parts(values, self.resolved)
        noise = 0.0 if errors is None else (errors[1 : 1 + parts.count] ** 2).sum(axis=0)
        lost = (parts.squares <= noise) & parts.varies
        lost |= ~parts.varies & (np.abs(parts.apart) > 10 * self.resolved)
        if lost.any():
            raise UnsupportedError(
                f"training circuits give one value within their noise for {int(lost.sum())} of {lost.size} values, "
                "expected different ones; take more shots, or more training circuits with more angles kept"
            )
        return parts.z.mean(axis=0) + parts.slope * parts.apart

    def pulled_back(self, values: np.ndarray, cotangents: np.ndarray) -> np.ndarray:
        parts = _Parts(values, self.resolved)
        level = 1 / parts.count
        leverage = np.where(parts.varies, parts.apart / np.where(parts.varies, parts.squares, 1), 0)
        by_x = -parts.slope * level + leverage * (parts.dz - 2 * parts.slope * parts.dx)
        return np.concatenate([parts.slope[None], by_x, level + leverage * parts.dx]) * cotangents


class _Parts:
    """What the line is made of, (B, O) each; dx and dz (T, B, O) less their means.

    Where training circuits have one value, and the circuit has it too, the slope is 1.
    """

    def __init__(self, values: np.ndarray, resolved: float):
        self.count = (len(values) - 1) // 2
        self.x, self.z = values[1 : 1 + self.count], values[1 + self.count :]
        self.dx, self.dz = self.x - self.x.mean(axis=0), self.z - self.z.mean(axis=0)
        self.squares = (self.dx**2).sum(axis=0)
        self.varies = self.squares > resolved**2
        self.slope = np.where(
            self.varies, (self.dx * self.dz).sum(axis=0) / np.where(self.varies, self.squares, 1), 1.0
        )
        self.apart = values[0] - self.x.mean(axis=0)
