"""Streams of random numbers: every copy and every process draws numbers of its own."""

from __future__ import annotations

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
    """A generator that goes on from call to call. Thread-safe.

    A copy, by `copy.deepcopy` or pickle, is a child whose numbers are independent of the parent's and of other
    children's. A forked process goes on with a stream of its own, which workers of `multiprocessing` and of torch's
    DataLoader, started in the same order, find again at the next run.

    Args:
        seed: an integer of at least 0; None for fresh entropy.
    """

    def __init__(self, seed: int | None = None):
        self._start(np.random.SeedSequence(checked_seed(seed)))

    def _start(self, sequence: np.random.SeedSequence) -> None:
        self._sequence, self._generator = sequence, np.random.default_rng(sequence)
        self._guard, self._process, self._worker = threading.Lock(), os.getpid(), _worker()

    def multinomial(self, shots: int, probabilities: np.ndarray) -> np.ndarray:
        """How often each outcome occurs. Shapes: probabilities (B, K) -> (B, K)."""
        self._part_from_parent()
        with self._guard:
            return self._generator.multinomial(shots, probabilities)

    def random(self, count: int) -> np.ndarray:
        """Numbers from 0 to 1, (count,)."""
        self._part_from_parent()
        with self._guard:
            return self._generator.random(count)

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
        sequence = self._sequence
        with self._guard:
            return {
                "entropy": sequence.entropy,
                "spawn_key": list(sequence.spawn_key),
                "n_children": sequence.n_children_spawned,
                "generator": self._generator.bit_generator.state,
            }

    @state.setter
    def state(self, state: dict[str, Any]) -> None:
        try:
            sequence = np.random.SeedSequence(
                state["entropy"], spawn_key=tuple(state["spawn_key"]), n_children_spawned=state["n_children"]
            )
            generator = np.random.default_rng(sequence)
            generator.bit_generator.state = state["generator"]
        except (KeyError, TypeError, ValueError) as error:
            raise CircuitError(
                f"state of a stream is damaged ({type(error).__name__}: {error}), expected what `state` gave"
            ) from None
        self._start(sequence)
        self._generator = generator

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
