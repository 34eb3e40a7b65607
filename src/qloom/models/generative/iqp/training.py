"""What IQP circuits are trained for: the maximum mean discrepancy, from drawn words and strings or exactly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from qloom.models.generative.every_word import discrepancy_to
from qloom.models.generative.iqp.circuit import IQPCircuit
from qloom.models.generative.iqp.strings import Strings
from qloom.models.generative.packed import PackedRows
from qloom.models.generative.words import Words, outcomes_of

Numbers = TypeVar("Numbers", Tensor, np.ndarray)
Batch = tuple[Words, Strings, Tensor]


class Draws:
    """Words, strings and the means of words over rows: one batch an epoch, so that an epoch is a step.

    Args:
        circuit: whose strings are drawn.
        bits: rows (N, n).
        widths: of the kernels; each gives an equal share of the words.
        n_operators: words a step.
        n_strings: strings a step.
        generator: that draws.
    """

    def __init__(
        self, circuit: IQPCircuit, bits: np.ndarray, widths: Sequence[float], n_operators: int, n_strings: int,
        generator: np.random.Generator,
    ):  # fmt: skip
        self.circuit, self.rows, self.n_strings, self._generator = circuit, PackedRows(bits), n_strings, generator
        ends = np.linspace(0, n_operators, len(widths) + 1).round().astype(int)
        self._shares = list(zip(widths, np.diff(ends).tolist(), strict=True))

    def __call__(self, epoch: int) -> list[Batch]:
        n_qubits, generator = self.circuit.n_qubits, self._generator
        words = Words.joined([Words.drawn(n_qubits, width, count, generator) for width, count in self._shares])
        return [(words, self.circuit.strings(self.n_strings, generator), torch.from_numpy(self.rows.means(words)))]


def drawn_discrepancy(n_rows: int) -> Any:
    """The objective of batches of words: an unbiased estimate of the squared discrepancy, (), for `n_rows` rows."""

    def loss(circuit: IQPCircuit, batch: Batch) -> Tensor:
        words, strings, p = batch
        return word_discrepancies(*circuit.means(words, strings), strings.count, p, n_rows).mean()

    return loss


def word_discrepancies(means: Numbers, squares: Numbers, n_strings: int, p: Numbers, n_rows: int) -> Numbers:
    """(p_a - q_a)^2 of each word without bias, (A,): products of one string, or one row, with itself are left out."""
    q2 = (n_strings * means * means - squares) / (n_strings - 1)
    p2 = (n_rows * p * p - 1) / (n_rows - 1)
    return q2 - 2 * p * means + p2


def exact_discrepancy(bits: np.ndarray, widths: Sequence[float]) -> Any:
    """The objective of circuits whose every moment is known: the discrepancy over all words, without bias.

    Args:
        bits: rows (N, n).
        widths: of the kernels, each of equal share.
    """
    n_rows, n_qubits = bits.shape
    shares = np.bincount(outcomes_of(bits), minlength=1 << n_qubits) / n_rows
    biased = discrepancy_to(shares, widths)
    # Of products of a row with itself.
    own = float(biased(torch.zeros(1 << n_qubits, dtype=torch.float64)) - 1) / (n_rows - 1)
    return lambda circuit, batch: biased(circuit.every_moment()) + own
