"""Sets of qubits on which the gates of an IQP circuit act."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain, combinations
from math import comb
from typing import Any

import numpy as np

from qloom.checks import checked_count, is_integer
from qloom.errors import ConfigError
from qloom.models.generative.words import Words

# Gates a circuit may have; a number, a slope and an optimizer's two means each.
MOST_GATES = 50_000_000


def gate_sets(n_qubits: int, gates: Any) -> Words:
    """The qubits of every gate.

    Args:
        gates: "pairs" for all on one qubit and then all on two, in itertools' order; an integer k for all on up to k
            qubits; or a list of tuples.

    Raises:
        ConfigError: for anything else.
    """
    n_qubits = checked_count("n_qubits", n_qubits)
    if isinstance(gates, str) and gates != "pairs":
        raise ConfigError(f"gates={gates!r}, expected 'pairs', the most qubits of a gate, or a list of tuples")
    if isinstance(gates, str) or (is_integer(gates) and gates == 2):
        return _pairs(n_qubits)
    if is_integer(gates):
        bodies = range(1, min(checked_count("gates", gates), n_qubits) + 1)
        _check_number(sum(comb(n_qubits, k) for k in bodies))
        found = Words.joined([_of_size(n_qubits, k) for k in bodies])
    else:
        found = Words.of(gates, n_qubits)
    if not len(found) or not np.diff(found.starts).all():
        raise ConfigError(f"gates has {len(found)} gates or one on no qubit, expected tuples such as [(0,), (0, 3)]")
    return found


def neighbours(n_qubits: int, edges: Iterable[tuple[int, int]]) -> list[tuple[int, ...]]:
    """Gates on every qubit and on every edge of a graph.

    Args:
        n_qubits: n.
        edges: pairs of qubits.
    """
    return [*((q,) for q in range(n_qubits)), *(tuple(sorted(edge)) for edge in edges)]


def _pairs(n_qubits: int) -> Words:
    _check_number(n_qubits * (n_qubits + 1) // 2)
    qubits = np.empty(n_qubits**2, np.int32)
    qubits[:n_qubits] = np.arange(n_qubits)
    pairs, start = qubits[n_qubits:].reshape(-1, 2), 0
    for first in range(n_qubits - 1):
        end = start + n_qubits - 1 - first
        pairs[start:end, 0], pairs[start:end, 1] = first, np.arange(first + 1, n_qubits)
        start = end
    starts = np.arange(n_qubits + len(pairs) + 1)
    starts[n_qubits:] = np.arange(n_qubits, n_qubits**2 + 1, 2)
    return Words(starts, qubits, n_qubits)


def _of_size(n_qubits: int, k: int) -> Words:
    qubits = np.fromiter(chain.from_iterable(combinations(range(n_qubits), k)), np.int32)
    return Words(np.arange(0, len(qubits) + 1, k), qubits, n_qubits)


def _check_number(count: int) -> None:
    if count > MOST_GATES:
        raise ConfigError(f"the circuit has {count:,} gates, expected at most {MOST_GATES:,}; give a list of fewer")
