"""Readout inversion: what bits were before they were misread, from known confusion.

A block of confusion on k qubits has columns of true and rows of measured outcomes. Parities v of true outcomes and w of
measured ones are joined by D = H C H / 2^k, so that a word is a sum of measured ones over its block, the row of
D^-1: the observables are changed, and what measures them gives the errors of the sums.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.engines.base import Engine
from qloom.engines.outputs import Expectations, Outputs, Probabilities
from qloom.errors import CircuitError, UnsupportedError
from qloom.mitigation.combinations import LinearMap
from qloom.mitigation.confusion import Block, blocks_of_circuit, checked_blocks
from qloom.mitigation.differentiable import differentiable
from qloom.mitigation.mitigated import MitigatedEngine, MitigatedEvaluator, fixed
from qloom.mitigation.outcome_tables import BoundedOutcomes, ConfusedTable
from qloom.mitigation.variants import SeparateVariants
from qloom.observables import PauliSum, Word, word_from_letters, word_letters

METHODS = ("inverse", "least_squares")
MOST_TERMS = 1 << 16


class ReadoutInversion(MitigatedEngine):
    """Values as if no bit had been misread.

    Args:
        engine: what runs the circuits, with its readout errors.
        confusion: blocks of qubits with their matrices, ``{0: matrix, (1, 2): joint}``, as `measured_confusion` gives;
            None for those of the engine's noise model.
        method: "inverse", exact on average, which may give probabilities below 0; or "least_squares", the probabilities
            whose confusion is nearest to what was measured.

    Raises:
        CircuitError: for another method, or a confusion that is none or that hardly can be undone.
        UnsupportedError: when a circuit is prepared for which no readout error is known.
    """

    def __init__(self, engine: Engine, confusion: Any = None, method: str = "inverse"):
        super().__init__(engine)
        if method not in METHODS:
            raise CircuitError(f"method={method!r}, expected one of {', '.join(METHODS)}")
        self.confusion = None if confusion is None else checked_blocks(confusion)
        self.method, self.runs = method, engine.runs
        if method == "least_squares":
            self.gives = engine.gives & {"probabilities"}
            self.walks_back = self.gives

    def evaluator(self, circuit: Circuit, outputs: Outputs) -> MitigatedEvaluator:
        blocks = blocks_of_circuit(self.engine, circuit) if self.confusion is None else self.confusion
        if isinstance(outputs, Expectations):
            sums = Expectations(tuple(_undone(o, blocks) for o in outputs.observables))
            combination: Any = LinearMap(np.eye(outputs.size))
            asked: Outputs = sums
        else:
            assert isinstance(outputs, Probabilities)
            table = ConfusedTable(outputs.qubits, blocks)
            asked = Probabilities(table.qubits)
            combination = table if self.method == "inverse" else BoundedOutcomes(table)
        variants = SeparateVariants([differentiable(self.engine, circuit, asked)])
        return MitigatedEvaluator(circuit, variants, fixed(None, combination), outputs.size)


def _undone(observable: PauliSum, blocks: Sequence[Block]) -> PauliSum:
    """The sum of measured words whose mean is the true mean of an observable."""
    total: dict[Word, complex] = {}
    for coefficient, word in observable:
        for one, factor in _measured_words(word, blocks).items():
            total[one] = total.get(one, 0) + coefficient * factor
    return PauliSum(total)


def _measured_words(word: Word, blocks: Sequence[Block]) -> dict[Word, complex]:
    letters = word_letters(word)
    terms: dict[Word, complex] = {(0, 0): 1.0}
    inside = {q for block in blocks for q in block.qubits}
    for block in (*blocks, *(Block((q,), np.eye(2)) for q in letters if q not in inside)):
        row = block.undoing_row([q in letters for q in block.qubits])
        parts = []
        for parity in np.flatnonzero(np.abs(row) > 1e-14):
            chosen = [q for k, q in enumerate(block.qubits) if parity >> (len(block.qubits) - 1 - k) & 1]
            parts.append((word_from_letters("".join(letters.get(q, "Z") for q in chosen), chosen), row[parity]))
        if len(terms) * len(parts) > MOST_TERMS:
            raise UnsupportedError(
                f"a word on {len(letters)} qubits becomes more than {MOST_TERMS:,} measured ones, expected shorter "
                "words; take TwirledReadout"
            )
        terms = {(x | px, z | pz): c * f for (x, z), c in terms.items() for (px, pz), f in parts}
    return terms
