"""Who takes which kinds of gates: asked in one place, refused in one sentence."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from qloom.circuits.gate import Kind
from qloom.errors import UnsupportedError

if TYPE_CHECKING:
    from qloom.circuits.circuit import Circuit

UNITARY: frozenset[Kind] = frozenset({"unitary"})
NOISY: frozenset[Kind] = UNITARY | {"channel", "measurement", "reset"}


def check_kinds(
    circuit: Circuit, who: str, instead: str, kinds: Collection[Kind] = UNITARY, unseen: Collection[Kind] = frozenset()
) -> None:
    """Raise unless all gates of a circuit are of these kinds.

    Args:
        who: takes them.
        instead: what to do.
        unseen: kinds that who takes them never meets.

    Raises:
        UnsupportedError: with the first gate that is of another kind.
    """
    for op in circuit.operations:
        kind = op.gate.kind
        if kind not in kinds and kind not in unseen:
            places = f"qubit{'s' * (len(op.qubits) > 1)} {', '.join(map(str, op.qubits))}"
            found = kind if kind == op.gate.name else f"{op.gate.name}, a {kind},"
            raise UnsupportedError(
                f"{who} takes {' or '.join(sorted(kinds))} gates only, got {found} on {places}; {instead}"
            )
