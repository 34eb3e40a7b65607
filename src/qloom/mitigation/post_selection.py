"""Post-selection by a symmetry: only what has the value that it must have is kept.

Of a symmetry S with value s the projector is P = (1 + s S) / 2; observables become <P O P> / <P>. Errors that commute
with the symmetry stay.

Source: Bonet-Monroig et al. 2018, Phys. Rev. A 98, 062339.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.engines.base import Engine
from qloom.engines.outputs import Expectations, Outputs, Probabilities
from qloom.errors import CircuitError, UnsupportedError
from qloom.mitigation.combinations import Combination
from qloom.mitigation.differentiable import differentiable
from qloom.mitigation.mitigated import MitigatedEngine, MitigatedEvaluator, fixed
from qloom.mitigation.variants import SeparateVariants
from qloom.observables import I, PauliSum, check_fits

# Where less is kept than this, or than so many of its standard errors, nothing can be said.
_LEAST_KEPT = 1e-9
SIGNIFICANT = 5.0


class PostSelected(MitigatedEngine):
    """Values of what has the right value of a symmetry.

    Args:
        engine: what runs the circuits, with its noise.
        symmetry: a Pauli word with coefficient 1 or -1 whose value in the noiseless state is 1, such as
            ``Z(0) @ Z(1)`` or ``-1 * Z(0)``; or several that commute. For probabilities words of Z.

    Raises:
        CircuitError: for what is no word times 1 or -1, no symmetry at all, or symmetries that do not commute.

    Source: Bonet-Monroig et al. 2018, Phys. Rev. A 98, 062339.
    """

    def __init__(self, engine: Engine, symmetry: PauliSum | Sequence[PauliSum]):
        super().__init__(engine)
        self.symmetries = (symmetry,) if isinstance(symmetry, PauliSum) else tuple(symmetry)
        self.runs = engine.runs
        self.projector = I()
        for k, each in enumerate(self.symmetries):
            _check_word(each)
            for other in self.symmetries[:k]:
                if not each.commutes(other):
                    raise CircuitError(f"symmetries {other} and {each} do not commute, expected ones that do")
            self.projector = self.projector @ (0.5 * (I() + each))
        if not self.symmetries:
            raise CircuitError("no symmetry was given, expected a Pauli word such as Z(0) @ Z(1)")

    def evaluator(self, circuit: Circuit, outputs: Outputs) -> MitigatedEvaluator:
        for each in self.symmetries:
            check_fits(each, circuit.n_qubits)
        asked, combination = self._sums(outputs) if isinstance(outputs, Expectations) else self._table(circuit, outputs)
        variants = SeparateVariants([differentiable(self.engine, circuit, asked)])
        return MitigatedEvaluator(circuit, variants, fixed(None, combination), outputs.size)

    def _sums(self, outputs: Expectations) -> tuple[Outputs, Combination]:
        kept = [_real(self.projector @ o @ self.projector) for o in outputs.observables]
        n = len(kept)
        return Expectations((*kept, self.projector)), Ratio(np.eye(n, n + 1), np.eye(1, n + 1, n)[0])

    def _table(self, circuit: Circuit, outputs: Outputs) -> tuple[Outputs, Combination]:
        assert isinstance(outputs, Probabilities)
        if any(x for each in self.symmetries for x, _ in each.terms):
            raise UnsupportedError("probabilities are kept by words of Z alone, expected such a symmetry")
        further = sorted({q for each in self.symmetries for q in each.qubits} - set(outputs.qubits))
        qubits = (*outputs.qubits, *further)
        outcomes = np.arange(2 ** len(qubits))
        kept = np.ones(len(outcomes), bool)
        for each in self.symmetries:
            ((coefficient, (_, z)),) = each
            places = [len(qubits) - 1 - k for k, q in enumerate(qubits) if z >> q & 1]
            parity = sum((outcomes >> place & 1 for place in places), np.zeros_like(outcomes)) % 2
            kept &= (1 - 2 * parity) == np.real(coefficient)
        sums = np.zeros((outputs.size, len(outcomes)))
        sums[outcomes[kept] >> len(further), outcomes[kept]] = 1
        return Probabilities(qubits), Ratio(sums, kept.astype(float))


@dataclass(frozen=True, eq=False)
class Ratio(Combination):
    """Rows of values over what is kept.

    Shapes: rows (O, P), kept (P,).
    """

    rows: np.ndarray
    kept: np.ndarray

    @property
    def reads_errors(self) -> bool:  # type: ignore[override]
        return True

    def combine(self, values: np.ndarray, errors: np.ndarray | None = None) -> np.ndarray:
        kept = values[0] @ self.kept
        bound = np.full_like(kept, _LEAST_KEPT)
        if errors is not None:
            bound = np.maximum(bound, SIGNIFICANT * np.sqrt(np.nan_to_num(errors[0] ** 2) @ self.kept**2))
        if (kept <= bound).any():
            raise UnsupportedError(
                f"{kept.min():.3g} of the outcomes have the value of the symmetry, expected more than "
                f"{bound[kept.argmin()]:.2g} to keep; the state may have another value, or needs more shots"
            )
        return values[0] @ self.rows.T / kept[:, None]

    def pulled_back(self, values: np.ndarray, cotangents: np.ndarray) -> np.ndarray:
        kept = (values[0] @ self.kept)[:, None]
        ratios = values[0] @ self.rows.T / kept
        by_kept = (cotangents * ratios).sum(axis=1, keepdims=True)
        return ((cotangents @ self.rows - by_kept * self.kept) / kept)[None]


def _check_word(symmetry: object) -> None:
    if not isinstance(symmetry, PauliSum) or len(symmetry) != 1:
        raise CircuitError(f"symmetry={symmetry!r}, expected a Pauli word such as Z(0) @ Z(1)")
    ((coefficient, word),) = symmetry
    if abs(np.real(coefficient)) != 1 or np.imag(coefficient) != 0 or word == (0, 0):
        raise CircuitError(f"symmetry={symmetry!r}, expected a Pauli word times 1 or -1, not the identity")


def _real(observable: PauliSum) -> PauliSum:
    """Without imaginary parts, which are rounding in P O P of real sums."""
    return PauliSum({word: float(np.real(c)) for word, c in observable.terms.items()})
