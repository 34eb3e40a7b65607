"""Tabu search for shops: operations of critical blocks go to an end of their block, or to other machines.

Source: Nowicki, Smutnicki 1996, Management Science 42, 797 (blocks, tabu arcs); Balas, Vazacopoulos 1998, Management
Science 44, 262 (moves over several operations); Mastrolilli, Gambardella 2000, Journal of Scheduling 3, 3 (machines).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import NamedTuple

import numpy as np

# Moves without a better schedule after which the search begins again near the best one.
PATIENCE = 1000
# Moves taken at random then.
KICKS = 10
# For at least so many moves, and up to 1.4 times as many, what a move undid stays so.
TENURE = 10


class Move(NamedTuple):
    """Of one machine's sequence the operations from start to stop become others; an operation may come from elsewhere.

    Attributes:
        estimate: of the longest path through the segment.
        undone: pairs (operation, later one) or (operation, ~machine) that hold no longer; made: that now do.
    """

    estimate: int
    operation: int
    machine: int
    start: int
    stop: int
    segment: list[int]
    undone: list[tuple[int, int]]
    made: list[tuple[int, int]]


class Sequences:
    """Operations in the order in which each machine does them, and the longest paths through each.

    Args:
        choices: of each of N operations, durations by machine.
        before: the one before it in its job, N for none, (N,).
        after: the one after it.
        rows: the operations of each machine, without circles.

    Attributes:
        ends: of operations, at the earliest; 0 for N.
        tails: the longest path from the start of each to the end of all; 0 for N.
        order: of operations, each after those that it waits for.
    """

    def __init__(self, choices: list[Mapping[int, int]], before: list[int], after: list[int], rows: list[list[int]]):
        self.choices, self.before, self.after, self.rows, self.n = choices, before, after, rows, len(choices)
        self.machine, self.duration = [0] * self.n, [0] * (self.n + 1)
        for machine, row in enumerate(rows):
            for op in row:
                self.machine[op], self.duration[op] = machine, choices[op][machine]
        self._measure()

    def copy(self) -> Sequences:
        """With rows of its own."""
        return Sequences(self.choices, self.before, self.after, [row.copy() for row in self.rows])

    def take(self, move: Move) -> None:
        """Change the rows."""
        op = move.operation
        if self.machine[op] != move.machine:
            self.rows[self.machine[op]].remove(op)
            self.machine[op], self.duration[op] = move.machine, self.choices[op][move.machine]
        self.rows[move.machine][move.start : move.stop] = move.segment
        self._measure()

    def moves(self, draw: Callable[[], float]) -> Iterator[Move]:
        """Of the operations on one critical path, none of which can lead to a circle."""
        path = self._critical_path(draw)
        start = 0
        for k in range(1, len(path) + 1):
            if k == len(path) or path[k] != self.right[path[k - 1]]:
                yield from self._within(path[start:k], start == 0, k == len(path))
                start = k
        for op in path:
            if len(self.choices[op]) > 1:
                yield from self._elsewhere(op)

    def _measure(self) -> None:
        n, before, after, duration = self.n, self.before, self.after, self.duration
        left, right = [n] * (n + 1), [n] * (n + 1)
        for row in self.rows:
            last = n
            for op in row:
                left[op], right[last], last = last, op, op
            right[last] = n
        waits = [(before[op] < n) + (left[op] < n) for op in range(n)] + [-1]
        order, ends, tails = [op for op in range(n) if not waits[op]], [0] * (n + 1), [0] * (n + 1)
        for op in order:
            one, other = ends[before[op]], ends[left[op]]
            ends[op] = (one if one > other else other) + duration[op]
            for follower in (after[op], right[op]):
                waits[follower] -= 1
                if not waits[follower]:
                    order.append(follower)
        for op in reversed(order):
            one, other = tails[after[op]], tails[right[op]]
            tails[op] = (one if one > other else other) + duration[op]
        self.order, self.ends, self.tails, self.left, self.right = order, ends, tails, left, right
        self.makespan = max(ends)

    def _critical_path(self, draw: Callable[[], float]) -> list[int]:
        """A random one."""
        ends, tails, duration, path = self.ends, self.tails, self.duration, list[int]()
        n, longest, at, follow = self.n, self.makespan, 0, list(range(self.n))
        while follow := [x for x in follow if x < n and ends[x] - duration[x] == at and at + tails[x] == longest]:
            op = follow[int(draw() * len(follow))]
            path.append(op)
            at, follow = ends[op], [self.after[op], self.right[op]]
        return path

    def _within(self, block: list[int], is_first: bool, is_last: bool) -> Iterator[Move]:
        """Each operation behind the block's last, or before its first; what no other machine waits for stays."""
        machine, size = self.machine[block[0]], len(block)
        start = self.rows[machine].index(block[0])
        left, right = self.left[block[0]], self.right[block[-1]]
        for k, op in enumerate(block):
            if not is_last and k < size - 1 and self._fits(op, block[-1], right):
                rest = block[k + 1 :]
                estimate = self._longest(self.left[op], [*rest, op], right)
                undone, made = [(op, x) for x in rest], [(x, op) for x in rest]
                yield Move(estimate, op, machine, start + k, start + size, [*rest, op], undone, made)
            # In a block of two that ends nowhere both are the same exchange.
            if not is_first and k > (size == 2 and not is_last) and self._fits(op, left, block[0]):
                rest = block[:k]
                estimate = self._longest(left, [op, *rest], self.right[op])
                undone, made = [(x, op) for x in rest], [(op, x) for x in rest]
                yield Move(estimate, op, machine, start, start + k + 1, [op, *rest], undone, made)

    def _elsewhere(self, op: int) -> Iterator[Move]:
        """An operation into each place of its other machines."""
        ends, tails, own = self.ends, self.tails, self.machine[op]
        head, tail = ends[self.before[op]], tails[self.after[op]]
        for machine, duration in self.choices[op].items():
            if machine == own:
                continue
            left = self.n
            for k, right in enumerate([*self.rows[machine], self.n]):
                if self._fits(op, left, right):
                    estimate = max(head, ends[left]) + duration + max(tail, tails[right])
                    yield Move(estimate, op, machine, k, k, [op], [(op, ~own)], [(op, ~machine)])
                left = right

    def _fits(self, op: int, left: int, right: int) -> bool:
        """Whether surely no path leads from the job's next operation to the left one, or from the right to its last."""
        n, ends, last, follower = self.n, self.ends, self.before[op], self.after[op]
        if follower < n and left < n and (left == follower or ends[left] - self.duration[left] >= ends[follower]):
            return False
        return last == n or right == n or (right != last and ends[last] - self.duration[last] < ends[right])

    def _longest(self, left: int, segment: list[int], right: int) -> int:
        """An estimate of the longest path through operations between two others, as Taillard's of two (1994)."""
        ends, tails, duration = self.ends, self.tails, self.duration
        starts, end = [], ends[left]
        for op in segment:
            ready = ends[self.before[op]]
            start = ready if ready > end else end
            starts.append(start)
            end = start + duration[op]
        longest, tail = 0, tails[right]
        for op, start in zip(reversed(segment), reversed(starts), strict=True):
            rest = tails[self.after[op]]
            tail = (rest if rest > tail else tail) + duration[op]
            longest = max(longest, start + tail)
        return longest


def search(sequences: Sequences, end: float, floor: int, random: np.random.Generator) -> Sequences:
    """The best within a time, or at a makespan that is low enough; Ctrl-C ends it.

    Args:
        sequences: where it begins; they change.
        end: when to end, of `time.perf_counter`.
        floor: the makespan that is low enough.
        random: for ties, tenures and kicks.
    """
    draw = Random(int(random.integers(2**62))).random
    best, lowest = sequences.copy(), sequences.makespan
    expiry: dict[tuple[int, int], int] = {}
    move, reached, since = 0, lowest, 0
    try:
        while time.perf_counter() < end and best.makespan > floor:
            moves = list(sequences.moves(draw))
            if not moves:
                break
            allowed = [
                m for m in moves if m.estimate < best.makespan or not any(expiry.get(pair, 0) > move for pair in m.made)
            ]
            chosen = min(allowed, key=lambda m: m.estimate + draw()) if allowed else moves[int(draw() * len(moves))]
            until = move + int((TENURE + len(sequences.order) / len(sequences.rows) ** 2) * (1 + 0.4 * draw()))
            expiry.update((pair, until) for pair in chosen.undone)
            sequences.take(chosen)
            move += 1
            if sequences.makespan < reached:
                reached, since = sequences.makespan, move
            if sequences.makespan < best.makespan:
                best = sequences.copy()
            elif move - since > PATIENCE:
                sequences = best.copy()
                _kick(sequences, draw)
                reached, since, expiry = sequences.makespan, move, {}
    except KeyboardInterrupt:
        pass
    return best


def _kick(sequences: Sequences, draw: Callable[[], float]) -> None:
    """Moves at random."""
    for _ in range(KICKS):
        if moves := list(sequences.moves(draw)):
            sequences.take(moves[int(draw() * len(moves))])
