"""Round trips made shorter by 2-opt and Or-opt moves among near cities."""

from __future__ import annotations

import numpy as np

# Near cities of each that a move may join it to; what a move must gain at least, as a share of the largest distance.
NEAR, GAIN = 10, 1e-12
# Directions and lengths of the parts that Or-opt moves; cities of the stretch that a kick changes, at most.
PARTS, STRETCH = [(step, length) for length in (1, 2, 3) for step in (1, -1)], 50


class TourSearch:
    """A local search that goes on after each local optimum from a small random change of it.

    Args:
        distances: symmetric, (N, N).
        tour: to begin with, int (N,).

    Source: Bentley 1992, ORSA Journal on Computing 4, 387; Martin, Otto, Felten 1991, Complex Systems 5, 299.
    """

    def __init__(self, distances: np.ndarray, tour: np.ndarray):
        far = distances + np.diag(np.full(len(distances), np.inf))
        self.near = far.argsort(axis=1, kind="stable")[:, : min(NEAR, len(far) - 1)].tolist()
        self.distances, self.tour = distances.tolist(), tour.tolist()
        self.place = np.argsort(tour).tolist()
        self.least_gain = GAIN * float(np.abs(np.triu(distances, 1)).max())

    @property
    def best(self) -> np.ndarray:
        """The tour, int64 (N,); no kick makes it longer."""
        return np.array(self.tour, np.int64)

    def descend(self, cities: list[int]) -> float:
        """Moves at these cities and at those that moves change, until none gains; what they gain in all."""
        waiting, queued, total = list(cities), set(cities), 0.0
        while waiting:
            city = waiting.pop()
            queued.discard(city)
            gain, ends = self._two_opt(city)
            if not gain:
                gain, ends = self._or_opt(city)
            total += gain
            waiting += [end for end in ends if end not in queued]
            queued.update(ends)
        return total

    def kick(self, random: np.random.Generator) -> None:
        """Two neighbouring parts of the tour change places; if descending from there ends longer it is taken back."""
        n, d, kept = len(self.tour), self.distances, (self.tour, self.place)
        i, j = sorted(random.integers(2, max(min(STRETCH, n), 3), 2).tolist())
        if i == j:
            return
        start = int(random.integers(n))
        old = self.tour[start:] + self.tour[:start]
        self._set(old[:1] + old[i:j] + old[1:i] + old[j:])
        ends = [old[0], old[1], old[i - 1], old[i], old[j - 1], old[j % n]]
        a, b, c, e, f, g = ends
        rise = d[a][e] + d[f][b] + d[c][g] - d[a][b] - d[c][e] - d[f][g]
        if self.descend(ends) < rise - self.least_gain:
            self.tour, self.place = kept

    def _two_opt(self, city: int) -> tuple[float, tuple[int, ...]]:
        """The first gain by an edge to a near city, and the ends of the edges that it changed; 0 if there is none."""
        tour, place, d, n = self.tour, self.place, self.distances, len(self.tour)
        for step in (1, -1):
            neighbour = tour[(place[city] + step) % n]
            for other in self.near[city]:
                gain = d[city][neighbour] - d[city][other]
                if gain <= self.least_gain:
                    break
                beyond = tour[(place[other] + step) % n]
                gain += d[other][beyond] - d[neighbour][beyond]
                if gain > self.least_gain:
                    first, last = (neighbour, other) if step > 0 else (city, beyond)
                    self._reverse(place[first], place[last])
                    return gain, (city, neighbour, other, beyond)
        return 0.0, ()

    def _or_opt(self, city: int) -> tuple[float, tuple[int, ...]]:
        """As `_two_opt`, by moving a part that begins or ends with the city to a near one."""
        tour, place, d, n = self.tour, self.place, self.distances, len(self.tour)
        at = place[city]
        for step, length in PARTS:
            if length > n - 3:
                continue
            end, before, after = (
                tour[(at + step * (length - 1)) % n],
                tour[(at - step) % n],
                tour[(at + step * length) % n],
            )
            freed = d[before][city] + d[end][after] - d[before][after]
            for other in self.near[city]:
                room = freed - d[city][other]
                if room <= self.least_gain:
                    break
                if (place[other] - at) * step % n < length:
                    continue
                for side in (1, -1):
                    beyond = tour[(place[other] + side) % n]
                    gain = room + d[other][beyond] - d[end][beyond]
                    if gain > self.least_gain and (place[beyond] - at) * step % n >= length:
                        self._move(city, end, step, other, side)
                        return gain, (city, end, before, after, other, beyond)
        return 0.0, ()

    def _reverse(self, i: int, j: int) -> None:
        """The part from i to j; where that goes over the tour's end, the rest, which is the same trip."""
        if i > j:
            i, j = j + 1, i - 1
        part = self.tour[i : j + 1][::-1]
        self.tour[i : j + 1] = part
        for k, city in enumerate(part, i):
            self.place[city] = k

    def _move(self, city: int, end: int, step: int, other: int, side: int) -> None:
        """The part from the city to its end goes beside the other city, the city next to it."""
        first, last = (city, end) if step > 0 else (end, city)
        start = self.place[first]
        turned = self.tour[start:] + self.tour[:start]
        length = turned.index(last) + 1
        part, rest = turned[:length][::step], turned[length:]
        at = rest.index(other) + (side > 0)
        self._set(rest[:at] + part[::side] + rest[at:])

    def _set(self, tour: list[int]) -> None:
        self.tour, self.place = tour, [0] * len(tour)
        for k, city in enumerate(tour):
            self.place[city] = k
