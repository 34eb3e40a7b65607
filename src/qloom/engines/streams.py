"""Streams of random numbers: every copy and every process draws numbers of its own."""

from __future__ import annotations

import operator
import os
import threading
from multiprocessing import current_process
from typing import Any

import numpy as np

from qloom.checks import checked_seed
from qloom.errors import CircuitError

# Stands in the keys of forked processes' streams, where those of copies have their number.
_FORKED = 2**32 - 1


def make_generator(seed: object) -> np.random.Generator:
    """A generator of its own; fresh entropy for None."""
    return np.random.default_rng(checked_seed(seed))


class Stream:
    """Random numbers that go on from call to call, each of which has its own. Thread-safe.

    They are Philox's, found by key, call, row and shot: streams differ in the key, which numpy's SeedSequence makes,
    calls of a stream in their number. What is drawn for a row depends on nothing that is drawn beside it.

    A copy, by `copy.deepcopy` or pickle, is a child whose numbers are independent of the parent's and of other
    children's. A forked process goes on with a stream of its own, which workers of `multiprocessing` and of torch's
    DataLoader, started in the same order, find again at the next run.

    Args:
        seed: an integer of at least 0; None for fresh entropy.
    """

    def __init__(self, seed: int | None = None):
        self._start(np.random.SeedSequence(checked_seed(seed)))

    def _start(self, sequence: np.random.SeedSequence, calls: int = 0) -> None:
        self._sequence, self._calls, self._key = sequence, calls, sequence.generate_state(2, np.uint64)
        self._guard, self._process, self._worker = threading.Lock(), os.getpid(), _worker()

    def call(self) -> np.ndarray:
        """Where one call's numbers stand, as `_native.draw` takes it: the key, and how many calls were before, (3,)."""
        self._part_from_parent()
        with self._guard:
            place = np.array([*self._key, self._calls], np.uint64)
            self._calls += 1
        return place

    def generator(self) -> np.random.Generator:
        """numpy's generator of one call's numbers."""
        *key, call = self.call()
        return np.random.Generator(np.random.Philox(key=np.array(key), counter=np.array([0, 0, call, 0], np.uint64)))

    def spawn(self) -> Stream:
        """A child, different at each call."""
        self._part_from_parent()
        with self._guard:
            (sequence,) = self._sequence.spawn(1)
        child = Stream.__new__(Stream)
        child._start(sequence)
        return child

    @property
    def state(self) -> dict[str, Any]:
        """Where it is, as plain numbers; may be set."""
        self._part_from_parent()
        with self._guard:
            return {
                "entropy": self._sequence.entropy,
                "spawn_key": list(self._sequence.spawn_key),
                "n_children": self._sequence.n_children_spawned,
                "calls": self._calls,
            }

    @state.setter
    def state(self, state: dict[str, Any]) -> None:
        try:
            sequence = np.random.SeedSequence(
                state["entropy"], spawn_key=tuple(state["spawn_key"]), n_children_spawned=state["n_children"]
            )
            calls = operator.index(state["calls"])
        except (KeyError, TypeError, ValueError) as error:
            raise CircuitError(
                f"state of a stream is damaged ({type(error).__name__}: {error}), expected what `state` gave"
            ) from None
        self._start(sequence, calls)

    def __getstate__(self) -> dict[str, Any]:
        return self.spawn().state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.state = state

    def _part_from_parent(self) -> None:
        """In a forked process: numbers of its own, and a lock that no thread of the parent's holds."""
        if self._process == os.getpid():
            return
        sequence, worker = self._sequence, _worker()
        place = worker if worker != self._worker else (os.getpid(),)
        self._start(np.random.SeedSequence(sequence.entropy, spawn_key=(*sequence.spawn_key, _FORKED, *place)))


def _worker() -> tuple[int, ...]:
    """The numbers of this process among its parent's children, and so on; empty for one that was started by hand."""
    return tuple(getattr(current_process(), "_identity", ()))
