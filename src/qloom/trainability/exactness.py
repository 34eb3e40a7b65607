"""Which engine a circuit is looked at with: properties of circuits are found from exact values."""

from __future__ import annotations

from typing import Any

from qloom.engines import Engine
from qloom.engines.evaluation import checked_engine
from qloom.errors import CircuitError


def exact_engine(circuit: Any, engine: Engine | None, what: str) -> Engine:
    """An engine asked for, else that of a `QuantumLayer`, else StatevectorEngine().

    Raises:
        CircuitError: if its values are estimates, of which there is no `what`.
    """
    found = checked_engine(engine or getattr(circuit, "engine", None))
    if not found.is_exact:
        raise CircuitError(
            f"{what} is found from exact values, which {found!r} does not give; pass "
            "engine=StatevectorEngine() to look at the circuit itself"
        )
    return found
