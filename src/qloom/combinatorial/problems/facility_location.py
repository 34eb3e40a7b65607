"""Capacitated facility location with one source: open facilities, each customer served by one of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import numpy as np

from qloom.checks import finite
from qloom.combinatorial.model import TOLERANCE, Model, room
from qloom.combinatorial.model_size import ModelSize
from qloom.combinatorial.problems.base import Problem, every
from qloom.combinatorial.problems.layouts import Layout, read_layout
from qloom.combinatorial.problems.text import Words, chosen
from qloom.errors import ProblemError

# By how much more than the best a solution may cost that the search goes on from, as a share; customers of a kick.
DEVIATION, LEAVING = 0.02, 5
# Share of a capacity that an exact solver may take for nothing.
NEGLIGIBLE = 1e-5


@dataclass(frozen=True, eq=False)
class FacilityLocation(Problem):
    """Customers that facilities serve; a solution (C,) holds the facility of each customer, from 0.

    A facility is open if it serves a customer, and costs its opening then.

    Args:
        opening: costs of the facilities, (F,), none negative.
        capacities: of the facilities, (F,).
        demands: of the customers, (C,), none negative.
        service: costs of serving a customer from a facility, all of its demand, (F, C).

    Raises:
        ProblemError: for shapes that do not fit, NaN, negative numbers where there are none, a customer that no
            facility can serve, or more demand than capacity.
    """

    opening: np.ndarray
    capacities: np.ndarray
    demands: np.ndarray
    service: np.ndarray

    def __post_init__(self) -> None:
        for name in ("opening", "capacities", "demands", "service"):
            object.__setattr__(self, name, finite(name, getattr(self, name)))
        shapes = [self.opening.shape, self.capacities.shape, self.demands.shape]
        n = self.service.shape
        if self.service.ndim != 2 or not self.service.size or shapes != [n[:1], n[:1], n[1:]]:
            raise ProblemError(
                f"opening, capacities, demands, service have shapes {', '.join(map(str, shapes))}, "
                f"{self.service.shape}, expected (F,), (F,), (C,), (F, C), none empty"
            )
        for name in ("opening", "capacities", "demands"):
            if (getattr(self, name) < 0).any():
                raise ProblemError(f"{name} hold negative numbers, expected none below 0")
        largest = int(self.demands.argmax())
        if self.demands[largest] > self.limits.max():
            raise ProblemError(
                f"customer {largest} has demand {self.demands[largest]:g}, the largest facility capacity "
                f"{self.capacities.max():g}; no facility can serve it"
            )
        if self.demands.sum() > self.limits.sum():
            raise ProblemError(
                f"demands sum to {self.demands.sum():g}, capacities to {self.capacities.sum():g}, expected no more "
                "demand than capacity"
            )

    @property
    def model_size(self) -> ModelSize:
        n_facilities, n_customers = self.service.shape
        n_little = np.count_nonzero(self.demands[:, None] <= NEGLIGIBLE * self.capacities)
        size = ModelSize(self.service.size + n_facilities, self.service.size + n_facilities, 0)
        size = size.constrained(n_customers, n_facilities).constrained(n_facilities, n_customers + 1)
        return size.constrained(int(n_little), 2)

    @cached_property
    def model(self) -> Model:
        """Which facility serves a customer, and which facilities are open.

        A closed facility has no capacity; a customer whose demand is too small to show in that opens its facility by a
        constraint of its own.
        """
        n_facilities, n_customers = self.service.shape
        model = Model()
        x = model.one_hot("facility of customer", n_customers, n_facilities)
        opened = model.binary("open", n_facilities)
        model.add(self.service.T, x)
        model.add(self.opening, opened)
        loads = np.column_stack([np.tile(self.demands, (n_facilities, 1)), -self.capacities])
        model.constrain("capacity of facility", np.column_stack([x.T, opened]), loads, "<=", 0)
        customers, facilities = np.nonzero(self.demands[:, None] <= NEGLIGIBLE * self.capacities)
        served = np.column_stack([x[customers, facilities], opened[facilities]])
        model.constrain("little customer at open facility", served, [1, -1], "<=", 0)
        return model

    @cached_property
    def limits(self) -> np.ndarray:
        """What fits into the capacities, which rounding does not count against."""
        return room(self.capacities, self.demands)

    def objective(self, solution: np.ndarray) -> float:
        service = self.service[solution, np.arange(len(solution))]
        return float(service.sum() + self.opening[np.unique(solution)].sum())

    def violations(self, solution: np.ndarray) -> dict[str, float]:
        used = self._used(solution)
        over = np.where(used > self.limits, used - self.capacities, 0)
        return {f"capacity of facility[{f}]": float(amount) for f, amount in enumerate(over)}

    def decode(self, values: np.ndarray, random: np.random.Generator) -> np.ndarray:
        wanted = values[: self.service.size].reshape(self.service.T.shape).astype(float)
        return self._repaired((wanted + 1e-3 * random.random(wanted.shape)).argmax(axis=1), random)

    def encode(self, solution: np.ndarray) -> np.ndarray:
        rows = np.eye(len(self.opening), dtype=np.int64)[solution]
        return np.concatenate([rows.ravel(), rows.max(axis=0)])

    def random_solution(self, random: np.random.Generator) -> np.ndarray:
        n_facilities, n_customers = self.service.shape
        return self._repaired(random.integers(0, n_facilities, size=(n_customers,)), random)

    def neighbour(self, solution: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """A customer changes its facility, or two exchange theirs."""
        out = solution.copy()
        i, j = random.integers(0, len(out), 2)
        if random.random() < 0.5:
            out[i] = random.integers(0, len(self.opening))
        else:
            out[i], out[j] = solution[j], solution[i]
        return out

    def improve(self, solution: np.ndarray, seconds: float, random: np.random.Generator) -> np.ndarray:
        """A facility is opened or closed, then customers shift or swap as long as it gains; Ctrl-C ends it.

        What costs little more than the best is gone on from (record-to-record travel, Dueck 1993, Journal of
        Computational Physics 104, 86).
        """
        end = time.perf_counter() + seconds
        best, lowest = solution, self.cost(solution)
        present = best
        try:
            while time.perf_counter() < end:
                next_one = self._descended(self._kicked(present, random), end)
                cost = self.cost(next_one)
                if cost < lowest:
                    best, lowest = next_one, cost
                if cost <= (lowest[0], lowest[1] + DEVIATION * abs(lowest[1])):
                    present = next_one
        except KeyboardInterrupt:
            pass
        return best

    def candidates(self) -> Iterator[np.ndarray]:
        n_facilities, n_customers = self.service.shape
        return every([n_facilities] * n_customers)

    def draw(self, solution: np.ndarray, axes: Any) -> None:
        """Loads of the facilities, stacked by customer and shaded by what it costs, beside their capacities."""
        from matplotlib import colormaps
        from matplotlib.cm import ScalarMappable
        from matplotlib.colors import Normalize

        costs, n_facilities = self.service[solution, np.arange(len(solution))], len(self.opening)
        scale, shades, ends = Normalize(costs.min(), costs.max()), colormaps["viridis"], np.zeros(n_facilities)
        for customer in np.argsort(costs):
            facility, load = solution[customer], self.demands[customer]
            axes.barh(facility, load, left=ends[facility], color=shades(scale(costs[customer])), edgecolor="white")
            ends[facility] += load
        rows = np.arange(n_facilities)
        axes.vlines(self.capacities, rows - 0.4, rows + 0.4, color=["black" if end else "lightgray" for end in ends])
        axes.figure.colorbar(ScalarMappable(scale, shades), ax=axes, label="cost of service")
        axes.set(xlabel="load by customer (line: capacity, gray if closed)", ylabel="facility", yticks=rows)
        axes.invert_yaxis()
        axes.set_title(f"{(ends > 0).sum()} of {n_facilities} facilities open, cost {self.objective(solution):g}")

    def describe(self, solution: np.ndarray) -> dict[str, Any]:
        return {
            "customers of open facility": {str(f): np.flatnonzero(solution == f).tolist() for f in np.unique(solution)}
        }

    def _used(self, solution: np.ndarray) -> np.ndarray:
        return np.bincount(solution[solution >= 0], self.demands[solution >= 0], len(self.opening))

    def _cheapest(self, solution: np.ndarray, customer: int, closed: int) -> int:
        """Where a customer costs least and fits, other than at one facility; -1 marks who is not served yet."""
        used = self._used(solution)
        is_open = np.isin(np.arange(len(self.opening)), solution)
        price = self.service[:, customer] + np.where(is_open, 0, self.opening)
        fits = used + self.demands[customer] <= self.limits
        fits[closed] = False
        return int(np.where(fits, price, np.inf).argmin()) if fits.any() else closed

    def _kicked(self, solution: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """A random facility is closed if it is open, else it takes customers in, those that gain most first.

        Or some random customers leave and go where they are cheapest.
        """
        facility, out = int(random.integers(len(self.opening))), solution.copy()
        inside = np.flatnonzero(solution == facility)
        if random.random() < 0.5:
            inside = random.choice(len(out), min(LEAVING, len(out)), replace=False)
        elif not len(inside):
            gains = self.service[solution, np.arange(len(solution))] - self.service[facility]
            order = np.argsort(-gains)
            fits = np.cumsum(self.demands[order]) <= self.limits[facility]
            out[order[fits & (gains[order] > 0)]] = facility
        out[inside] = -1
        for customer in random.permutation(inside):
            out[customer] = self._cheapest(out, customer, solution[customer])
        return out

    def _descended(self, solution: np.ndarray, end: float) -> np.ndarray:
        """By the best shift or swap as long as one gains, or until that time of `time.perf_counter`."""
        out, everyone = solution.copy(), np.arange(len(solution))
        while time.perf_counter() < end:
            used, counts = self._used(out), np.bincount(out, minlength=len(self.opening))
            own, taken_in = self.service[out, everyone], np.where(counts == 0, self.opening, 0)
            left = np.where(counts == 1, self.opening, 0)[out]
            shift = self.service.T - own[:, None] + taken_in - left[:, None]
            shift[used + self.demands[:, None] > self.limits] = np.inf
            shift[everyone, out] = np.inf
            there = self.service.T[:, out]  # of each customer at the facility of another
            swap = there + there.T - own - own[:, None]
            room = (self.limits - used)[out] + self.demands >= self.demands[:, None]
            swap[~(room & room.T)] = np.inf
            best_shift, best_swap = shift.argmin(), swap.argmin()
            if min(shift.flat[best_shift], swap.flat[best_swap]) >= -TOLERANCE * (1 + own.sum()):
                break
            if shift.flat[best_shift] <= swap.flat[best_swap]:
                customer, facility = np.unravel_index(best_shift, shift.shape)
                out[customer] = facility
            else:
                pair = list(np.unravel_index(best_swap, swap.shape))
                out[pair] = out[pair[::-1]]
        return out

    def _repaired(self, solution: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """Customers of facilities that are overloaded go where they fit and cost least, as long as they do."""
        out = solution.copy()
        for customer in random.permutation(len(out)):
            facility = out[customer]
            if self._used(out)[facility] > self.limits[facility]:
                out[customer] = -1
                out[customer] = self._cheapest(out, customer, facility)
        return out


def _vectors(words: Words) -> FacilityLocation:
    n_facilities, n_customers = words.counts("facilities, customers", 2)
    capacities = words.numbers("capacities", n_facilities)
    opening = words.numbers("opening costs", n_facilities)
    demands = words.numbers("demands", n_customers)
    service = words.numbers("service costs", n_customers * n_facilities).reshape(n_customers, n_facilities)
    words.end()
    return FacilityLocation(opening, capacities, demands, service.T)


def _pairs(words: Words) -> FacilityLocation:
    n_facilities, n_customers = words.counts("facilities, customers", 2)
    capacities, opening = words.numbers("capacities and opening costs", 2 * n_facilities).reshape(-1, 2).T
    demands = words.numbers("demands", n_customers)
    service = words.numbers("service costs", n_customers * n_facilities).reshape(n_facilities, n_customers)
    words.end()
    return FacilityLocation(opening, capacities, demands, service)


def _cap(words: Words) -> FacilityLocation:
    n_facilities, n_customers = words.counts("facilities, customers", 2)
    capacities, opening = words.numbers("capacities and opening costs", 2 * n_facilities).reshape(-1, 2).T
    customers = words.numbers("demands and service costs", n_customers * (1 + n_facilities)).reshape(n_customers, -1)
    words.end()
    return FacilityLocation(opening, capacities, customers[:, 0], customers[:, 1:].T)


LAYOUTS = {
    "vectors": Layout(
        "capacities, opening costs, demands, then service costs by customer",
        lambda f, c: chain([2, f, f, c], repeat(f, c)), _vectors,
    ),
    "pairs": Layout(
        "capacity and opening cost of each facility, demands, then service costs by facility (Holmberg)",
        lambda f, c: chain([2], repeat(2, f), [c], repeat(c, f)), _pairs,
    ),
    "cap": Layout(
        "capacity and opening cost of each facility, then demand and service costs of each customer (OR-Library)",
        lambda f, c: chain([2], repeat(2, f), repeat(1 + f, c)), _cap,
    ),
}  # fmt: skip


def read_facility_location(
    path: str | Path, instance: int | None = None, layout: str | None = None
) -> FacilityLocation:
    """Facilities and customers, then one of the published layouts, each customer served by one facility.

    Args:
        path: of the file.
        instance: 1 or None; a file holds one problem.
        layout: "vectors", capacities and opening costs each together, or "pairs", those of a facility side by side;
            None finds which one it is.

    Raises:
        ProblemError: for a file that cannot be read or is damaged, with the number of the line, or that several layouts
            fit.
    """
    chosen(path, instance, 1)
    return read_layout(path, LAYOUTS, "facility_location", layout)  # type: ignore[no-any-return]
