"""Whether mitigating pays: what is left of the error of each method at one budget of measurements.

The error of a value is its bias and its spread, mean squared: bias^2 + variance. Mitigation takes bias away and adds
spread, and its circuits share the measurements that the raw value would have alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.engines.base import Engine, Evaluator
from qloom.engines.batch import Batch, make_batch
from qloom.engines.measuring.shots import Shots, checked_shots
from qloom.engines.outputs import Outputs, as_outputs
from qloom.engines.statevector import StatevectorEngine
from qloom.errors import CircuitError, QloomError, UnsupportedError
from qloom.mitigation.clifford_regression import CliffordDataRegression
from qloom.mitigation.error_cancellation import ErrorCancellation
from qloom.mitigation.freed_angles import QUARTER, FreedAngles
from qloom.mitigation.readout_inversion import ReadoutInversion
from qloom.mitigation.zero_noise import ZeroNoise

Candidate = Callable[[Engine], Engine]
CANDIDATES: dict[str, Candidate] = {
    "zero noise, linear": lambda engine: ZeroNoise(engine, (1, 3), "linear"),
    "zero noise, Richardson": lambda engine: ZeroNoise(engine, (1, 3, 5), "richardson"),
    "zero noise, exponential": lambda engine: ZeroNoise(engine, (1, 3), "exponential"),
    "error cancellation": lambda engine: ErrorCancellation(engine, 100, seed=0),
    "Clifford data regression": lambda engine: CliffordDataRegression(engine),
    "readout inversion": lambda engine: ReadoutInversion(engine),
}
# Spreads of more shots are found from so many, and fall with the root of their number.
MOST_DRAWN = 10_000
# A gain below this share of the raw error is not told from none.
_WORTH = 0.1


@dataclass(frozen=True)
class Row:
    """One way to the values: root mean squares over samples and outputs.

    Attributes:
        bias, spread: of the error; nan where the method was refused.
        circuits: that share the measurements.
        shots: of each circuit.
        refused: why there are no numbers.
    """

    name: str
    bias: float = np.nan
    spread: float = np.nan
    circuits: int = 0
    shots: int = 0
    refused: str = ""

    @property
    def error(self) -> float:
        """Root of bias^2 + spread^2."""
        return float(np.hypot(self.bias, self.spread))


@dataclass(frozen=True)
class Advice:
    """Errors of the raw values and of each method at a budget of measurements a sample.

    Attributes:
        rows: the first is raw.
        shots: the budget.
    """

    shots: int
    rows: tuple[Row, ...]

    @property
    def raw(self) -> Row:
        """The values without mitigation."""
        return self.rows[0]

    @property
    def best(self) -> Row | None:
        """The method with the least error; None where all were refused."""
        known = [row for row in self.rows[1:] if not row.refused]
        return min(known, key=lambda row: row.error, default=None)

    @property
    def pays(self) -> bool:
        """Whether the best method's error is below the raw one by more than a tenth."""
        return self.best is not None and self.best.error < (1 - _WORTH) * self.raw.error

    @property
    def sentence(self) -> str:
        """The advice in one sentence."""
        if self.best is None:
            return f"Mitigating does not pay at {self.shots:,} shots: no method can be used here."
        against = f"{self.best.name} leaves an error of {self.best.error:.3g}, raw values {self.raw.error:.3g}"
        if self.pays:
            return f"Mitigating pays at {self.shots:,} shots: {against}."
        return f"Mitigating does not pay at {self.shots:,} shots: the best, {against}."

    def __str__(self) -> str:
        width = max(len(row.name) for row in self.rows)
        lines = [f"{'':{width}}  {'error':>9} {'bias':>9} {'spread':>9} {'circuits':>8} {'shots each':>10}"]
        for row in self.rows:
            told = f"{row.error:9.3g} {row.bias:9.3g} {row.spread:9.3g} {row.circuits:8,} {row.shots:10,}"
            lines.append(f"{row.name:{width}}  {row.refused or told}")
        return "\n".join([*lines, self.sentence])


def advise(
    engine: Engine,
    circuit: Circuit,
    shots: int,
    observables: Any = None,
    inputs: Any = None,
    weights: Any = None,
    *,
    candidates: Mapping[str, Candidate] | None = None,
    exact: Engine | None = None,
    at: str = "given",
    seed: int = 0,
) -> Advice:
    """Whether mitigating pays at a budget: the errors that each method leaves of the values.

    Args:
        engine: what runs the circuit with its noise, without shots.
        circuit: the circuit.
        shots: measurements of a sample, all circuits together.
        observables: a Pauli sum or several, or outcome probabilities; None for Z on every qubit.
        candidates: names with functions from an engine to one that mitigates it; by default zero noise with three fits,
            error cancellation, Clifford data regression and readout inversion.
        exact: what gives values without noise; a StatevectorEngine by default.
        at: "given" compares at the inputs and weights that are given; "clifford" at their nearest multiples of pi/2,
            whose exact values any width has.
        seed: of the measurements.

    Shapes: inputs (B, I) or (I,), weights (W,) or (B, W).

    Raises:
        CircuitError: for an engine that measures, `shots` below 1, or another `at`. What a method refuses stands in its
            row.
    """
    budget = checked_shots(shots)
    if engine.shots is not None:
        raise CircuitError(f"engine={engine!r} measures already, expected it without shots; they are given as shots=")
    asked, at_circuit, batch = _where(circuit, observables, make_batch(circuit, inputs, weights), at)
    truth = (exact or StatevectorEngine()).prepare(at_circuit, asked).values(batch)
    ways: dict[str, Candidate] = {"raw": lambda inner: inner, **(CANDIDATES if candidates is None else candidates)}
    rows = [_row(name, make, engine, at_circuit, asked, batch, truth, budget, seed) for name, make in ways.items()]
    return Advice(budget, tuple(rows))


def _where(circuit: Circuit, observables: Any, batch: Batch, at: str) -> tuple[Outputs, Circuit, Batch]:
    asked = as_outputs(circuit, observables)
    if at == "given":
        return asked, circuit, batch
    if at != "clifford":
        raise CircuitError(f'at={at!r}, expected "given" or "clifford"')
    freed = FreedAngles(circuit)
    angles = QUARTER * np.round(freed.values(batch) / QUARTER)
    rows = np.concatenate([batch.inputs, angles.astype(batch.dtype)], axis=1)
    return asked, freed.circuit, Batch(rows, batch.weights, batch.single)


def _row(
    name: str, make: Candidate, engine: Engine, circuit: Circuit, asked: Outputs, batch: Batch, truth: np.ndarray,
    budget: int, seed: int,
) -> Row:  # fmt: skip
    try:
        measured = lambda each: make(Shots(engine, each, seed)).prepare(circuit, asked)  # noqa: E731
        tried = min(budget, MOST_DRAWN)
        circuits = max(1, round(_taken(measured(tried), batch) / tried))
        each = budget // circuits
        if each < 2:
            raise UnsupportedError(f"{circuits:,} circuits, expected at most {budget // 2:,} at this budget")
        unmeasured = make(engine).prepare(circuit, asked).estimate(batch)
        drawn = min(each, MOST_DRAWN)
        spread = measured(drawn).estimate(batch).errors * np.sqrt(drawn / each)
    except QloomError as error:
        if name == "raw":
            raise
        return Row(name, refused=str(error))
    bias = _bias(unmeasured.values.astype(float) - truth, unmeasured.errors.astype(float))
    return Row(name, bias, float(np.sqrt((spread.astype(float) ** 2).mean())), circuits, each)


def _bias(off: np.ndarray, errors: np.ndarray) -> float:
    """Root mean square of what values are off by, beyond how they scatter by themselves where circuits are drawn."""
    square, scatter = float((off**2).mean()), float((errors**2).mean())
    # Squares of what is drawn vary by sqrt(2) of their mean where outputs go together.
    return float(np.sqrt(square - scatter)) if square > (1 + 2 * 2**0.5) * scatter else 0.0


def _taken(evaluator: Evaluator, batch: Batch) -> float:
    """Measurements of a sample, with those of calibration when it was prepared."""
    return evaluator.estimate(batch).shots / max(batch.size, 1) + getattr(evaluator, "prepared_shots", 0)
