"""Zero-noise extrapolation: values with more noise, and a curve through them back to none.

Sources: Temme, Bravyi, Gambetta 2017, Phys. Rev. Lett. 119, 180509; Li, Benjamin 2017, Phys. Rev. X 7, 021050.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.engines.base import DifferentiableEvaluator, Engine, Wants
from qloom.engines.batch import Batch
from qloom.engines.outputs import Expectations, Outputs
from qloom.errors import CircuitError
from qloom.mitigation.combinations import Extrapolation
from qloom.mitigation.differentiable import differentiable
from qloom.mitigation.fits import Fit, checked_scales, make_fit
from qloom.mitigation.folding import fold
from qloom.mitigation.mitigated import MitigatedEngine, MitigatedEvaluator, Plan, rounding
from qloom.mitigation.scaled_rates import rates_as_slots, rates_times
from qloom.mitigation.variants import SeparateVariants, SettingVariants, Variants

WAYS = ("folding", "local_folding", "rates")


class ZeroNoise(MitigatedEngine):
    """Values extrapolated to no noise, against the scales that were reached.

    Args:
        engine: what runs the circuits, with its noise.
        scales: how many times the noise, at least 1 where circuits are folded; what folding reaches is near to it.
        fit: "linear", "polynomial" (of order 2), an order, "richardson" (through all points), "exponential" or a
            `Fit`. The exponential falls to what is left of each output in the most mixed state.
        by: "folding" runs the circuit back and forth, "local_folding" each gate; "rates" takes the rates of all
            channels times the scale (of relaxation the duration), and leaves readout as it is: for noise models.

    Raises:
        CircuitError: for scales that do not determine the fit. Whether the scales that a circuit reaches do is known,
            and said, when it is prepared.
        UnsupportedError: when a circuit is prepared that has no noise, or that cannot be folded.

    Source: Temme, Bravyi, Gambetta 2017, Phys. Rev. Lett. 119, 180509; Li, Benjamin 2017, Phys. Rev. X 7, 021050;
    folding: Giurgica-Tiron et al. 2020, IEEE QCE, 306.
    """

    mitigates_readout = False

    def __init__(
        self, engine: Engine, scales: Sequence[float] = (1, 3, 5), fit: str | int | Fit = "linear", by: str = "folding"
    ):
        super().__init__(engine)
        self.scales, self.fit, self.by = tuple(map(float, checked_scales(scales))), make_fit(fit), by
        if by not in WAYS:
            raise CircuitError(f"by={by!r}, expected one of {', '.join(WAYS)}")
        if by != "rates" and min(self.scales) < 1:
            raise CircuitError(f"scales={self.scales} of folding, expected numbers of at least 1")
        self.fit.check_scales(np.array(self.scales))
        if by == "rates":
            self.runs = engine.runs
        if engine.shots is not None:
            self.shots = engine.shots * len(self.scales)

    def __repr__(self) -> str:
        return f"ZeroNoise({self.engine!r}, scales={self.scales}, fit={self.fit!r}, by={self.by!r})"

    def evaluator(self, circuit: Circuit, outputs: Outputs) -> MitigatedEvaluator:
        variants, scales, settings = (self._scaled if self.by == "rates" else self._folded)(circuit, outputs)
        self.fit.check_scales(scales)
        fit = self.fit.with_asymptote(most_mixed(outputs))

        def plan(batch: Batch, generator: np.random.Generator | None) -> Plan:
            return Plan(settings, Extrapolation(scales, fit.resolving(rounding(batch))))

        return MitigatedEvaluator(circuit, variants, plan, outputs.size)

    def _folded(self, circuit: Circuit, outputs: Outputs) -> tuple[Variants, np.ndarray, None]:
        folded = [fold(circuit, scale, self.by) for scale in self.scales]  # type: ignore[arg-type]
        reached = np.array([scale for _, scale in folded])
        return SeparateVariants([differentiable(self.engine, c, outputs) for c, _ in folded]), reached, None

    def _scaled(self, circuit: Circuit, outputs: Outputs) -> tuple[Variants, np.ndarray, np.ndarray | None]:
        inner, written = self.engine.running(circuit)
        scales = np.array(self.scales)
        apart = [rates_times(written, scale) for scale in self.scales]
        together = rates_as_slots(written)
        if together is None:  # rates that are slots themselves: their products with a scale are none
            return SeparateVariants([differentiable(inner, c, outputs) for c in apart]), scales, None
        evaluator = differentiable(inner, together, outputs)
        if inner.can_walk_back(outputs):
            return SettingVariants(evaluator, 1), scales, scales[:, None]
        return (
            ScaledVariants(evaluator, lambda: [differentiable(inner, c, outputs) for c in apart]),
            scales,
            scales[:, None],
        )


class ScaledVariants(SettingVariants):
    """Values in one batch, derivatives circuit by circuit: the shift rule takes rates that are numbers alone.

    Args:
        apart: makes evaluators with the rates as numbers.
    """

    def __init__(self, evaluator: DifferentiableEvaluator, apart: Callable[[], Sequence[DifferentiableEvaluator]]):
        super().__init__(evaluator, 1)
        self._make = apart

    @cached_property
    def _apart(self) -> SeparateVariants:
        return SeparateVariants(self._make())

    @property
    def walk_cost(self) -> int:  # type: ignore[override]
        return self._apart.walk_cost

    def backward(
        self, batch: Batch, settings: np.ndarray | None, cotangents: np.ndarray, wants: Wants,
        trained: np.ndarray | None,
    ) -> tuple[np.ndarray | None, np.ndarray | None, np.ndarray | None]:  # fmt: skip
        return self._apart.backward(batch, None, cotangents, wants, trained)


def most_mixed(outputs: Outputs) -> np.ndarray:
    """Values of outputs in the most mixed state, (O,)."""
    if isinstance(outputs, Expectations):
        return np.array([float(np.real(o.terms.get((0, 0), 0.0))) for o in outputs.observables])
    return np.full(outputs.size, 1 / outputs.size)
