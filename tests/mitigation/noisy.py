"""Noise of the tests that no model of rules has: on the whole register, or the same behind chosen gates."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from qloom.circuits import Circuit
from qloom.circuits.operations import Operation
from qloom.engines import Engine

Added = Callable[[Circuit, Operation], Any]


class Noisy(Engine):
    """A noise model by a function, which adds operations behind each of the circuit's, and one for the end."""

    def __init__(self, engine: Engine, after: Added, last: Callable[[Circuit], Any] = lambda c: None):
        self.engine, self.after, self.last = engine, after, last
        self.runs, self.gives = engine.runs, engine.gives

    def running(self, circuit: Circuit) -> tuple[Engine, Circuit]:
        out = circuit.copy()
        out.operations = []
        for op in circuit.operations:
            out.operations.append(op)
            if op.qubits:
                self.after(out, op)
        self.last(out)
        return self.engine.running(out)

    def prepare(self, circuit: Circuit, observables: Any = None) -> Any:
        engine, written = self.running(circuit)
        return engine.prepare(written, observables)

    def evaluator(self, circuit: Circuit, outputs: Any) -> Any:
        raise AssertionError("prepare takes its place")

    def check_runs(self, circuit: Circuit) -> None:
        engine, written = self.running(circuit)
        engine.check_runs(written)

    def parities(self, circuit: Circuit, masks: tuple[int, ...]) -> Any:
        engine, written = self.running(circuit)
        return engine.parities(written, masks)

    def sampler(self, circuit: Circuit, qubits: Iterable[int]) -> Any:
        engine, written = self.running(circuit)
        return engine.sampler(written, tuple(qubits))


def none(circuit: Circuit, op: Operation) -> None:
    """No noise of gates."""


def after_gates(rate: float) -> Added:
    """Depolarizing on the qubits of every gate."""
    return lambda circuit, op: circuit.depolarizing(rate, *op.qubits)


def on_all(rate: float) -> Added:
    """Depolarizing on the whole register behind every gate."""
    return lambda circuit, op: circuit.depolarizing(rate, *range(circuit.n_qubits))


def after_pairs(add: Added) -> Added:
    """The same behind gates of two qubits alone."""
    return lambda circuit, op: add(circuit, op) if len(op.qubits) == 2 else None
