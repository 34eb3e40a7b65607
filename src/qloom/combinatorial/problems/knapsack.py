"""Multi-dimensional knapsack: items of most value that fit into several resources at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, pairwise, repeat
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from qloom.checks import finite
from qloom.combinatorial.certificates import linear_program, run_relaxed
from qloom.combinatorial.model import Model, Sense, room
from qloom.combinatorial.model_size import ModelSize
from qloom.combinatorial.problems.base import Problem, every
from qloom.combinatorial.problems.layouts import Layout, noted, read_layout
from qloom.combinatorial.problems.text import Words, chosen, text_of
from qloom.errors import ProblemError

# Seconds for the relaxed problem at most.
RELAXING = 10.0


@dataclass(frozen=True, eq=False)
class Knapsack(Problem):
    """Items that use resources; a solution (N,) holds 1 for each item that is taken, else 0.

    Args:
        values: of the items, (N,).
        loads: of each item on each resource, (R, N).
        capacities: of the resources, (R,).
        optimum: that the problem's source states; None if it does not.

    Raises:
        ProblemError: for shapes that do not fit, NaN, or negative loads or capacities.
    """

    sense: ClassVar[Sense] = "max"
    values: np.ndarray
    loads: np.ndarray
    capacities: np.ndarray
    optimum: float | None = None

    def __post_init__(self) -> None:
        for name in ("values", "loads", "capacities"):
            object.__setattr__(self, name, finite(name, getattr(self, name)))
        n_items, n_resources = self.values.shape, self.capacities.shape
        if len(n_items) != 1 or len(n_resources) != 1 or self.loads.shape != n_resources + n_items or not n_items[0]:
            raise ProblemError(
                f"values, loads, capacities have shapes {n_items}, {self.loads.shape}, {n_resources}, "
                "expected (N,), (R, N), (R,) with at least one item"
            )
        for name in ("loads", "capacities"):
            if (getattr(self, name) < 0).any():
                raise ProblemError(f"{name} hold negative numbers, expected none below 0")

    @property
    def model_size(self) -> ModelSize:
        n_resources, n_items = self.loads.shape
        return ModelSize(n_items, n_items, 0).constrained(n_resources, n_items)

    @cached_property
    def model(self) -> Model:
        """A bit an item, within the capacities of the resources."""
        model = Model("max")
        x = model.binary("item taken", len(self.values))
        model.add(self.values, x)
        model.constrain("resource", np.broadcast_to(x, self.loads.shape), self.loads, "<=", self.capacities)
        return model

    @cached_property
    def order(self) -> np.ndarray:
        """Items by value for what they use, the best first; resources cost their prices in the relaxed problem.

        Without an answer to that, which takes a crash of the solver, all resources cost the same.

        Source: Chu, Beasley 1998, Journal of Heuristics 4, 63, section 3.
        """
        found = run_relaxed(linear_program(self.model), RELAXING)
        if found.status == "interrupted":
            raise KeyboardInterrupt
        prices = 1 / np.maximum(self.capacities, 1) if found.worth is None else -found.worth
        cost = np.maximum(prices @ self.loads, 1e-12 * (1 + np.abs(self.values).max()))
        return np.argsort(-self.values / cost, kind="stable")

    @cached_property
    def limits(self) -> np.ndarray:
        """What fits into the capacities, which rounding does not count against."""
        return room(self.capacities, self.loads)

    def objective(self, solution: np.ndarray) -> float:
        return float(self.values @ solution)

    def violations(self, solution: np.ndarray) -> dict[str, float]:
        used = self.loads @ solution
        over = np.where(used > self.limits, used - self.capacities, 0)
        return {f"resource[{r}]": float(amount) for r, amount in enumerate(over)}

    def decode(self, values: np.ndarray, random: np.random.Generator) -> np.ndarray:
        return self._repaired(values, self.order)

    def encode(self, solution: np.ndarray) -> np.ndarray:
        return solution.copy()

    def random_solution(self, random: np.random.Generator) -> np.ndarray:
        return self._repaired(random.integers(0, 2, len(self.values)), random.permutation(len(self.values)))

    def neighbour(self, solution: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """One item changes sides and stays there; others make room or fill up, by their order more or less shuffled."""
        n, item = len(solution), random.integers(len(solution))
        shift = 10 ** random.uniform(-2, -0.5) * n * random.standard_normal(n)
        rest = self.order[np.argsort(np.arange(n) + shift)]
        rest = rest[rest != item]
        out = solution.copy()
        out[item] = 1 - out[item]
        return self._filled(self._dropped(out, np.append(item, rest)), rest)

    def candidates(self) -> Iterator[np.ndarray]:
        return every([2] * len(self.values))

    def draw(self, solution: np.ndarray, axes: Any) -> None:
        """The share of each resource that is used, stacked by item."""
        places = np.arange(len(self.capacities))
        left = np.zeros(len(places))
        whole = np.where(self.capacities > 0, self.capacities, 1)
        style = {"label_type": "center", "color": "white", "fontsize": min(10, 180 / len(places))}
        for item in np.flatnonzero(solution):
            share = self.loads[:, item] / whole
            bars = axes.barh(places, share, left=left, color=f"C{item % 10}", edgecolor="white", linewidth=0.5)
            if share.max() > 0.03:
                axes.bar_label(bars, [str(item) if s > 0.03 else "" for s in share], **style)
            left += share
        axes.axvline(1, color="black")
        axes.tick_params(axis="y", labelsize=style["fontsize"])
        axes.set(xlabel="share of the capacity in use, by item", ylabel="resource", yticks=places, xlim=(0, 1.05))
        axes.invert_yaxis()

    def describe(self, solution: np.ndarray) -> dict[str, Any]:
        return {"items taken": np.flatnonzero(solution).tolist(), "used": (self.loads @ solution).tolist()}

    def _repaired(self, solution: np.ndarray, order: np.ndarray) -> np.ndarray:
        return self._filled(self._dropped(solution, order), order)

    def _dropped(self, solution: np.ndarray, order: np.ndarray) -> np.ndarray:
        """Without the last items in an order, as many as it takes for the others to fit."""
        taken = order[solution[order] == 1]
        used = np.cumsum(self.loads[:, taken], axis=1)
        out = np.zeros(len(solution), np.int64)
        out[taken[(used <= self.limits[:, None]).all(axis=0)]] = 1
        return out

    def _filled(self, solution: np.ndarray, order: np.ndarray) -> np.ndarray:
        """With items that still fit and are worth something, in an order."""
        out, room = solution.copy(), self.limits - self.loads @ solution
        left = order[(out[order] == 0) & (self.values[order] > 0)]
        while len(left := left[(self.loads[:, left] <= room[:, None]).all(axis=0)]):
            out[left[0]] = 1
            room -= self.loads[:, left[0]]
            left = left[1:]
        return out


def _items_first(words: Words) -> Knapsack:
    n_items, n_resources = words.counts("items, resources", 2)
    optimum = float(words.numbers("optimum", 1)[0])
    values = words.numbers("values", n_items)
    loads = words.numbers("loads", n_items * n_resources).reshape(n_resources, n_items)
    return Knapsack(values, loads, words.numbers("capacities", n_resources), optimum or None)


def _resources_first(words: Words) -> Knapsack:
    n_resources, n_items = words.counts("resources, items", 2)
    values, capacities = words.numbers("values", n_items), words.numbers("capacities", n_resources)
    loads = words.numbers("loads", n_items * n_resources).reshape(n_resources, n_items)
    return Knapsack(values, loads, capacities, float(words.numbers("optimum", 1)[0]) or None)


def _alone(read: Callable[[Words], Knapsack]) -> Callable[[Words], Knapsack]:
    """Of a file that holds one problem."""

    def of(words: Words) -> Knapsack:
        problem = read(words)
        words.end()
        return problem

    return of


LAYOUTS = {
    "items": Layout(
        "items, resources and optimum, values, loads by resource, capacities (OR-Library)",
        lambda n, m: chain([3, n], repeat(n, m), [m]), _alone(_items_first),
    ),
    "resources": Layout(
        "resources and items, values, capacities, loads by resource, optimum",
        lambda m, n: chain([2, n, m], repeat(n, m), [1]), _alone(_resources_first),
    ),
}  # fmt: skip


def read_knapsack(path: str | Path, instance: int | None = None, layout: str | None = None) -> Knapsack:
    """Items and resources in one of the published layouts; an optimum of 0 is unknown.

    Several problems of OR-Library's layout stand one after another, after a line with their number; or they are of the
    other layout, each between rulers of + below a line "problem NAME", after any text (OR-Library's mknap2).

    Args:
        path: of the file.
        instance: which of its problems, from 1; None if there is only one.
        layout: "items" (OR-Library's), or "resources", whose number comes first; None finds which one it is.

    Raises:
        ProblemError: for a file that cannot be read or is damaged, with the number of the line, or that several layouts
            fit.
    """
    words, named = Words.of(path), _named(path)
    if named:
        known = [(name, _alone(_resources_first)(own)) for name, own in named]
        k = chosen(path, instance, len(known))
        return noted(known[k][1], f"problem {k + 1} of {len(known)}, {known[k][0]}; {LAYOUTS['resources'].said}")
    if len(text_of(path).strip().splitlines()[0].split()) > 1:
        problem = read_layout(path, LAYOUTS, "knapsack", layout)
        chosen(path, instance, 1)
        return problem  # type: ignore[no-any-return]
    found = [_items_first(words) for _ in range(words.integer("number of problems", 1, 1000))]
    words.end()
    return found[chosen(path, instance, len(found))]


def _named(path: str | Path) -> list[tuple[str, Words]]:
    """The problems of a file that names them, each up to the next ruler or name."""
    lines, found = text_of(path).splitlines(), list[tuple[str, Words]]()
    starts = [k for k, line in enumerate(lines) if re.fullmatch(r"\s*problem\s+\S+\s*", line)]
    for start, end in pairwise([*starts, len(lines)]):
        rulers = [k for k in range(start + 1, end) if re.fullmatch(r"\s*\+\++\s*", lines[k])]
        first, last = (rulers[0] + 1 if rulers else start + 1), (rulers[1] if len(rulers) > 1 else end)
        found.append((lines[start].split()[1], Words(path, "\n".join(lines[first:last]), first + 1)))
    return found
