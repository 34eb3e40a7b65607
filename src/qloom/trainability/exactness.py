"""Which engine a circuit is looked at with: properties of circuits are found from exact values."""

from __future__ import annotations

from typing import Any

from qloom.engines import Engine, PropagationEngine, StatevectorEngine
from qloom.engines.evaluation import checked_engine
from qloom.errors import CircuitError

# States of more qubits are not looked at; words of so many then stay, the largest.
MOST_QUBITS_OF_STATES, MOST_WORDS_WALKED = 20, 1 << 14


def exact_engine(circuit: Any, engine: Engine | None, what: str, or_bounded: bool = False) -> Engine:
    """An engine asked for, else that of a `QuantumLayer`, else StatevectorEngine().

    Args:
        or_bounded: values that are cut will do.

    Raises:
        CircuitError: if its values are estimates, of which there is no `what`.
    """
    found = checked_engine(engine or getattr(circuit, "engine", None))
    if not (found.is_exact or (or_bounded and found.is_bounded)):
        raise CircuitError(
            f"{what} is found from exact values, which {found!r} does not give; pass "
            "engine=StatevectorEngine() to look at the circuit itself"
        )
    return found


def engine_of_states(engine: Engine) -> Engine:
    """The engine, or one that has states where it has none."""
    return engine if "state" in engine.gives else StatevectorEngine()


def engine_at(width: int, engine: Engine) -> Engine:
    """The engine, or one for circuits whose states are too large."""
    if width <= MOST_QUBITS_OF_STATES or "state" not in engine.gives:
        return engine
    return PropagationEngine(max_words=MOST_WORDS_WALKED)
