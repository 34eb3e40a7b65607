"""Optimizing the state instead of angles: rotations about Pauli words are put at the end of the circuit.

The slope of an expectation value along every word of a pool comes from one walk back through the circuit with all these
rotations behind it at angle 0. `RiemannianFlow` turns along the steepest words as far as they are steep, the gradient
flow on the unitary group; `Adapt` adds the steepest word and trains all angles again.

Source: Wiersema, Killoran 2023, Phys. Rev. A 107, 062421; Grimsley et al. 2019, Nature Communications 10, 3007.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
import torch

from qloom.circuits import Circuit
from qloom.engines import Engine, expectation
from qloom.engines.evaluation import checked_engine
from qloom.errors import ConfigError
from qloom.fitting import Training
from qloom.gradients import gradient
from qloom.nn import QuantumLayer
from qloom.observables import PauliSum, group_commuting, word_letters
from qloom.optimizers.base import Cost

Letters = tuple[str, tuple[int, ...]]


def local_words(n_qubits: int) -> list[Letters]:
    """All Pauli words on one qubit and on two neighbours, as letters and qubits: 3 n + 9 (n - 1)."""
    single: list[Letters] = [(letter, (q,)) for q in range(n_qubits) for letter in "XYZ"]
    pairs = [("".join(two), (q, q + 1)) for q in range(n_qubits - 1) for two in product("XYZ", repeat=2)]
    return single + pairs


def pool_slopes(
    circuit: Circuit,
    observable: PauliSum,
    pool: Sequence[Letters],
    weights: np.ndarray,
    *,
    engine: Engine | None = None,
) -> np.ndarray:
    """Derivatives of <O> by the angles of rotations put behind the circuit, one a word, at 0.

    Args:
        circuit: without inputs.
        observable: O.
        pool: words as letters and qubits, P of them.
        engine: StatevectorEngine() by default.

    Shapes: weights (W,) of the circuit -> (P,).
    """
    longer = circuit.copy()
    for (letters, qubits), angle in zip(pool, longer.weights(len(pool)), strict=True):
        longer.pauli_rotation(angle, letters, qubits)
    extended = np.concatenate([weights, np.zeros(len(pool))])
    return gradient(longer, observable, None, extended, engine=engine)[1][circuit.n_weights :]


class Growth:
    """A circuit that grows by rotations about Pauli words, toward the least of an observable.

    Args:
        circuit: to begin with, without inputs; an empty one starts from |0>.
        observable: to be low.
        pool: words as letters and qubits; by default all on one qubit or two neighbours.
        weights: of the circuit to begin with, (W,).
        engine: runs it; StatevectorEngine() by default.

    Attributes:
        circuit, weights: as grown so far.
        cost: what was run.

    Raises:
        ConfigError: for a circuit with inputs, or an empty pool.

    Source: Wiersema, Killoran 2023, Phys. Rev. A 107, 062421; Grimsley et al. 2019, Nature Communications 10, 3007.
    """

    def __init__(
        self, circuit: Circuit, observable: PauliSum, pool: Sequence[Letters] | None = None,
        weights: np.ndarray | None = None, engine: Engine | None = None,
    ):  # fmt: skip
        if circuit.n_inputs:
            raise ConfigError(f"{circuit!r}, expected a circuit without inputs; growth is for one state")
        self.circuit, self.observable, self.engine = circuit.copy(), observable, checked_engine(engine)
        self._words = dict.fromkeys(word for _, word in observable if word != (0, 0))
        self.pool = local_words(circuit.n_qubits) if pool is None else list(pool)
        if not self.pool:
            raise ConfigError("pool is empty, expected Pauli words to choose from")
        self.weights = np.zeros(circuit.n_weights) if weights is None else np.asarray(weights, float)
        self.cost = Cost()

    def energy(self) -> float:
        """<O> now."""
        self._count(1)
        return float(expectation(self.circuit, self.observable, None, self.weights, engine=self.engine)[0])

    def slopes(self) -> np.ndarray:
        """Along every word of the pool, (P,)."""
        self._count(2 * len(self.pool) if self.engine.shots else 3)  # shifted both ways, or a value and a walk back
        return pool_slopes(self.circuit, self.observable, self.pool, self.weights, engine=self.engine)

    def _count(self, runs: int) -> None:
        """So many circuits were run, with shots if the engine measures."""
        self.cost.evaluations += runs
        if self.engine.shots:
            self.cost.shots += runs * self.engine.shots * len(group_commuting(self._words))

    def append(self, chosen: Sequence[int], angles: Sequence[float]) -> None:
        """Rotations about words of the pool, at angles.

        Args:
            chosen: numbers of words in the pool.
            angles: radians, one each.
        """
        for index, angle in zip(chosen, self.circuit.weights(len(chosen)), strict=True):
            self.circuit.pauli_rotation(angle, *self.pool[index])
        self.weights = np.concatenate([self.weights, angles])


class RiemannianFlow(Growth):
    """Gradient descent on the unitary group: every step turns along the steepest words, against their slopes.

    Args:
        circuit, observable, pool, weights, engine: as in `Growth`.
        step: of the flow.
        n_words: a step; None for all.

    Raises:
        ConfigError: for a step or number of words that is not above 0.

    Source: Wiersema, Killoran 2023, Phys. Rev. A 107, 062421.
    """

    def __init__(
        self, circuit: Circuit, observable: PauliSum, step: float = 0.1, n_words: int | None = None,
        pool: Sequence[Letters] | None = None, weights: np.ndarray | None = None, engine: Engine | None = None,
    ):  # fmt: skip
        if not step > 0 or (n_words is not None and n_words < 1):
            raise ConfigError(f"step={step}, n_words={n_words}, expected positive ones")
        super().__init__(circuit, observable, pool, weights, engine)
        self.length, self.n_words = step, n_words

    def step(self) -> float:
        """Grow once; gives back the steepest slope before."""
        slopes = self.slopes()
        chosen = np.argsort(-np.abs(slopes))[: self.n_words]
        chosen = chosen[np.abs(slopes[chosen]) > 1e-12]
        self.append(chosen.tolist(), (-self.length * slopes[chosen]).tolist())
        return float(np.abs(slopes).max())


class Adapt(Growth):
    """ADAPT: the steepest word is added, then all angles are trained.

    Args:
        circuit, observable, pool, weights, engine: as in `Growth`.
        n_steps, learning_rate: of Adam after every word.

    Source: Grimsley et al. 2019, Nature Communications 10, 3007.
    """

    def __init__(
        self, circuit: Circuit, observable: PauliSum, n_steps: int = 100, learning_rate: float = 0.05,
        pool: Sequence[Letters] | None = None, weights: np.ndarray | None = None, engine: Engine | None = None,
    ):  # fmt: skip
        super().__init__(circuit, observable, pool, weights, engine)
        self.n_steps, self.learning_rate = n_steps, learning_rate

    def step(self) -> float:
        """Grow once and train; gives back the steepest slope before."""
        slopes = self.slopes()
        best = int(np.abs(slopes).argmax())
        self.append([best], [0.0])
        layer = QuantumLayer(self.circuit, [self.observable], self.engine, init=self.weights, dtype=torch.float64)
        adam = torch.optim.Adam(layer.parameters(), self.learning_rate)
        Training(layer, lambda layer, _: layer()[0], [None], adam, epochs=self.n_steps, seed=None).run()
        self._count(self.n_steps * (1 + layer.walk_cost))
        self.weights = layer.weights.detach().numpy().copy()
        return float(np.abs(slopes[best]))


def words_of(observable: PauliSum) -> list[Letters]:
    """The words of an observable, as letters and qubits: the pool of its own terms."""
    named = [word_letters(word) for _, word in observable if word != (0, 0)]
    return [("".join(letters.values()), tuple(letters)) for letters in named]
