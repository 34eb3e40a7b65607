"""Differentiators by name, and the evaluator that one of them makes."""

from __future__ import annotations

from functools import cache
from typing import Any

from qloom.circuits.circuit import Circuit
from qloom.engines.base import DifferentiableEvaluator, Engine
from qloom.engines.derived import DerivedEvaluator
from qloom.engines.evaluation import checked_engine
from qloom.engines.outputs import Outputs, as_outputs
from qloom.errors import CircuitError
from qloom.gradients.adjoint import Adjoint
from qloom.gradients.base import Differentiator
from qloom.gradients.finite_difference import FiniteDifference
from qloom.gradients.parameter_shift import ParameterShift
from qloom.gradients.simultaneous_perturbation import SimultaneousPerturbation

DIFFERENTIATORS: dict[str, type[Differentiator]] = {
    "adjoint": Adjoint,
    "parameter-shift": ParameterShift,
    "finite-difference": FiniteDifference,
    "spsa": SimultaneousPerturbation,
}
"""Differentiators by name, as `differentiator=` takes them beside "auto"."""


def prepare_gradient(
    circuit: Circuit, observables: Any = None, engine: Engine | None = None,
    differentiator: str | Differentiator = "auto", shots: int | None = None, seed: int | None = None,
) -> DifferentiableEvaluator:  # fmt: skip
    """An evaluator that also walks backwards.

    Args:
        circuit: copied.
        observables: a Pauli sum or several, or other outputs that an engine is asked for; None for Z on every qubit.
        engine: StatevectorEngine() by default.
        differentiator: a `Differentiator`, a name of DIFFERENTIATORS, or "auto": adjoint where the engine walks back,
            else parameter shift.
        shots, seed: measure the engine, `Shots(engine, shots, seed)`.

    Raises:
        CircuitError: for observables that the circuit does not have, or no such differentiator.
        UnsupportedError: for gates or outputs that the engine or the differentiator does not do.
    """
    engine, outputs = checked_engine(engine, shots, seed), as_outputs(circuit, observables)
    evaluator, copied = _prepared(circuit, outputs, engine, differentiator), circuit.copy()
    evaluator.elsewhere = cache(lambda device: prepare_gradient(copied, outputs, engine.on(device), differentiator))
    return evaluator


def _prepared(
    circuit: Circuit, outputs: Outputs, engine: Engine, differentiator: str | Differentiator
) -> DifferentiableEvaluator:
    if differentiator == "auto":
        differentiator = "adjoint" if engine.can_walk_back(outputs) else "parameter-shift"
    if isinstance(differentiator, str):
        if differentiator not in DIFFERENTIATORS:
            names = ", ".join(("auto", *DIFFERENTIATORS))
            raise CircuitError(f"differentiator={differentiator!r}, expected one of {names}")
        differentiator = DIFFERENTIATORS[differentiator]()
    if not isinstance(differentiator, Differentiator):
        raise CircuitError(f"differentiator={differentiator!r}, expected a name or a Differentiator")
    parts = outputs.made_from()
    if parts is None or differentiator.walks_back:
        return differentiator.prepare(engine, circuit, outputs)
    # A function of simpler outputs, for which alone rules of single rotations hold.
    return DerivedEvaluator(differentiator.prepare(engine, circuit, parts), outputs)
