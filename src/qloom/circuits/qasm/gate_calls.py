"""Gates of a running program: definitions, modifiers, broadcasts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from math import isfinite
from typing import Any

from qloom.circuits.operations import Operation
from qloom.circuits.parameters import Angle, as_angle
from qloom.circuits.parts import Part, controlled_part, inverted_part, powered_part
from qloom.circuits.qasm import syntax as s
from qloom.circuits.qasm.definitions import known_gate, nearest, waits
from qloom.circuits.qasm.evaluating import Evaluation, shown
from qloom.circuits.qasm.program import MOST_CALLS, MOST_STEPS
from qloom.circuits.qasm.quick import QuickGates
from qloom.circuits.qasm.values import Measured, Qubits, Unsupported, plain
from qloom.errors import UnsupportedError


class GateCalls(Evaluation, QuickGates):
    """Gates on qubits, as steps of known gates."""

    def _do_gatebody(self, statement: s.GateBody) -> None:
        name = statement.name
        if name in self.gates or name in self.included:
            raise self.fault(statement.place, f"gate {name} is defined before, expected another name")
        clash = sorted(set(statement.parameters) & set(statement.qubits))
        if clash:
            raise self.fault(statement.place, f"{clash[0]} is a parameter and a qubit of gate {name}")
        for inner in statement.body or ():
            self._check_inner(name, inner, statement)
        self.gates[name] = statement
        self.forget()

    def _check_inner(self, name: str, inner: Any, of: s.GateBody) -> None:
        if isinstance(inner, s.For):
            for each in inner.body:
                self._check_inner(name, each, of)
            return
        if not isinstance(inner, s.Apply):
            raise self.fault(inner.place, f"a {type(inner).__name__.lower()} in gate {name}, expected gates alone")
        self._check_known(inner.place, inner.name)
        for operand in inner.operands:
            if not isinstance(operand, s.Name) or operand.name not in of.qubits:
                raise self.fault(operand.place, f"gate {name} acts on what is none of its qubits")

    def _check_known(self, place: int, name: str) -> None:
        if name not in self.gates and known_gate(name) is None and not waits(name):
            raise self.fault(place, f"unknown gate {name}{nearest(name, self.gates)}")

    def _do_apply(self, statement: s.Apply) -> None:
        if statement.name in self.subroutines and not statement.modifiers:
            raise self.fault(
                statement.place, f"{statement.name} is a subroutine, expected its arguments in parentheses"
            )
        self._check_known(statement.place, statement.name)
        arguments = [self._argument(argument) for argument in statement.arguments]
        n_qubits, steps = self._modified(statement, list(statement.modifiers), arguments)
        operands = [self.value(operand) for operand in statement.operands]
        for operand, written in zip(operands, statement.operands, strict=True):
            if not isinstance(operand, Qubits):
                raise self.fault(written.place, f"{shown(operand)} is no qubit")
        if len(operands) != n_qubits and not (n_qubits == 0 and not operands):
            raise self.fault(statement.place, f"{statement.name} on {len(operands)} operands, expected {n_qubits}")
        for qubits in self._broadcast(statement.place, operands):
            if len(set(qubits)) != len(qubits):
                raise self.fault(statement.place, f"{statement.name} acts on one qubit twice")
            for step in steps:
                self.emit(statement.place, step.gate, step.angles, tuple(qubits[q] for q in step.qubits))

    def _argument(self, expression: Any) -> Any:
        value = plain(self.value(expression))
        if isinstance(value, Angle):
            return value
        if isinstance(value, Measured | list | Qubits | complex):
            raise self.fault(expression.place, f"an angle of {shown(value)}, expected a number")
        try:
            if isfinite(value):
                return value
        except (OverflowError, TypeError):
            pass
        raise self.fault(expression.place, f"an angle of {shown(value)}, expected a finite number")

    def _broadcast(self, place: int, operands: Sequence[Qubits]) -> Iterator[tuple[int, ...]]:
        """A gate on registers is one on each of their qubits."""
        sizes = {len(operand.places) for operand in operands if not operand.is_single}
        if len(sizes) > 1:
            raise self.fault(place, f"registers of {', '.join(map(str, sorted(sizes)))} qubits, expected one size")
        for k in range(sizes.pop() if sizes else 1):
            yield tuple(operand.places[0 if operand.is_single else k] for operand in operands)

    def _modified(self, statement: s.Apply, modifiers: list[s.Modifier], arguments: list[Any]) -> tuple[int, Part]:
        """A gate with what stands before it; the nearest modifier acts first."""
        if not modifiers:
            return self._steps(statement.place, statement.name, arguments)
        modifier = modifiers[0]
        n_qubits, steps = self._modified(statement, modifiers[1:], arguments)
        if modifier.name == "inv":
            return n_qubits, inverted_part(steps, "inv")
        if modifier.name == "pow":
            if modifier.argument is None:
                raise self.fault(modifier.place, "pow without a number")
            return n_qubits, powered_part(steps, self._power(modifier), range(n_qubits), "pow")
        times = 1 if modifier.argument is None else plain(self.value(modifier.argument))
        if type(times) is not int or not 1 <= times <= MOST_CALLS:
            raise self.fault(modifier.place, f"{modifier.name}({shown(times)}), expected a whole number from 1 on")
        for _ in range(times):
            moved = [Operation(op.gate, tuple(q + 1 for q in op.qubits), op.angles) for op in steps]
            value = int(modifier.name == "ctrl")
            n_qubits, steps = n_qubits + 1, controlled_part(moved, (0,), (value,), modifier.name)
        return n_qubits, steps

    def _power(self, modifier: s.Modifier) -> float:
        power = plain(self.value(modifier.argument))
        if isinstance(power, int | float) and not isinstance(power, bool):
            with suppress(OverflowError):
                if isfinite(power):
                    return power
        raise Unsupported("pow(...) of what is no finite number")

    def _steps(self, place: int, name: str, arguments: list[Any]) -> tuple[int, Part]:
        body = self.gates.get(name)
        if body is not None:
            return len(body.qubits), self._expanded(place, body, arguments)
        if waits(name):
            return 1, []
        gate = known_gate(name)
        assert gate is not None
        if gate.n_angles != len(arguments):
            raise self.fault(place, f"{name} got {len(arguments)} angles, expected {gate.n_angles}")
        return gate.n_qubits, [Operation(gate, tuple(range(gate.n_qubits)), tuple(map(as_angle, arguments)))]

    def _expanded(self, place: int, body: s.GateBody, arguments: list[Any]) -> Part:
        if len(arguments) != len(body.parameters):
            raise self.fault(place, f"{body.name} got {len(arguments)} angles, expected {len(body.parameters)}")
        if not self._in_body:  # what bodies read of the program may have changed since
            self._expansions.clear()
        key = body.name, *((type(argument), argument) for argument in arguments)
        if key not in self._expansions:
            self._expansions[key] = self._run_body(place, body, arguments)
        return self._expansions[key]

    def _run_body(self, place: int, body: s.GateBody, arguments: list[Any]) -> Part:
        if body.body is None:
            raise self.fault(place, f"{body.name} is opaque: what it does is not known")
        places = {name: k for k, name in enumerate(body.qubits)}
        outer, self.scopes = self.scopes, [self.scopes[0], dict(zip(body.parameters, arguments, strict=True))]
        was, self._in_body = self._in_body, True
        try:
            out = list(islice(self._inner_steps(body.body, places), MOST_STEPS + 1))
            if len(out) > MOST_STEPS:
                raise self.fault(place, f"{body.name} comes to more than {MOST_STEPS} gates")
            return out
        finally:
            self.scopes, self._in_body = outer, was

    def _inner_steps(self, body: Sequence[Any], places: dict[str, int]) -> Iterator[Operation]:
        for inner in body:
            if isinstance(inner, s.For):
                for value in self._numbers(inner.over):
                    self._count_round(inner.place)
                    self.scopes.append({inner.name: value})
                    yield from self._inner_steps(inner.body, places)
                    self.scopes.pop()
                continue
            arguments = [self._argument(argument) for argument in inner.arguments]
            try:
                n_qubits, steps = self._modified(inner, list(inner.modifiers), arguments)
            except (Unsupported, UnsupportedError) as error:
                raise self.fault(inner.place, str(error)) from None
            qubits = [places[operand.name] for operand in inner.operands]
            if len(qubits) != n_qubits or len(set(qubits)) != len(qubits):
                raise self.fault(
                    inner.place, f"{inner.name} on {len(qubits)} qubits, expected {n_qubits} different ones"
                )
            if qubits == list(range(n_qubits)):
                yield from steps
                continue
            for step in steps:
                yield Operation(step.gate, tuple(qubits[q] for q in step.qubits), step.angles)
