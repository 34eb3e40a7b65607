"""What an engine is: it prepares a circuit and what is measured, once, for many evaluations."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.engines.batch import Batch
from qloom.errors import CircuitError, UnsupportedError
from qloom.observables import PauliSum, Z, check_fits


@dataclass(frozen=True)
class Probabilities:
    """As outputs: probabilities of the 2^k outcomes of k qubits, in order of the bit string."""

    qubits: tuple[int, ...]


@dataclass(frozen=True)
class FinalState:
    """As outputs: the 2^n amplitudes, two real numbers each; derivatives are those of the numbers.

    Args:
        n_qubits: n.
        linear: as a linear map of initial amplitudes, which may have any norm: all real parts, then all imaginary
            parts, as the inputs are; else the two of each amplitude side by side, as complex numbers lie in memory.
    """

    n_qubits: int
    linear: bool = False


Outputs = tuple[PauliSum, ...] | Probabilities | FinalState


def as_outputs(circuit: Circuit, observables: Any = None) -> Outputs:
    """Outputs from what a user may give: Pauli sums, "probabilities", "state", their classes, None for every Z."""
    if observables is None:
        return tuple(Z(q) for q in range(circuit.n_qubits))
    if isinstance(observables, str):
        whole: dict[str, Outputs] = {
            "probabilities": Probabilities(tuple(range(circuit.n_qubits))),
            "state": FinalState(circuit.n_qubits),
        }
        if observables not in whole:
            raise CircuitError(f"observables={observables!r}, expected Pauli sums, 'probabilities' or 'state'")
        return whole[observables]
    if isinstance(observables, Probabilities):
        return Probabilities(checked_qubits(circuit, observables.qubits))
    if isinstance(observables, FinalState):
        if observables.n_qubits != circuit.n_qubits:
            raise CircuitError(f"state of {observables.n_qubits} qubits, expected the circuit's {circuit.n_qubits}")
        return observables
    if isinstance(observables, PauliSum):
        observables = (observables,)
    if not isinstance(observables, Sequence) or not observables:
        raise CircuitError(f"observables={observables!r}, expected one Pauli sum or more, such as [Z(0), Z(0) @ Z(1)]")
    for observable in observables:
        check_fits(observable, circuit.n_qubits)
    return tuple(observables)


def checked_qubits(circuit: Circuit, qubits: Sequence[int] | None) -> tuple[int, ...]:
    """Qubits to measure, all of them for None."""
    if qubits is None:
        return tuple(range(circuit.n_qubits))
    given = tuple(qubits) if isinstance(qubits, Iterable) else (qubits,)
    whole = all(isinstance(q, int | np.integer) and 0 <= q < circuit.n_qubits for q in given)
    if not given or not whole or len(set(given)) != len(given):
        raise CircuitError(f"qubits {qubits!r}, expected different integers from 0 to {circuit.n_qubits - 1}")
    return tuple(int(q) for q in given)


class Evaluator(ABC):
    """A prepared circuit: arrays in, values out. Thread-safe."""

    circuit: Circuit
    n_outputs: int
    deterministic = True  # the same arrays give the same values: not so with shots
    any_norm = False  # initial amplitudes need not have norm 1
    n_groups = 1  # of words that are measured together

    @abstractmethod
    def values(self, batch: Batch) -> np.ndarray:
        """Values (B, O)."""

    def go_on_from(self, other: Any) -> None:  # noqa: B027 - exact evaluators have none
        """Take over the random numbers of another evaluator, where there are any."""


class AdjointEvaluator(Evaluator):
    """An evaluator that also walks backwards: cotangents in, derivatives out.

    Attributes:
        trained: (W,) of booleans; the other weights are frozen, their derivatives 0 and not worked for. None for all.
        walk_cost: what a walk back comes to in forward runs.
        n_slopes: R, derivatives by single rotations that are measured, each with shots of its own; 0 where none are.
    """

    trained: np.ndarray | None = None
    walk_cost: int = 2
    n_slopes: int = 0

    @property
    def plan(self) -> Any:
        """What says how many measurements slopes take; None where nothing does."""
        return None

    def follow(self, plan: Any) -> None:
        """Let a plan (`qloom.gradients.ShotPlan`) say how many measurements slopes take."""
        raise UnsupportedError("derivatives are not measured one by one; give shots and parameter shift")

    def wants_weight(self, index: int) -> bool:
        """Whether a weight's derivative is to be found, where those of weights are at all."""
        return self.trained is None or bool(self.trained[index])

    @abstractmethod
    def forward(self, batch: Batch, keep: bool) -> tuple[np.ndarray, Any]:
        """Values (B, O) and, if asked for and small enough, what spares the backward walk the forward one, or None."""

    @abstractmethod
    def backward(
        self, batch: Batch, cotangents: np.ndarray, kept: Any, wants: tuple[bool, bool]
    ) -> tuple[np.ndarray | None, np.ndarray | None]:
        """Derivatives of sum(cotangents * values).

        Shapes: cotangents (B, O) -> d_inputs (B, I), d_weights (W,) or (B, W) as weights; None if not wanted.
        """

    def values(self, batch: Batch) -> np.ndarray:
        return self.forward(batch, keep=False)[0]


class Engine(ABC):
    """Runs circuits. Subclasses give `prepare_exact` and `state`."""

    def prepare(
        self, circuit: Circuit, observables: Any = None, *, shots: int | None = None, seed: Any = None
    ) -> Evaluator:
        """An evaluator of expectation values or probabilities; estimated from `shots` measurements if given.

        The seed is an integer, None for fresh entropy, or a `Stream` that others draw from too.
        """
        if not isinstance(circuit, Circuit):
            raise CircuitError(f"circuit is a {type(circuit).__name__}, expected a Circuit")
        outputs = as_outputs(circuit, observables)
        if shots is None:
            return self.prepare_exact(circuit, outputs)
        from qloom.engines.shots import ShotEvaluator

        return ShotEvaluator(self, circuit, outputs, shots, seed)

    @abstractmethod
    def prepare_exact(self, circuit: Circuit, outputs: Outputs) -> Evaluator:
        """An evaluator of exact values."""

    def state(self, circuit: Circuit, batch: Batch) -> np.ndarray:
        """Final states (B, 2^n), complex."""
        raise UnsupportedError(f"{type(self).__name__} keeps no state; ask for expectation values or samples")


def n_outputs_of(outputs: Outputs) -> int:
    """O."""
    if isinstance(outputs, FinalState):
        return 2 * 2**outputs.n_qubits
    return 2 ** len(outputs.qubits) if isinstance(outputs, Probabilities) else len(outputs)
