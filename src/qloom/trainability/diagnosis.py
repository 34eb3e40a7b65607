"""A diagnosis before training: will this circuit have gradients to train by, and what would it take to see them?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, log, sqrt

import numpy as np

from qloom.circuits import Circuit
from qloom.errors import CircuitError
from qloom.gradients import metric_tensor
from qloom.nn import QuantumLayer
from qloom.observables import PauliSum, Z, group_commuting, word_letters
from qloom.programs import SOURCES, lower
from qloom.trainability.expressibility import entangling_capability, expressibility
from qloom.trainability.lie_algebra import generators, lie_closure
from qloom.trainability.restriction import restricted, restricted_observable, used_slots
from qloom.trainability.variance import Decay, decay, gradient_variance

# States of so many qubits are compared in pairs; the metric is taken of so many weights.
MOST_QUBITS_COMPARED, MOST_WEIGHTS_MEASURED = 10, 400
# ln Var per qubit from which on a decay is called exponential; halving every three qubits.
STEEP = -log(2) / 3


@dataclass(frozen=True)
class Diagnosis:
    """What was found of a circuit and an observable.

    Attributes:
        n_qubits, n_weights: of the circuit.
        widths, variances: of gradients at random angles, the mean over weights, for the circuit on its first qubits.
        decay: of the variance over widths; None for a single width.
        shots: to see a gradient of typical size as large as its error.
        locality: most qubits that a word of the observable acts on.
        light_cone: weights that the observable depends on, of all.
        algebra: dimension of the dynamical Lie algebra of the single words, an upper bound where weights are shared,
            and whether that is all of it.
        effective_dimension: independent directions in which the weights move the state; None where too large.
        expressibility, entangling_capability: see those functions; None where too large.
    """

    n_qubits: int
    n_weights: int
    widths: tuple[int, ...]
    variances: tuple[float, ...]
    decay: Decay | None
    shots: float
    locality: int
    light_cone: tuple[int, int]
    algebra: tuple[int, bool]
    effective_dimension: int | None
    expressibility: float | None
    entangling_capability: float | None

    @property
    def advice(self) -> str:
        """One sentence."""
        return _advice(self)

    def __str__(self) -> str:
        dimension, complete = self.algebra
        kept, turning = self.light_cone
        lines = [
            f"{self.n_qubits} qubits, {self.n_weights} weights; the observable acts on up to {self.locality} qubits "
            f"and depends on {kept} of {turning} weights that turn something",
            "variance of a gradient: " + ", ".join(
                f"{variance:.2e} at {width}" for width, variance in zip(self.widths, self.variances, strict=True)
            ) + " qubits",
        ]  # fmt: skip
        if self.decay is not None:
            lines.append(
                f"slope of ln Var a qubit: {self.decay.slope:+.3f}, 95% from {self.decay.low:+.3f} to "
                f"{self.decay.high:+.3f} (random circuits -0.693)"
            )
        lines.append(f"shots to see a typical gradient: {self.shots:.2g}")
        lines.append(f"Lie algebra: {'' if complete else 'more than '}{dimension} of {4**self.n_qubits - 1} directions")
        if self.effective_dimension is not None:
            lines.append(f"weights move the state in {self.effective_dimension} directions")
        if self.expressibility is not None and self.entangling_capability is not None:
            lines.append(
                f"expressibility {self.expressibility:.3f} nats from random states, entanglement "
                f"{abs(self.entangling_capability):.2f} of 1"
            )
        return "\n".join([*lines, self.advice])


def diagnose(
    circuit: Circuit | QuantumLayer, observable: PauliSum | None = None, widths: Sequence[int] | None = None,
    n_samples: int = 200, spread: float | None = None, seed: int = 0,
) -> Diagnosis:  # fmt: skip
    """Measure whether a circuit will train, at random angles, on a few widths.

    Args:
        circuit: or a QuantumLayer, whose circuit it is.
        observable: one; Z on the first qubit if None.
        widths: numbers of qubits the circuit is restricted to; by default up to four, the largest its own, or 12.
        n_samples: random angles a width.
        spread: standard deviation of the angles; None for uniform ones.
        seed: of the draws.

    Raises:
        CircuitError: for a circuit without weights, or one that cannot be restricted to the widths.
    """
    circuit = circuit.circuit if isinstance(circuit, QuantumLayer) else circuit
    if not circuit.n_weights:
        raise CircuitError(f"{circuit!r} has no weights, expected some to train")
    observable = Z(0) if observable is None else observable
    widths = tuple(_default_widths(circuit, observable) if widths is None else sorted(set(widths)))
    variances = tuple(_variance(circuit, observable, width, n_samples, spread, seed) for width in widths)
    seen = [(width, variance) for width, variance in zip(widths, variances, strict=True) if variance > 0]
    small = circuit.n_qubits <= MOST_QUBITS_COMPARED and circuit.initial is None
    return Diagnosis(
        circuit.n_qubits, circuit.n_weights, widths, variances,
        decay(*zip(*seen, strict=True)) if len(seen) > 1 else None,
        _shots(observable, variances[-1]),
        max((len(word_letters(word)) for _, word in observable), default=0),
        _light_cone(circuit, observable),
        _algebra(circuit),
        _effective_dimension(circuit, seed) if small and circuit.n_weights <= MOST_WEIGHTS_MEASURED else None,
        expressibility(circuit, seed=seed) if small else None,
        entangling_capability(circuit, seed=seed) if small else None,
    )  # fmt: skip


def _default_widths(circuit: Circuit, observable: PauliSum) -> list[int]:
    """Up to four from where there is something to measure and to train; a local observable is kept whole."""
    most = min(circuit.n_qubits, 12)
    able = [width for width in range(1, most + 1) if _restrictable(circuit, observable, width)]
    if circuit.initial is not None or not able:
        return [circuit.n_qubits]
    support = max((max(word_letters(word), default=0) + 1 for _, word in observable), default=1)
    least = max(able[0], min(2, most), support if support < most else 0)
    return sorted({round(width) for width in np.linspace(least, most, min(4, most - least + 1))})


def _restrictable(circuit: Circuit, observable: PauliSum, width: int) -> bool:
    mask = (1 << width) - 1
    measured = any((x | z) & mask for _, (x, z) in observable)
    return circuit.initial is None and measured and bool(used_slots(circuit, width)["weight"])


def _variance(
    circuit: Circuit, observable: PauliSum, width: int, n_samples: int, spread: float | None, seed: int
) -> float:  # fmt: skip
    if width == circuit.n_qubits:
        part, measured = circuit, observable
    else:
        part, measured = restricted(circuit, width), restricted_observable(observable, width)
    return gradient_variance(part, measured, n_samples, spread, seed).mean


def _shots(observable: PauliSum, variance: float) -> float:
    """Of a group of words, so that the error of a parameter-shift difference is a typical gradient.

    A measurement of words that commute spreads by at most the sum of their coefficients.
    """
    sizes = {word: abs(coefficient) for coefficient, word in observable if word != (0, 0)}
    power = sum(sum(sizes[word] for word in group) ** 2 for group in group_commuting(sizes))
    return power / variance if variance > 0 else inf


def _light_cone(circuit: Circuit, observable: PauliSum) -> tuple[int, int]:
    """Weights that the observable depends on, of all that turn anything."""
    rotations = lower(circuit, [observable]).rotations
    kept = rotations.index[rotations.source == SOURCES.index("weight")]
    used = {angle.index for op in circuit.operations for angle in op.angles if angle.source == "weight"}
    return len(np.unique(kept)), len(used)


def _algebra(circuit: Circuit) -> tuple[int, bool]:
    words, complete = lie_closure(generators(circuit))
    return len(words), complete


def _effective_dimension(circuit: Circuit, seed: int) -> int:
    """Rank of the metric at random weights (Haug, Bharti, Kim 2021, PRX Quantum 2, 040309)."""
    random = np.random.default_rng(seed)
    inputs, weights = (random.uniform(-np.pi, np.pi, k) for k in (circuit.n_inputs, circuit.n_weights))
    values = np.linalg.eigvalsh(metric_tensor(circuit, inputs, weights))
    return int((values > 1e-9 * values[-1]).sum())


def _advice(found: Diagnosis) -> str:
    dimension, complete = found.algebra
    easy = complete and dimension <= 8 * found.n_qubits**2
    simulable = (
        f" Its algebra of {dimension} directions is small, so it can be simulated classically."
        if easy and found.n_qubits > 2
        else ""
    )
    if found.variances[-1] == 0:
        return "No weight changes this observable: measure other qubits, or entangle them." + simulable
    if found.decay is not None and found.decay.slope < STEEP and found.decay.high < 0:
        factor = np.exp(-found.decay.slope)
        return (
            f"Gradients lose a factor of {factor:.1f} in variance with every qubit, so this circuit will not train "
            "from random angles at larger widths: start near the identity (init='small', identity blocks), use fewer "
            "layers or a more local observable; each of these also makes it easier to simulate." + simulable
        )
    if sqrt(found.variances[-1]) < 1e-3:
        return (
            f"Gradients are below 0.001 already at this width: expect {found.shots:.1g} shots a gradient, and train "
            "with exact values first." + simulable
        )
    return "Gradients are large enough to train by at this width, and no exponential decay was seen." + simulable
