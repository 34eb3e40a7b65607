"""What scheduling problems share: the model of orders, and Gantt charts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from qloom.checks import finite
from qloom.combinatorial.model import Model
from qloom.errors import ProblemError

# Horizons, and other numbers, that CP-SAT still adds and multiplies in its 64 bits.
LARGEST = 2**31
# Paths that a model of orders has terms for, at most.
MOST_PATHS = 2_000_000
# What proofs of makespans need of CP-SAT: without them two workers do not close ft10 in two minutes.
PROPAGATION = {"use_dynamic_precedence_in_disjunctive": True, "use_strong_propagation_in_disjunctive": True}


def whole_numbers(name: str, numbers: Any) -> np.ndarray:
    """As int64.

    Raises:
        ProblemError: for numbers that are not whole, below 0 or above `LARGEST`.
    """
    out = finite(name, numbers)
    if (out != np.round(out)).any() or out.min(initial=0) < 0 or out.max(initial=0) > LARGEST:
        raise ProblemError(f"{name} hold numbers below 0 or not whole, or above {LARGEST}, expected integers from 0")
    return out.astype(np.int64)


def check_horizon(total: int, most: int = LARGEST) -> None:
    """Refuse tasks that take too long in all.

    Raises:
        ProblemError: with the sum and what it may be.
    """
    if total > most:
        raise ProblemError(f"durations sum up to {total}, expected at most {most}; use other units of time")


def longest_paths(durations: np.ndarray, arcs: np.ndarray) -> np.ndarray:
    """From the start of each task to that of each other one; 0 to itself, -inf where there is no path.

    Shapes: durations (N,), arcs (K, 2) from task to later task -> float64 (N, N).

    Raises:
        ProblemError: for arcs that lead round in a circle.
    """
    n = len(durations)
    waits = np.bincount(arcs[:, 1], minlength=n)
    order = np.flatnonzero(waits == 0).tolist()
    paths = np.where(np.eye(n, dtype=bool), 0.0, -np.inf)
    for task in order:
        for later in arcs[arcs[:, 0] == task, 1]:
            paths[:, later] = np.maximum(paths[:, later], paths[:, task] + durations[task])
            waits[later] -= 1
            if not waits[later]:
                order.append(int(later))
    if len(order) < n:
        stuck = sorted(set(range(n)) - set(order))
        raise ProblemError(f"tasks {stuck[:5]} wait for one another in a circle, expected an order that all can keep")
    return paths


def add_orders(
    model: Model, durations: np.ndarray, paths: np.ndarray, pairs: np.ndarray, weights: np.ndarray, scale: float
) -> np.ndarray:
    """A bit for each pair, whether its first task comes before its second; all paths that wait twice cost.

    A path that goes from task i over to j, from j by precedence to k and over to l costs w_ij w_kl exp(length / scale),
    so that the long ones count most. Orders in a circle are left to the decoder, which goes by how often a task loses.

    Shapes: durations (N,), paths (N, N), pairs (P, 2), weights (P,) -> the bits' numbers (P,).

    Raises:
        ProblemError: if there are more than `MOST_PATHS`.
    """
    bits = model.binary("before", len(pairs))
    first, second = np.concatenate([pairs, pairs[:, ::-1]]).T
    # An arc is taken if its bit is 1, or 1 - bit if it goes from the second to the first.
    bit, base, sign = np.tile(bits, 2), np.repeat([0, 1], len(pairs)), np.repeat([1, -1], len(pairs))
    head, tail = paths.max(axis=0), (paths + durations).max(axis=1)
    into = [np.flatnonzero(second == task) for task in range(len(durations))]
    out_of = [np.flatnonzero(first == task) for task in range(len(durations))]
    middles = [(j, k) for j, k in np.argwhere(paths > -np.inf) if len(into[j]) and len(out_of[k])]
    n_paths = sum(len(into[j]) * len(out_of[k]) for j, k in middles)
    if n_paths > MOST_PATHS:
        raise ProblemError(
            f"the model of orders has {len(bits)} bits and {n_paths} paths, expected at most {MOST_PATHS}; "
            "use improve and certify, which need no model"
        )
    for j, k in middles:
        a, b = (ends.ravel() for ends in np.meshgrid(into[j], out_of[k]))
        a, b = np.stack([a, b])[:, first[a] != second[b]]
        lengths = head[first[a]] + durations[first[a]] + paths[j, k] + durations[k] + tail[second[b]]
        costs = np.tile(weights, 2)[a] * np.tile(weights, 2)[b] * np.exp(lengths / scale)
        model.add(costs * sign[a] * sign[b], bit[a], bit[b])
        model.add(costs * sign[a] * base[b], bit[a])
        model.add(costs * base[a] * sign[b], bit[b])
        model.add(costs * base[a] * base[b])
    return bits


def losses(pairs: np.ndarray, bits: np.ndarray, n: int) -> np.ndarray:
    """Whether a task is to come after another one, bool (N, N)."""
    later = np.zeros((n, n), bool)
    first, second = pairs.T
    later[second, first], later[first, second] = bits > 0, bits == 0
    return later


class Bar(NamedTuple):
    """What a Gantt chart shows of one task."""

    row: int
    start: int
    end: int
    colour: int
    label: str


def gantt_chart(axes: Any, bars: Iterable[Bar], of: str, names: Sequence[Any]) -> None:
    """Bars over time in rows with names, row 0 at the top; labels where there is room."""
    bars = list(bars)
    makespan = max(bar.end for bar in bars)
    for bar in bars:
        length = bar.end - bar.start
        axes.barh(bar.row, length, left=bar.start, height=0.8, color=f"C{bar.colour % 10}", edgecolor="white")
        if length * 45 >= makespan * len(bar.label):
            middle = bar.start + length / 2
            axes.text(middle, bar.row, bar.label, ha="center", va="center", color="white", fontsize=7)
    axes.axvline(makespan, color="black", linewidth=1)
    axes.set(xlabel=f"time (makespan {makespan})", ylabel=of, ylim=(len(names) - 0.5, -0.5))
    axes.set_yticks(range(len(names)), names)
