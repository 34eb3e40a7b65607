"""Engines that wrap engines to take their noise away: what all of them share.

A mitigated engine prepares variants of a circuit on the engine inside and combines their values. Noise that the engine
inside adds is written out first (`Engine.running`), so that variants have it where they need it, and derivatives
are those of what runs.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.circuits.kinds import UNITARY
from qloom.engines.base import (
    Derivatives,
    DifferentiableEvaluator,
    Engine,
    Estimate,
    Evaluator,
    Pending,
    Wants,
    check_engine,
)
from qloom.engines.batch import Batch
from qloom.engines.measuring.samplers import Sampler
from qloom.engines.outputs import Outputs
from qloom.engines.readout import without_readout
from qloom.engines.streams import Stream
from qloom.errors import UnsupportedError
from qloom.mitigation.combinations import Combination
from qloom.mitigation.variants import Variants

MITIGATED = frozenset({"expectations", "probabilities"})


class MitigatedEngine(Engine):
    """Base of engines that mitigate what another gives.

    Args:
        engine: what runs the circuits, with its noise: `Noisy(engine, model)`, or `Shots` of it.
    """

    # Readout errors in a circuit are for the engine inside.
    reads_wrongly = True
    mitigates_readout: ClassVar[bool] = True

    def __init__(self, engine: Engine):
        check_engine(engine, "Noisy(DensityEngine(), model)")
        self.engine = engine
        self.gives = engine.gives & MITIGATED
        # Through the adjoint walk of the engine inside where it has one, else by the shift rule.
        self.walks_back = self.gives
        self.runs = UNITARY
        self.is_exact, self.shots = engine.is_exact, engine.shots

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.engine!r})"

    def prepare(self, circuit: Circuit, observables: Any = None) -> Evaluator:
        if not isinstance(circuit, Circuit):
            return super().prepare(circuit, observables)  # which says so
        mine, native = self.compiled(circuit)
        if mine is not self:
            return mine.prepare(native, observables)
        if not carries_noise(self.engine, circuit, self.mitigates_readout):
            is_read_wrongly = carries_noise(self.engine, circuit)
            what, instead = "noise", "leave the mitigation out"
            if is_read_wrongly:
                what, instead = "noise of gates", "take ReadoutInversion"
            raise UnsupportedError(
                f"{self.engine!r} runs this circuit without {what}, so {type(self).__name__} has nothing to mitigate; "
                f"wrap the engine as Noisy(engine, model), or {instead}"
            )
        return super().prepare(circuit, observables)

    def compiled(self, circuit: Circuit) -> tuple[Engine, Circuit]:
        engine, native = self.engine.compiled(circuit)
        if engine is self.engine:
            return self, circuit
        around = copy(self)
        around.engine = engine
        return around, native

    def check_runs(self, circuit: Circuit) -> None:
        super().check_runs(circuit)
        self.engine.check_runs(circuit)

    def bits(self, circuit: Circuit, qubits: tuple[int, ...]) -> Sampler:
        raise UnsupportedError(
            f"{type(self).__name__} combines averages and gives no bits; measure the engine inside, as in "
            f"{type(self).__name__}(Shots(engine, shots))"
        )

    @abstractmethod
    def evaluator(self, circuit: Circuit, outputs: Outputs) -> MitigatedEvaluator: ...


def carries_noise(engine: Engine, circuit: Circuit, or_readout: bool = True) -> bool:
    """Whether an engine adds noise to a circuit, or finds some in it; engines that vary from call to call may.

    Args:
        or_readout: whether readout errors count.
    """
    inner, written = engine.running(circuit)
    if not or_readout:
        (written, _), (circuit, _) = without_readout(written), without_readout(circuit)
    if len(written) != len(circuit) or not written.is_unitary:
        return True
    wrapped = getattr(inner, "engine", None)
    return carries_noise(wrapped, circuit, or_readout) if isinstance(wrapped, Engine) else not inner.is_exact


@dataclass(frozen=True, eq=False)
class Plan:
    """What one call runs and how it is combined.

    Shapes: settings (S, A) or (S, B, A) of the variants, None where they have none.
    """

    settings: np.ndarray | None
    combination: Combination


class MitigatedEvaluator(DifferentiableEvaluator):
    """Values of variants, combined.

    Args:
        circuit: what was asked for.
        variants: what is run.
        plan: makes a call's `Plan`, given its batch and its generator of random numbers, if it draws.
        n_outputs: O.
        stream: for plans that draw; where the engine inside has one, that is drawn from, so that there is one.

    Attributes:
        prepared_runs, prepared_shots: what calibration took when it was prepared.
    """

    prepared_runs: int = 0
    prepared_shots: int = 0

    def __init__(
        self, circuit: Circuit, variants: Variants, plan: Callable[[Batch, np.random.Generator | None], Plan],
        n_outputs: int, stream: Stream | None = None,
    ):  # fmt: skip
        self.circuit, self.variants, self.n_outputs = circuit.copy(), variants, n_outputs
        self._plan, self._draws, self._own = plan, stream is not None, stream
        self.n_groups = variants.n_groups

    @property
    def walk_cost(self) -> int:  # type: ignore[override]
        return self.variants.walk_cost

    @property
    def stream(self) -> Any:  # type: ignore[override]
        inner = self.variants.stream
        return self._own if inner is None else inner

    def plan(self, batch: Batch) -> Plan:
        """Of one call."""
        return self._plan(batch, self.stream.generator() if self._draws else None)

    def _planned(self, batch: Batch) -> tuple[Plan, np.ndarray]:
        """The plan of one call, and values of its variants."""
        plan = self.plan(batch)
        return plan, self._values(batch, plan)

    def _values(self, batch: Batch, plan: Plan) -> np.ndarray:
        """Of the variants, refused where their errors say so."""
        if plan.combination.reads_errors and self.variants.stream is not None:
            estimate = self.variants.estimate(batch, plan.settings)
            plan.combination.combine(estimate.values, estimate.errors)
            return estimate.values
        return self.variants.values(batch, plan.settings)

    def forward(self, batch: Batch, keep: bool) -> tuple[np.ndarray, Any]:
        plan, values = self._planned(batch)
        return plan.combination.combine(values).astype(batch.dtype), (plan, values) if keep else None

    def backward(self, batch: Batch, cotangents: np.ndarray, kept: Any, wants: Wants) -> Derivatives:
        plan, values = self._planned(batch) if kept is None else kept
        pulled = plan.combination.pulled_back(values, cotangents.astype(np.float64))
        d_inputs, d_weights, _ = self.variants.backward(batch, plan.settings, pulled, wants, self.trained)
        return d_inputs, d_weights

    def estimate(self, batch: Batch) -> Estimate:
        plan = self.plan(batch)
        found = self.variants.estimate(batch, plan.settings)
        values = plan.combination.combine(found.values, found.errors).astype(batch.dtype)
        errors = plan.combination.errors(found.values, found.errors).astype(batch.dtype)
        return Estimate(values, errors, found.runs, found.shots)

    def submit(self, batch: Batch) -> Pending:
        plan = self.plan(batch)
        if plan.combination.reads_errors and self.variants.stream is not None:
            return Pending(plan.combination.combine(self._values(batch, plan)).astype(batch.dtype))
        return CombinedPending(batch, plan, self.variants, self.variants.submit(batch, plan.settings))


class CombinedPending(Pending):
    """Values of variants that may come later, combined once they are there."""

    def __init__(self, batch: Batch, plan: Plan, variants: Variants, pending: Sequence[Pending]):
        self._batch, self._plan, self._variants, self._pending = batch, plan, variants, pending
        self._found: np.ndarray | None = None

    def is_done(self) -> bool:
        return self._found is not None or all(each.is_done() for each in self._pending)

    def result(self, timeout: float | None = None) -> np.ndarray:
        if self._found is None:
            values = self._variants.gathered(self._batch, self._plan.settings, self._pending, timeout)
            self._found = self._plan.combination.combine(values).astype(self._batch.dtype)
        return self._found


def rounding(batch: Batch) -> float:
    """What values of about 1 may be off by, computed in a batch's precision."""
    return 100 * float(np.finfo(batch.dtype).eps)


def fixed(settings: np.ndarray | None, combination: Combination) -> Callable[..., Plan]:
    """The same plan for every call."""
    return lambda batch, generator: Plan(settings, combination)
