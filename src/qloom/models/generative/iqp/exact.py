"""IQP circuits of few qubits by all 2^n amplitudes, and exact moments of wide ones of gates on one and two qubits."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from qloom.errors import UnsupportedError
from qloom.models.generative.every_word import transformed
from qloom.models.generative.words import Words

# Of a word's qubits, all of whose signs are tried, and of numbers that are held at once.
MOST_BODIES = 20
_BLOCK = 1 << 22


def probabilities(gates: Words, weights: Tensor, symmetric: bool) -> Tensor:
    """Of all outcomes, (2^n,), with slopes. One transform gives all phases, one more all amplitudes."""
    size = 1 << gates.n_qubits
    masks = torch.from_numpy(gates.masks())
    phases = transformed(weights.new_zeros(1, size).index_add(1, masks, weights[None]))[0]
    waves = torch.stack([phases.cos(), phases.sin()])
    if symmetric:
        waves = waves * torch.from_numpy(even_outcomes(gates.n_qubits) * np.sqrt(2)).to(waves.dtype)
    return transformed(waves / size).square().sum(dim=0)


def even_outcomes(n_qubits: int) -> np.ndarray:
    """1 for outcomes with an even number of ones, (2^n,)."""
    even = np.ones(1)
    for _ in range(n_qubits):
        even = np.concatenate([even, 1 - even])
    return even


def wide_moments(words: Words, linear: np.ndarray, couplings: np.ndarray, symmetric: bool) -> np.ndarray:
    """Exact means of words in a circuit of gates on one and two qubits of any width, float64 (A,).

    With the signs s of a word's own qubits given, those of the others are apart from each other:
    <Z_I> = mean over s of cos(2 sum_{i in I} s_i linear_i) prod_{j not in I} cos(2 sum_{i in I} s_i C_ij).

    Raises:
        UnsupportedError: for a word on more than 20 qubits.
    """
    longest = int(np.diff(words.starts).max(initial=0))
    if longest > MOST_BODIES:
        raise UnsupportedError(
            f"an operator acts on {longest} qubits, expected at most {MOST_BODIES} for exact moments; ask for "
            "exact=False"
        )
    return np.array([_moment(np.array(word), linear, couplings, symmetric) for word in words])


def _moment(word: np.ndarray, linear: np.ndarray, couplings: np.ndarray, symmetric: bool) -> float:
    if not len(word) or (symmetric and len(word) % 2):
        return float(not len(word))
    others = np.setdiff1d(np.arange(len(linear)), word)
    between, total = couplings[np.ix_(word, others)], 0.0
    # Opposite signs give the same; in the superposition so do pairs of strings.
    half = 1 << (len(word) - 1)
    step = max(1, _BLOCK // max(1, len(others)))
    for start in range(0, half, step):
        numbers = np.arange(start, min(start + step, half))
        signs = 1.0 - 2 * (numbers[:, None] >> np.arange(len(word)) & 1)
        angles = 2 * signs @ between
        turns = np.exp(2j * (signs @ linear[word]))
        values = turns.real * np.cos(angles).prod(axis=1)
        if symmetric:
            odd = 1j ** len(others) * np.sin(angles).prod(axis=1)
            values = values + (turns * odd).real * signs.prod(axis=1)
        total += values.sum()
    return total / half
