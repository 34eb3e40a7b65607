"""Quadratic functions of bits in sparse files: a line with variables and entries, then i, j and value."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from qloom.combinatorial.model import Model
from qloom.combinatorial.problems.given import GivenModel
from qloom.combinatorial.problems.text import (
    MOST_THINGS,
    FormatError,
    InstanceError,
    Words,
    chosen,
    plain_rows,
    text_of,
)
from qloom.errors import ProblemError


def read_qubo(path: str | Path, instance: int | None = None, layout: str | None = None) -> GivenModel:
    """x' Q x of bits x, Q symmetric: an entry of i and j, given once, counts for both halves.

    Args:
        path: of the file.
        instance: 1 or None: a file holds one function.
        layout: "min" or "max": libraries differ in it, and the file does not say.

    Raises:
        ProblemError: for a file that cannot be read or is damaged, with the number of the line, or without a layout.
    """
    if layout not in (None, "min", "max"):
        raise ProblemError(f"layout {layout!r} of qubo, expected min or max")
    first, *rows = [(line, k) for k, line in enumerate(text_of(path).splitlines(), 1) if line.strip()]
    head = Words(path, *first)
    n, n_entries = head.integer("variables", 1, MOST_THINGS), head.integer("entries", 0)
    head.end()
    pairs, values = _entries(path, rows, n)
    if len(pairs) != n_entries:
        raise FormatError(f"{path} has {len(pairs)} entries, expected {n_entries} as its line {head.line} says")
    single = pairs[:, 0] == pairs[:, 1]
    if layout is None and not single.any():
        raise FormatError(f"{path} has no entry i i, expected a graph's format, or --format qubo:min or qubo:max")
    if layout is None:
        raise InstanceError(f"{path} is a quadratic function of bits, expected --format qubo:min or qubo:max to say "
                            "whether it is to be small (BiqMac) or large (OR-Library)")  # fmt: skip
    chosen(path, instance, 1)
    model = Model("min" if layout == "min" else "max")
    x = model.binary("x", n)
    model.add(values[single], x[pairs[single, 0]])
    model.add(2 * values[~single], x[pairs[~single, 0]], x[pairs[~single, 1]])
    return GivenModel(model, ("entries of two variables count twice, as Q is symmetric",))


def _entries(path: str | Path, rows: list[tuple[str, int]], n: int) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of variables from 0, the smaller first, each once, int64 (K, 2), and their values (K,)."""
    plain = plain_rows([line for line, _ in rows], 3)
    if plain is not None:
        pairs = np.sort(plain[:, :2], axis=1)
        fits = (pairs == np.round(pairs)).all() and (pairs >= 1).all() and (pairs <= n).all()
        if fits and len(np.unique(pairs @ [n + 1, 1])) == len(pairs):
            return pairs.astype(np.int64) - 1, plain[:, 2]
    entries = dict[tuple[int, int], float]()
    for row, line in rows:
        words = Words(path, row, line)
        i, j = sorted(words.integers("two variables", 2, 1, n).tolist())
        if (i, j) in entries:
            raise FormatError(f"{path}, line {line}: a second value of {i} and {j}, expected one")
        entries[i, j] = float(words.numbers("value", 1)[0])
        words.end()
    return np.array(list(entries)).reshape(-1, 2).astype(np.int64) - 1, np.array(list(entries.values()))
