"""Who takes which kinds of gates: asked in one place, refused in one sentence."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from qloom.circuits.gate import Kind
from qloom.errors import UnsupportedError

if TYPE_CHECKING:
    from qloom.circuits.circuit import Circuit

UNITARY: frozenset[Kind] = frozenset({"unitary"})


def check_kinds(circuit: Circuit, who: str, instead: str, kinds: Collection[Kind] = UNITARY) -> None:
    """Raise unless all gates of a circuit are of these kinds.

    Args:
        who: takes them.
        instead: what to do.

    Raises:
        UnsupportedError: with the first gate that is of another kind.
    """
    for op in circuit.operations:
        kind = op.gate.kind
        if kind not in kinds:
            places = f"qubit{'s' * (len(op.qubits) > 1)} {', '.join(map(str, op.qubits))}"
            found = kind if kind == op.gate.name else f"{op.gate.name}, a {kind},"
            raise UnsupportedError(
                f"{who} takes {' or '.join(sorted(kinds))} gates only, got {found} on {places}; {instead}"
            )
