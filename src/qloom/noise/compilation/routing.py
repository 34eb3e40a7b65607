"""Places on a device: which qubits hold a circuit's, and swaps that bring them together.

Places are tried from every qubit of the device on: each next qubit of the circuit, the one that is joined most to those
placed, goes where its partners are nearest by the errors on the way. Then gates are walked through, partners that are
apart are swapped along the best path, and of all the tries the one with the least error in all is taken. It is a
heuristic; circuits stay on as many qubits of the device as they have.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf, log1p

from qloom.checks import as_tuple, is_integer
from qloom.circuits.operations import Operation
from qloom.errors import CircuitError
from qloom.noise.compilation.narrowing import swap, uses

Pair = tuple[int, int]


@dataclass(frozen=True)
class Couplings:
    """Which qubits of a device are joined.

    Args:
        costs: pair of qubits, the lower first -> -ln(1 - error) of a gate on it.
        readout: of each qubit.
    """

    costs: Mapping[Pair, float]
    readout: Mapping[int, float]

    @staticmethod
    def of_errors(errors: Mapping[Pair, float], readout: Mapping[int, float]) -> Couplings:
        """From errors of gates; pairs with an error of 1 are taken for broken."""
        costs: dict[Pair, float] = {}
        for (a, b), error in errors.items():
            if error < 1:
                pair = (min(a, b), max(a, b))
                costs[pair] = min(costs.get(pair, inf), -log1p(-error))
        return Couplings(costs, {q: -log1p(-min(error, 0.999)) for q, error in readout.items()})

    def neighbours(self, qubit: int) -> list[int]:
        return sorted({q for pair in self.costs if qubit in pair for q in pair} - {qubit})

    def cost(self, a: int, b: int) -> float:
        return self.costs.get((min(a, b), max(a, b)), inf)

    @property
    def qubits(self) -> list[int]:
        return sorted({q for pair in self.costs for q in pair} | set(self.readout))

    def path(self, start: int, end: int, within: Iterable[int]) -> list[int]:
        """The way of least cost, both ends included; empty where there is none."""
        best, before, left = {start: 0.0}, {start: start}, set(within)
        while left:
            here = min(left, key=lambda q: (best.get(q, inf), q))
            if best.get(here, inf) == inf:
                return []
            if here == end:
                break
            left.remove(here)
            for q in self.neighbours(here):
                if q in left and best[here] + self.cost(here, q) < best.get(q, inf):
                    best[q], before[q] = best[here] + self.cost(here, q), here
        way = [end]
        while way[-1] != start:
            way.append(before[way[-1]])
        return way[::-1]


@dataclass(frozen=True)
class Routed:
    """Operations on a device's qubits.

    Attributes:
        operations: gates on one qubit and on neighbours, and what is no gate.
        start, end: where each qubit of the circuit is, at first and at last.
        cost: -ln of the chance that nothing goes wrong.
    """

    operations: tuple[Operation, ...]
    start: tuple[int, ...]
    end: tuple[int, ...]
    cost: float


def route(operations: Sequence[Operation], n_qubits: int, couplings: Couplings, places: Sequence[int] | None) -> Routed:
    """The best of the ways that are tried.

    Args:
        operations: gates on one and two qubits, and what is no gate.
        places: where the circuit's qubits are at first; None to look for them.

    Raises:
        CircuitError: if the device has no joined qubits for all of the circuit.
    """
    if places is not None:
        starts = [checked_start(places, n_qubits)]
    else:
        partners = Counter[Pair]()
        for op in operations:
            if times := uses(op):
                partners[min(op.qubits), max(op.qubits)] += times
        found = (_placed(partners, n_qubits, couplings, seed) for seed in couplings.qubits)
        starts = list(dict.fromkeys(start for start in found if start is not None))
    tried = [_walked(operations, couplings, start) for start in starts]
    routed = [one for one in tried if one is not None]
    if not routed:
        raise CircuitError(
            f"circuit of {n_qubits} qubits, expected as many of the device that are joined"
            + (f"; qubits {', '.join(map(str, places))} are not" if places is not None else "; take a larger one")
        )
    return min(routed, key=lambda one: one.cost)


def checked_start(places: Sequence[int], n_qubits: int | None = None) -> tuple[int, ...]:
    """Where a circuit's qubits are at first: different qubits, as many as it has."""
    chosen = as_tuple("device", places)
    if not all(map(is_integer, chosen)) or len(set(chosen)) != len(chosen):
        raise CircuitError(f"qubits={places!r} of a device, expected different integers, one for each of the circuit's")
    if n_qubits is not None and len(chosen) != n_qubits:
        raise CircuitError(f"qubits={places!r} of a device for a circuit of {n_qubits}, expected {n_qubits} of them")
    return tuple(map(int, chosen))


def _placed(partners: Counter[Pair], n_qubits: int, couplings: Couplings, seed: int) -> tuple[int, ...] | None:
    """Places of all qubits, the first of them on `seed`."""
    degree = Counter[int]()
    for (a, b), times in partners.items():
        degree[a] += times
        degree[b] += times
    places: dict[int, int] = {max(range(n_qubits), key=lambda q: (degree[q], -q)): seed}
    while len(places) < n_qubits:
        joined = {q: sum(partners[min(q, p), max(q, p)] for p in places) for q in range(n_qubits) if q not in places}
        qubit = max(joined, key=lambda q: (joined[q], degree[q], -q))
        free = sorted({n for p in places.values() for n in couplings.neighbours(p)} - set(places.values()))
        if not free:
            return None
        places[qubit] = min(free, key=lambda spot: _spot_cost(qubit, spot, places, partners, couplings))
    return tuple(places[q] for q in range(n_qubits))


def _spot_cost(
    qubit: int, spot: int, places: Mapping[int, int], partners: Counter[Pair], couplings: Couplings
) -> float:
    """What gates with the partners that are placed would cost from a spot, and reading it."""
    within = {*places.values(), spot}
    total = couplings.readout.get(spot, 0.0)
    for partner, place in places.items():
        times = partners[min(qubit, partner), max(qubit, partner)]
        way = couplings.path(spot, place, within)
        costs = [couplings.cost(a, b) for a, b in pairwise(way)]
        total += (times or 0.01) * (sum(costs) + 3 * sum(costs[:-1]))
    return total


def _walked(operations: Sequence[Operation], couplings: Couplings, start: tuple[int, ...]) -> Routed | None:
    """Gates with the swaps they need, from these places."""
    where, within = list(start), set(start)
    out: list[Operation] = []
    cost = sum(couplings.readout.get(q, 0.0) for q in start)
    for op in operations:
        if times := uses(op):
            way = couplings.path(where[op.qubits[0]], where[op.qubits[1]], within)
            if not way:
                return None
            for a, b in pairwise(way[:-1]):
                out += swap(a, b)
                cost += 3 * couplings.cost(a, b)
                where = [b if q == a else a if q == b else q for q in where]
            cost += times * couplings.cost(way[-2], way[-1])
        out.append(Operation(op.gate, tuple(where[q] for q in op.qubits), op.angles))
    return Routed(tuple(out), start, tuple(where), cost)
