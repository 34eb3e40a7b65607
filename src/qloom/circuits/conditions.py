"""Classical bits: measurements that write them, and gates under conditions on them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from qloom.checks import as_tuple, is_integer
from qloom.circuits.gate import Gate
from qloom.circuits.gates import GATES
from qloom.errors import CircuitError


@dataclass(frozen=True)
class Condition:
    """Bits that are read as a number, the first the lowest, and the numbers for which it holds.

    Args:
        bits: different ones.
        values: that it holds for; with `negated` it holds for all others.
    """

    bits: tuple[int, ...]
    values: frozenset[int]
    negated: bool = False

    def holds(self, bits: int) -> bool:
        """For bits as a number, bit k worth 2^k."""
        read = sum((bits >> bit & 1) << k for k, bit in enumerate(self.bits))
        return (read in self.values) != self.negated

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values: `bits` and `values` as lists, the values sorted, and `negated`."""
        return {"bits": list(self.bits), "values": sorted(self.values), "negated": self.negated}

    @staticmethod
    def from_json(data: dict[str, Any]) -> Condition:
        """Inverse of `to_json`; CircuitError for bits or values that are none."""
        return condition_on(data["bits"], data["values"], bool(data["negated"]))


def condition_on(bits: int | Iterable[int], values: int | Iterable[int] = 1, negated: bool = False) -> Condition:
    """A checked condition.

    Args:
        bits: different ones, or one; the first is the lowest of the number that they are read as.
        values: numbers for which it holds, or one.
        negated: whether it holds for all others instead.

    Raises:
        CircuitError: for bits or values that are none.
    """
    places = (bits,) if is_integer(bits) else as_tuple("a condition", bits)
    numbers = (values,) if is_integer(values) else as_tuple("a condition", values)
    if not places or len(set(places)) != len(places) or not all(is_integer(bit) and bit >= 0 for bit in places):
        raise CircuitError(f"a condition is on bits {bits!r}, expected different integers from 0 on")
    if not all(is_integer(value) and 0 <= value < 1 << len(places) for value in numbers):
        raise CircuitError(
            f"a condition on {len(places)} bits has values {values!r}, expected integers from 0 to "
            f"{(1 << len(places)) - 1}"
        )
    return Condition(tuple(map(int, places)), frozenset(map(int, numbers)), negated)


def measured_gate(bit: int) -> Gate:
    """The measurement of a qubit whose outcome is written into a classical bit."""
    if not is_integer(bit) or bit < 0:
        raise CircuitError(f"measure writes bit {bit!r}, expected an integer from 0 on")
    return replace(GATES["measure"], data=int(bit))


def conditional_gate(gate: Gate, condition: Condition) -> Gate:
    """A gate that is applied where a condition on classical bits holds."""
    return Gate(
        "if", gate.n_qubits, gate.n_angles, f"{gate.doc}, under a condition on bits", kind="conditional",
        data=(gate, condition),
    )  # fmt: skip


def without_conditions(gate: Gate) -> tuple[Gate, tuple[Condition, ...]]:
    """What is applied, and the conditions that it is under, the outermost first."""
    conditions: list[Condition] = []
    while gate.kind == "conditional":
        gate, condition = gate.data
        conditions.append(condition)
    return gate, tuple(conditions)


def bits_written(gate: Gate) -> tuple[int, ...]:
    """By the gate, or where its condition holds."""
    gate, _ = without_conditions(gate)
    return (gate.data,) if gate.kind == "measurement" and gate.data is not None else ()


def bits_read(gate: Gate) -> tuple[int, ...]:
    """By conditions."""
    return tuple(bit for condition in without_conditions(gate)[1] for bit in condition.bits)
