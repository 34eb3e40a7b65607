"""Descent: a fine stage for states found by other means."""

from __future__ import annotations

from typing import Any

import numpy as np

from qloom import _searches
from qloom.checks import whole
from qloom.combinatorial.deadline import left
from qloom.combinatorial.quadratic import VALUES, Quadratic
from qloom.errors import ProblemError


def descend(
    function: Quadratic, states: Any, pairs: bool = True, threads: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """From each state down until no single flip, and no two flips at once, make the function smaller; natively.

    Args:
        function: to minimize.
        states: where to begin; left as they are.
        pairs: whether two variables may change at once.
        threads: None for all processors; results do not depend on them.

    Returns:
        The states, int8, and their values.

    Shapes: states (B, N) or (N,) -> the same, (B,) or ().

    Raises:
        ProblemError: for states of another shape or with other numbers than the variables may have.
    """
    whole(1, or_none=True, threads=threads)
    given, (low, high) = np.asarray(states), VALUES[function.kind]
    if given.shape[-1:] != (function.n,) or given.ndim > 2 or not np.isin(given, (low, high)).all():
        raise ProblemError(
            f"states has shape {given.shape}, expected (B, {function.n}) or ({function.n},) of {low} and {high}"
        )
    spins, rows = function.as_spins(), given.astype(np.int8, order="C").reshape(-1, function.n)
    down = rows if function.kind == "spin" else 2 * rows - 1
    energies = np.empty(len(down))
    n_threads = threads or _searches.available_threads()
    _searches.descend(*spins.couplings, spins.linear, pairs, down, energies, n_threads, left())
    found = down if function.kind == "spin" else (down + 1) // 2
    return found.reshape(given.shape), (energies + spins.constant).reshape(given.shape[:-1])
