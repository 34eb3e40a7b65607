"""A program as it runs: names, qubits and bits, and the gates that it comes to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qloom.circuits.circuit import Circuit, Operation
from qloom.circuits.conditions import Condition, conditional_gate
from qloom.circuits.gate import Gate
from qloom.circuits.parameters import Angle
from qloom.circuits.parts import Part
from qloom.circuits.qasm import syntax as s
from qloom.circuits.qasm.tokens import QasmError, Tokens
from qloom.circuits.qasm.values import CONSTANTS, Bits, Cell, Qubits

# Gates of a circuit, and rounds of loops, before a text is refused.
MOST_GATES, MOST_ROUNDS = 1 << 23, 1 << 20
# Qubits or bits of a register, calls within each other.
MOST_SIZE, MOST_CALLS = 1 << 20, 100
# Steps of one gate that a text defines.
MOST_STEPS = 1 << 20


class Leaving(Exception):  # noqa: N818 - no error
    """break, continue, end or return on its way out."""

    def __init__(self, how: str, value: Any = None):
        self.how, self.value = how, value


class Program:
    """What a text has declared so far, and the gates it comes to."""

    def __init__(self, text: str, version: int, inputs: frozenset[str]):
        self.tokens, self.version, self.inputs = Tokens(text), version, inputs
        self.scopes: list[dict[str, Any]] = [{}]
        self.gates: dict[str, s.GateBody] = {}
        self.included: set[str] = set()
        self.subroutines: dict[str, s.Subroutine] = {}
        self.n_qubits = self.n_bits = self.rounds = self.calls = 0
        self.operations: list[Operation] = []
        self.conditions: list[Condition] = []
        self.depths: list[int] = []  # scopes that were there when each condition began
        self.stale: set[int] = set()  # bits of conditions that were measured into while these hold
        self.registers: list[Bits] = []
        self.circuit = Circuit(1)  # that slots are declared on
        self._hardware: dict[str, int] = {}
        self._conditional: dict[tuple[Gate, Condition], Gate] = {}
        self._in_body = False
        self._expansions: dict[tuple[Any, ...], Part] = {}  # of gates called within the one that is being expanded

    def forget(self) -> None:
        """A name has got another meaning: what was remembered of it goes."""

    def fault(self, place: int, message: str) -> QasmError:
        return self.tokens.fault(place, message)

    def _count_round(self, place: int) -> None:
        self.rounds += 1
        if self.rounds > MOST_ROUNDS:
            raise self.fault(place, f"loops take more than {MOST_ROUNDS} rounds")

    def look_up(self, place: int, name: str) -> Any:
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        if name in CONSTANTS and (self.version == 3 or name == "pi"):
            return CONSTANTS[name]
        if name.startswith("$"):
            return self._physical(name)
        raise self.fault(place, f"{name} is not declared")

    def _physical(self, name: str) -> Qubits:
        if name not in self._hardware:
            self._hardware[name] = self._new_qubits(1)[0]
        return Qubits((self._hardware[name],), is_single=True)

    def _new_qubits(self, count: int) -> tuple[int, ...]:
        first, self.n_qubits = self.n_qubits, self.n_qubits + count
        return tuple(range(first, self.n_qubits))

    def declare(self, place: int, name: str, value: Any) -> None:
        if name in self.scopes[-1]:
            raise self.fault(place, f"{name} is declared twice")
        self.scopes[-1][name] = value
        if name in CONSTANTS:
            self.forget()

    def _allocate(self, cell: Cell) -> None:
        if cell.place is None:
            cell.place, self.n_bits = self.n_bits, self.n_bits + 1

    def emit(self, place: int, gate: Gate, angles: Sequence[Angle], qubits: tuple[int, ...]) -> None:
        for condition in reversed(self.conditions):
            if self.stale & set(condition.bits):
                raise self.fault(place, "a gate under a condition whose bits were measured into since it was asked")
            key = gate, condition
            if key not in self._conditional:
                self._conditional[key] = conditional_gate(gate, condition)
            gate = self._conditional[key]
        if len(self.operations) >= MOST_GATES:
            raise self.fault(place, f"more than {MOST_GATES:,} gates")
        self.operations.append(Operation(gate, qubits, tuple(angles)))
