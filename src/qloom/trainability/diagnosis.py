"""A diagnosis before training: will this circuit have gradients to train by, and what would it take to see them?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf, nan
from typing import Any

import numpy as np

from qloom.checks import checked_count
from qloom.circuits import Circuit
from qloom.engines import DensityEngine, Engine
from qloom.engines.batch import starts_from_inputs
from qloom.engines.noisy import with_noise
from qloom.engines.outputs import as_expectations
from qloom.engines.streams import make_generator
from qloom.errors import CircuitError
from qloom.gradients import metric_tensor
from qloom.gradients.parameter_shift import free_rotations
from qloom.nn import QuantumLayer
from qloom.noise.model import NoiseModel
from qloom.observables import PauliSum, group_commuting, word_letters
from qloom.programs import SOURCES, effective, make_frame, pull_back_sums
from qloom.trainability.draws import random_inputs
from qloom.trainability.effective_dimension import data_constant, effective_dimension
from qloom.trainability.exactness import engine_at, engine_of_states, exact_engine
from qloom.trainability.expressibility import Spectrum, entangling_capability, expressibility, input_waves, spectrum
from qloom.trainability.first_weights import FirstWeights, first_weights
from qloom.trainability.heisenberg import reached_words
from qloom.trainability.lie_algebra import generators, lie_closure
from qloom.trainability.restriction import restricted, restricted_observables, used_slots
from qloom.trainability.variance import Decay, check_spread, decay, gradient_variance
from qloom.trainability.wording import advise, describe

# States of so many qubits are compared in pairs; the metric is taken of so many weights.
MOST_QUBITS_COMPARED, MOST_WEIGHTS_MEASURED = 10, 400
# Density matrices of so many qubits are differentiated for hundreds of random angles in seconds.
MOST_QUBITS_NOISY = 8
# Rotations times amplitudes for the derivatives of one state, up to which the effective dimension is found.
MOST_TURNS = 1 << 23
# Waves of an input, up to which its spectrum is found.
MOST_WAVES = 100
# Words of an observable that are followed through the circuit.
MOST_WORDS = 4096


@dataclass(frozen=True)
class Diagnosis:
    """What was found of a circuit and its observables.

    Attributes:
        n_qubits, n_inputs, n_weights: of the circuit.
        observables: that were diagnosed.
        spread: standard deviation of the random angles; None for uniform ones.
        widths, variances: of gradients at random angles, for the circuit and the observables on its first qubits; the
            mean over weights with an effect, then over observables that some weight changes.
        decay: of the variance over widths; None for a single width.
        cut_shares: at every width what was not followed of the mean square of values, where an engine cuts; variances
            are then this much too small, or more. 0 where values are exact.
        noisy_variances: the same under noise, NaN where a density matrix would take long; None without noise.
        start: where training would begin: as a layer of the circuit draws its weights by default, or as this layer did.
        squares_at_start: means of the squares of the same gradients there. Not variances: at a start that is no
            uniformly random one gradients need not be 0 on average.
        decay_at_start: of these over widths.
        shots: to see a gradient of typical size as large as its error, at the last width, of the observable that takes
            the most.
        locality: most qubits that a word of an observable acts on.
        light_cone: weights that some observable depends on, of all.
        algebra: dimension of the dynamical Lie algebra of the single words, an upper bound where weights are shared,
            and whether that is all of it.
        words: most Pauli words that an observable turns into, and whether these are all; see `reached_words`.
        directions: independent ones in which the weights move the state, the rank of the metric; None where too large.
        effective_dimension: see that function; None where too large.
        n_data: rows of data that it is for.
        expressibility, entangling_capability: see those functions; None where too large.
        spectrum: of the first observable that depends on an input, in the first such input; None where there is none,
            it has no unit, or is too large.
    """

    n_qubits: int
    n_inputs: int
    n_weights: int
    observables: tuple[PauliSum, ...]
    spread: float | None
    widths: tuple[int, ...]
    variances: tuple[float, ...]
    cut_shares: tuple[float, ...]
    decay: Decay | None
    noisy_variances: tuple[float, ...] | None
    start: FirstWeights
    squares_at_start: tuple[float, ...]
    decay_at_start: Decay | None
    shots: float
    locality: int
    light_cone: tuple[int, int]
    algebra: tuple[int, bool]
    words: tuple[int, bool]
    directions: int | None
    effective_dimension: float | None
    n_data: int
    expressibility: float | None
    entangling_capability: float | None
    spectrum: Spectrum | None

    @property
    def advice(self) -> str:
        """What to do, in a sentence or a few."""
        return advise(self)

    def __str__(self) -> str:
        return describe(self)


def diagnose(
    circuit: Circuit | QuantumLayer, observables: Any = None, widths: Iterable[int] | None = None,
    n_samples: int = 200, spread: float | None = None, seed: int = 0, n_data: int = 1000,
    engine: Engine | None = None, noise: NoiseModel | None = None,
) -> Diagnosis:  # fmt: skip
    """Measure whether a circuit will train, at random angles and at the start, on a few widths.

    Args:
        circuit: or a QuantumLayer, whose circuit it is.
        observables: a Pauli sum or several; None for the layer's own, and for Z on every qubit of a circuit.
        widths: numbers of qubits the circuit is restricted to; by default up to four, the largest its own, or 12. On
            more than 20 qubits words are followed instead of states, the largest 16,384 of an observable.
        n_samples: random angles a width and observable.
        spread: standard deviation of the random angles; None for uniform ones.
        seed: of the draws.
        n_data: rows of data that the effective dimension is for.
        engine: gives exact values, or a PropagationEngine, which may cut; None for a layer's own, and
            StatevectorEngine() for a circuit.
        noise: a model, or that of a device, to see what it leaves of gradients at random angles on up to
            MOST_QUBITS_NOISY qubits.

    Raises:
        CircuitError: for a circuit without weights, a layer whose values are estimates, or a circuit that cannot be
            restricted to the widths; for outcome probabilities or states instead of observables; for an argument out
            of range.
    """
    engine = exact_engine(circuit, engine, "a diagnosis", or_bounded=True)
    states_from = engine_of_states(engine)
    start, circuit, observables = _checked(circuit, observables)
    check_spread(spread)
    data_constant(n_data)
    widths = _default_widths(circuit, observables) if widths is None else _checked_widths(widths)
    found = [_gradients(circuit, observables, width, n_samples, spread, seed, start, engine) for width in widths]
    noisy = None if noise is None else _under_noise(circuit, observables, widths, n_samples, spread, seed, noise)
    variances, squares, shots, cut_shares = zip(*found, strict=True)
    small = circuit.n_qubits <= MOST_QUBITS_COMPARED
    states = small and not starts_from_inputs(circuit)  # else the states of random inputs are all states
    return Diagnosis(
        n_qubits=circuit.n_qubits,
        n_inputs=circuit.n_inputs,
        n_weights=circuit.n_weights,
        observables=observables,
        spread=spread,
        widths=tuple(widths),
        variances=variances,
        cut_shares=cut_shares,
        decay=_decay(widths, variances),
        start=start,
        noisy_variances=noisy,
        squares_at_start=squares,
        decay_at_start=_decay(widths, squares),
        shots=shots[-1],
        locality=max((len(word_letters(word)) for observable in observables for _, word in observable), default=0),
        light_cone=_light_cone(circuit, observables),
        algebra=_algebra(circuit),
        words=_most_words(circuit, observables),
        directions=_directions(circuit, seed, states_from)
        if small and circuit.n_weights <= MOST_WEIGHTS_MEASURED
        else None,
        effective_dimension=effective_dimension(circuit, n_data, seed=seed, engine=states_from)
        if _is_quick(circuit)
        else None,
        n_data=n_data,
        expressibility=expressibility(circuit, seed=seed, engine=states_from) if states else None,
        entangling_capability=entangling_capability(circuit, seed=seed, engine=states_from) if states else None,
        spectrum=_spectrum(circuit, observables, seed, states_from) if states else None,
    )


def _checked(circuit: Circuit | QuantumLayer, observables: Any) -> tuple[FirstWeights, Circuit, tuple[PauliSum, ...]]:
    if not isinstance(circuit, Circuit | QuantumLayer):
        raise CircuitError(f"circuit is a {type(circuit).__name__}, expected a Circuit or a QuantumLayer")
    bare = circuit.circuit if isinstance(circuit, QuantumLayer) else circuit
    if not bare.n_weights:
        raise CircuitError(f"{bare!r} has no weights, expected some to train")
    if observables is None and isinstance(circuit, QuantumLayer):
        observables = circuit.observables
    sums = as_expectations(bare, observables, "diagnosis").observables
    return first_weights(circuit), bare, sums


def _checked_widths(widths: Any) -> list[int]:
    given = list(widths) if isinstance(widths, Iterable) else [widths]
    if not given:
        raise CircuitError("widths has no number, expected one or more, such as [2, 4, 6]")
    return sorted({checked_count("width", width) for width in given})


def _default_widths(circuit: Circuit, observables: Sequence[PauliSum]) -> list[int]:
    """Up to four from where there is something to measure and to train; a local observable is kept whole."""
    most = min(circuit.n_qubits, 12)
    able = [width for width in range(1, most + 1) if _restrictable(circuit, observables, width)]
    if circuit.initial is not None or not able:
        return [circuit.n_qubits]
    support, acted_on = min((max(o.qubits, default=0) + 1, len(o.qubits)) for o in observables)
    is_local = acted_on < circuit.n_qubits
    least = max(able[0], min(2, most), support if is_local and support <= most else 0)
    return sorted({round(width) for width in np.linspace(least, most, min(4, most - least + 1))})


def _restrictable(circuit: Circuit, observables: Sequence[PauliSum], width: int) -> bool:
    return circuit.initial is None and bool(
        restricted_observables(observables, width) and used_slots(circuit, width)["weight"]
    )


def _gradients(
    circuit: Circuit, observables: Sequence[PauliSum], width: int, n_samples: int, spread: float | None, seed: int,
    start: FirstWeights, engine: Engine,
) -> tuple[float, float, float, float]:  # fmt: skip
    """At one width: variance at random angles, mean square at the start, shots, and what was cut; see `Diagnosis`."""
    engine = engine_at(width, engine)
    part = circuit if width == circuit.n_qubits else restricted(circuit, width)
    draw = start.draw(circuit, part)
    variances, squares, shots, cuts = [], [], [], [0.0]
    for observable in _at_width(circuit, observables, width):
        found = gradient_variance(part, observable, n_samples, spread, seed, engine=engine)
        cuts.append(found.cut_share)
        if found.effective.any():
            first = gradient_variance(part, observable, n_samples, seed=seed, weights=draw, engine=engine)
            variances.append(found.mean)
            squares.append(float(first.squares[found.effective].mean()))
            shots.append(_power(observable) / found.mean)
    if not variances:
        return 0.0, 0.0, inf, max(cuts)
    return float(np.mean(variances)), float(np.mean(squares)), max(shots), max(cuts)


def _under_noise(
    circuit: Circuit, observables: Sequence[PauliSum], widths: Sequence[int], n_samples: int, spread: float | None,
    seed: int, noise: NoiseModel,
) -> tuple[float, ...]:  # fmt: skip
    """At every width: the variance at the same random angles, with noise."""
    engine, variances = with_noise(DensityEngine(), noise), []
    for width in widths:
        if width > MOST_QUBITS_NOISY:
            variances.append(nan)
            continue
        part = circuit if width == circuit.n_qubits else restricted(circuit, width)
        found = [
            gradient_variance(part, observable, n_samples, spread, seed, engine=engine)
            for observable in _at_width(circuit, observables, width)
        ]
        seen = [each.mean for each in found if each.effective.any()]
        variances.append(float(np.mean(seen)) if seen else 0.0)
    return tuple(variances)


def _at_width(circuit: Circuit, observables: Sequence[PauliSum], width: int) -> tuple[PauliSum, ...]:
    if width == circuit.n_qubits:
        return tuple(dict.fromkeys(observables))
    kept = restricted_observables(observables, width)
    if not kept:
        names = ", ".join(map(repr, observables))
        raise CircuitError(
            f"observables [{names}] have nothing on the first {width} qubits, expected a factor there; take more qubits"
        )
    return kept


def _decay(widths: Sequence[int], variances: Sequence[float]) -> Decay | None:
    seen = [(width, variance) for width, variance in zip(widths, variances, strict=True) if variance > 0]
    return decay(*zip(*seen, strict=True)) if len(seen) > 1 else None


def _power(observable: PauliSum) -> float:
    """Of a group of words the square of the error of one shot, so that power / variance shots show a typical gradient.

    A measurement of words that commute spreads by at most the sum of their coefficients.
    """
    sizes = {word: abs(coefficient) for coefficient, word in observable if word != (0, 0)}
    return sum(sum(sizes[word] for word in group) ** 2 for group in group_commuting(sizes))


def _light_cone(circuit: Circuit, observables: Sequence[PauliSum]) -> tuple[int, int]:
    """Weights that the observables depend on, of all that turn anything."""
    used = {angle.index for op in circuit.operations for angle in op.angles if angle.source == "weight"}
    return len(_effective_slots(circuit, observables, "weight")), len(used)


def _effective_slots(circuit: Circuit, observables: Sequence[PauliSum], source: Any) -> np.ndarray:
    rotations = effective(circuit, *pull_back_sums(circuit, observables, make_frame(circuit.n_qubits, monomial=False)))
    return np.unique(rotations.index[rotations.source == SOURCES.index(source)])


def _algebra(circuit: Circuit) -> tuple[int, bool]:
    words, complete = lie_closure(generators(circuit))
    return len(words), complete


def _most_words(circuit: Circuit, observables: Sequence[PauliSum]) -> tuple[int, bool]:
    most = 0
    for observable in observables:
        count, complete = reached_words(circuit, observable, MOST_WORDS)
        if not complete:
            return count, False
        most = max(most, count)
    return most, True


def _directions(circuit: Circuit, seed: int, engine: Engine) -> int:
    """Rank of the metric at random weights (Haug, Bharti, Kim 2021, PRX Quantum 2, 040309)."""
    random = make_generator(seed)
    inputs, weights = random_inputs(circuit, 1, random), random.uniform(-np.pi, np.pi, circuit.n_weights)
    values = np.linalg.eigvalsh(metric_tensor(circuit, inputs, weights, engine=engine))
    return int((values > 1e-9 * values[-1]).sum())


def _is_quick(circuit: Circuit) -> bool:
    """Whether the effective dimension takes seconds."""
    n_turned = sum(angle.source == "weight" for angle in free_rotations(circuit)[1])
    return circuit.n_qubits <= MOST_QUBITS_COMPARED and n_turned**2 * 2**circuit.n_qubits <= MOST_TURNS


def _spectrum(circuit: Circuit, observables: Sequence[PauliSum], seed: int, engine: Engine) -> Spectrum | None:
    for observable in observables:
        inputs = _effective_slots(circuit, [observable], "input")
        if len(inputs):
            return _spectrum_of(circuit, observable, int(inputs[0]), seed, engine)
    return None


def _spectrum_of(circuit: Circuit, observable: PauliSum, index: int, seed: int, engine: Engine) -> Spectrum | None:
    try:
        _, n_waves = input_waves(circuit, index)
    except CircuitError:  # angles that are no multiples of one
        return None
    return spectrum(circuit, observable, index, seed=seed, engine=engine) if n_waves <= MOST_WAVES else None
