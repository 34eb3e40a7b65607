"""The circuit without coherence, a classical model: gates flip their qubits together with probability sin^2 theta."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from qloom.models.generative.every_word import transformed
from qloom.models.generative.iqp.circuit import IQPCircuit
from qloom.models.generative.iqp.exact import even_outcomes
from qloom.models.generative.iqp.strings import Strings
from qloom.models.generative.words import Words


class BitFlips(IQPCircuit):
    """Means of words are products of cos(2 theta_g) over the gates that a word meets in an odd number of qubits."""

    def _every_mean(self, words: Words, strings: Strings) -> tuple[Tensor, Tensor]:
        """Exact, whatever the strings."""
        logs, negative = _logs(self.weights)
        marked = torch.from_numpy(words.matrix()).to(self.weights.dtype)
        met = [self._met(numbers, marked) for numbers in (logs, negative)]
        means = (met[0].exp() * (1 - 2 * (met[1] % 2))).double()
        return means, means.square()

    def _met(self, numbers: Tensor, marked: Tensor) -> Tensor:
        """Sums of a number a gate over the gates that words, (A, n), meet in an odd number of qubits."""
        if np.diff(self.gates.starts).max() > 2:
            return ((marked @ torch.from_numpy(self.gates.matrix()).to(marked.dtype).T) % 2) @ numbers
        single, pairs = self._sums(numbers)
        return marked @ single + ((marked @ pairs) * (1 - marked)).sum(dim=1)

    def _sums(self, numbers: Tensor) -> tuple[Tensor, Tensor]:
        """Of gates on one qubit, (n,), and on two, symmetric (n, n)."""
        n, starts = self.n_qubits, self.gates.starts
        first, last = (torch.from_numpy(self.gates.qubits[at].astype(np.int64)) for at in (starts[:-1], starts[1:] - 1))
        pair = first != last
        single = numbers.new_zeros(n).index_add(0, first[~pair], numbers[~pair])
        half = numbers.new_zeros(n * n).index_add(0, first[pair] * n + last[pair], numbers[pair]).view(n, n)
        return single, half + half.T

    def every_moment(self) -> Tensor:
        masks = torch.from_numpy(self.gates.masks())
        spread = self.weights.new_zeros(2, 1 << self.n_qubits).index_add(1, masks, torch.stack(_logs(self.weights)))
        logs, negative = (spread.sum(dim=1, keepdim=True) - transformed(spread)) / 2
        moments = logs.exp() * (1 - 2 * (negative.round() % 2))
        return moments * torch.from_numpy(even_outcomes(self.n_qubits)) if self.symmetric else moments

    def flipped(self, bits: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """Rows of bits (N, n) after the flips of every gate."""
        shares, sizes = np.sin(self.weights.detach().double().numpy()) ** 2, np.diff(self.gates.starts)
        for row in bits:
            flipped = np.repeat(generator.random(len(shares)) < shares, sizes)
            row ^= (np.bincount(self.gates.qubits[flipped], minlength=self.n_qubits) % 2).astype(np.uint8)
        return bits


def _logs(weights: Tensor) -> tuple[Tensor, Tensor]:
    """Logarithms of |cos(2 theta)|, and 1 where the cosine is below 0."""
    cosines = (2 * weights).cos()
    least = torch.finfo(weights.dtype).tiny
    return cosines.abs().clamp_min(least).log(), (cosines < 0).to(weights.dtype)
