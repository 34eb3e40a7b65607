"""Differentiators by name, and the evaluator that one of them makes."""

from __future__ import annotations

from typing import Any

from qloom.circuits.circuit import Circuit
from qloom.engines.base import AdjointEvaluator, Engine
from qloom.engines.statevector import StatevectorEngine
from qloom.errors import CircuitError
from qloom.gradients.adjoint import Adjoint
from qloom.gradients.base import Differentiator
from qloom.gradients.finite_difference import FiniteDifference
from qloom.gradients.parameter_shift import ParameterShift

DIFFERENTIATORS: dict[str, type[Differentiator]] = {
    "adjoint": Adjoint,
    "parameter-shift": ParameterShift,
    "finite-difference": FiniteDifference,
}


def prepare_gradient(
    circuit: Circuit, observables: Any = None, engine: Engine | None = None,
    differentiator: str | Differentiator = "auto", shots: int | None = None, seed: Any = None,
) -> AdjointEvaluator:  # fmt: skip
    """An evaluator that also walks backwards.

    Args:
        differentiator: a `Differentiator`, a name of DIFFERENTIATORS, or "auto": adjoint for exact values of the
            native engine, else parameter shift.
    """
    engine = StatevectorEngine() if engine is None else engine
    if not isinstance(engine, Engine):
        raise CircuitError(f"engine={engine!r}, expected an Engine such as StatevectorEngine()")
    if differentiator == "auto":
        exact = shots is None and isinstance(engine, StatevectorEngine)
        differentiator = "adjoint" if exact else "parameter-shift"
    if isinstance(differentiator, str):
        if differentiator not in DIFFERENTIATORS:
            names = ", ".join(("auto", *DIFFERENTIATORS))
            raise CircuitError(f"differentiator={differentiator!r}, expected one of {names}")
        differentiator = DIFFERENTIATORS[differentiator]()
    if not isinstance(differentiator, Differentiator):
        raise CircuitError(f"differentiator={differentiator!r}, expected a name or a Differentiator")
    return differentiator.prepare(engine, circuit, observables, shots=shots, seed=seed)
