"""IQP circuits as torch modules: means of words of Z over strings, or of all words, and the slopes of their angles.

Source: Van den Nest 2010, arXiv:0911.1624; Recio-Armengol and others 2025, arXiv:2503.02934.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from qloom import _native
from qloom.models.generative.every_word import transformed
from qloom.models.generative.iqp.exact import probabilities
from qloom.models.generative.iqp.strings import Strings, rows
from qloom.models.generative.words import Words


class IQPCircuit(nn.Module):
    """H^n prod_g exp(i theta_g Z_g) H^n on |0..0>, or on (|0..0> + |1..1>) / sqrt(2).

    Args:
        gates: the qubits of each gate.
        symmetric: start from the superposition: strings and their opposites are then equally likely.
        dtype: of angles, torch.float32 or torch.float64.

    Attributes:
        weights: nn.Parameter (G,), theta in radians; a gate on one qubit alone gives P(1) = sin^2 theta.
    """

    def __init__(self, gates: Words, symmetric: bool = False, dtype: torch.dtype = torch.float32):
        super().__init__()
        self.gates, self.symmetric, self.n_qubits = gates, symmetric, gates.n_qubits
        self.weights = nn.Parameter(torch.zeros(len(gates), dtype=dtype))

    def strings(self, count: int, generator: np.random.Generator) -> Strings:
        """Strings of the state after the first Hadamards."""
        return Strings.drawn(self.n_qubits, count, self.symmetric, generator, self.weights.dtype)

    def means(self, words: Words, strings: Strings) -> tuple[Tensor, Tensor]:
        """Means over strings of the cosines whose expectation each word's mean is, and of their squares, float64 (A,).

        Slopes of the angles flow through both.
        """
        means, squares = self._every_mean(words, strings)
        if not self.symmetric:
            return means, squares
        even = torch.from_numpy(1 - np.diff(words.starts) % 2).to(means.dtype)
        return means * even, squares * even

    def _every_mean(self, words: Words, strings: Strings) -> tuple[Tensor, Tensor]:
        return _Means.apply(self.weights, self, words, strings)  # type: ignore[no-any-return]

    def every_moment(self) -> Tensor:
        """The mean of every word, exact, (2^n,), with slopes."""
        return transformed(probabilities(self.gates, self.weights, self.symmetric)[None])[0]

    def phases(self, weights: Tensor, words: Words, strings: Strings) -> Tensor:
        """Of each word and string, (A, stride)."""
        raise NotImplementedError

    def slopes(self, slopes: Tensor, words: Words, strings: Strings) -> Tensor:
        """By the angles, (G,), from those by the phases (A, stride)."""
        raise NotImplementedError


class _Means(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, weights: Tensor, circuit: IQPCircuit, words: Words, strings: Strings
    ) -> tuple[Tensor, Tensor]:
        phases = circuit.phases(weights.detach(), words, strings)
        means, squares = torch.empty(2, len(words), dtype=torch.float64)
        _native.iqp_statistics(phases, strings.signs, strings.count, means, squares, _native.available_threads())
        ctx.kept = circuit, words, strings, phases
        return means, squares

    @staticmethod
    def backward(ctx: Any, *by_both: Tensor) -> tuple[Tensor | None, ...]:
        circuit, words, strings, phases = ctx.kept
        by_means, by_squares = (by.contiguous() for by in by_both)
        threads = _native.available_threads()
        _native.iqp_phase_slopes(phases, strings.signs, strings.count, by_means, by_squares, threads)
        return circuit.slopes(phases, words, strings), None, None, None


class GateByGate(IQPCircuit):
    """A circuit of gates on any sets of qubits; words walk over the gates that they meet in an odd number of qubits."""

    def phases(self, weights: Tensor, words: Words, strings: Strings) -> Tensor:
        phases = rows(len(words), strings.count, weights.dtype)
        _native.iqp_gate_phases(
            words.starts, words.qubits, self.gates.starts, self.gates.qubits, weights, strings.signs, strings.count,
            phases, _native.available_threads(),
        )  # fmt: skip
        return phases

    def slopes(self, slopes: Tensor, words: Words, strings: Strings) -> Tensor:
        by_angles = torch.empty(len(self.gates), dtype=torch.float64)
        _native.iqp_gate_slopes(
            words.starts, words.qubits, self.gates.starts, self.gates.qubits, slopes, strings.signs, strings.count,
            by_angles, _native.available_threads(),
        )  # fmt: skip
        return by_angles.to(slopes.dtype)


class PairProduct(IQPCircuit):
    """A circuit of gates on one and two qubits: one product of couplings and signs serves all words.

    A step takes two products (n, n) times (n, K) for K strings, and for each word half the square of its number of
    qubits times K; some A G / n^2 times fewer operations than words times gates times strings.
    """

    def couplings(self, weights: Tensor) -> tuple[Tensor, Tensor]:
        """Sums of the angles of gates on one qubit, (n,), and on two, symmetric (n, n)."""
        linear, couplings = weights.new_empty(self.n_qubits), weights.new_empty(self.n_qubits, self.n_qubits)
        _native.iqp_couplings(self.gates.starts, self.gates.qubits, weights, linear, couplings)
        return linear, couplings

    def phases(self, weights: Tensor, words: Words, strings: Strings) -> Tensor:
        linear, couplings = self.couplings(weights)
        fields, phases = couplings @ strings.signs, rows(len(words), strings.count, weights.dtype)
        _native.iqp_pair_phases(
            words.starts, words.qubits, strings.signs, strings.count, linear, couplings, fields, phases,
            _native.available_threads(),
        )  # fmt: skip
        return phases

    def slopes(self, slopes: Tensor, words: Words, strings: Strings) -> Tensor:
        by_fields = torch.empty_like(strings.signs)
        by_couplings = slopes.new_empty(self.n_qubits, self.n_qubits)
        _native.iqp_pair_slopes(
            words.starts, words.qubits, strings.signs, strings.count, slopes, by_fields, by_couplings,
            _native.available_threads(),
        )  # fmt: skip
        by_couplings.addmm_(by_fields, strings.signs.T)
        by_angles = slopes.new_empty(len(self.gates))
        _native.iqp_angle_slopes(self.gates.starts, self.gates.qubits, by_fields.sum(dim=1), by_couplings, by_angles)
        return by_angles


def make_circuit(gates: Words, symmetric: bool = False, dtype: torch.dtype = torch.float32) -> IQPCircuit:
    """The circuit of these gates that takes fewer operations.

    Pairs by a product where there are no larger gates and about one pair in 50 has one: of 1,000 qubits and words on
    nine of them both ways take as long with 10,000 gates.
    """
    by_product = np.diff(gates.starts).max() <= 2 and len(gates) >= gates.n_qubits**2 / 100
    return (PairProduct if by_product else GateByGate)(gates, symmetric, dtype)
