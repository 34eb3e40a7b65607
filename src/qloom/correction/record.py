"""Outcomes of a code's circuit by place, as detectors and observables name them."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from qloom.extras import package

Place = tuple[float, float]


class Record:
    """Which outcome is whose: places and how often they were measured before -> place in Stim's record."""

    def __init__(self, circuit: Any) -> None:
        self.stim, self._circuit = package("stim", "a code's circuit", "correction"), circuit
        self._places: dict[tuple[Place, int], int] = {}
        self._rounds: dict[Place, int] = defaultdict(int)
        self._count = 0

    def measured(self, spots: list[Place]) -> None:
        for spot in spots:
            self._places[spot, self._rounds[spot]] = self._count
            self._rounds[spot] += 1
            self._count += 1

    def detect(self, outcomes: list[tuple[Place, int]], coordinates: tuple[float, ...]) -> None:
        self._circuit.append("DETECTOR", self._targets(outcomes), coordinates)

    def observe(self, outcomes: list[tuple[Place, int]]) -> None:
        self._circuit.append("OBSERVABLE_INCLUDE", self._targets(outcomes), 0)

    def _targets(self, outcomes: list[tuple[Place, int]]) -> list[Any]:
        return [self.stim.target_rec(self._places[outcome] - self._count) for outcome in outcomes]
