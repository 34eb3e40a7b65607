"""How widely a circuit's states spread, how entangled they are, and which waves of its inputs they can make."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qloom.circuits import Circuit
from qloom.engines import Engine, expectation, make_batch
from qloom.engines.streams import make_generator
from qloom.errors import CircuitError
from qloom.gradients.parameter_shift import free_rotations
from qloom.gradients.waves import waves_of
from qloom.observables import PauliSum
from qloom.trainability.draws import random_inputs
from qloom.trainability.exactness import exact_engine

BINS = 75


def random_states(circuit: Circuit, n_samples: int, seed: int = 0, engine: Engine | None = None) -> np.ndarray:
    """States at uniformly random weights and inputs, (B, 2^n)."""
    random = make_generator(seed)
    inputs = random_inputs(circuit, n_samples, random)
    weights = random.uniform(-np.pi, np.pi, (n_samples, circuit.n_weights))
    return exact_engine(circuit, engine, "a state").state(circuit, make_batch(circuit, inputs, weights))


def expressibility(circuit: Circuit, n_pairs: int = 2000, seed: int = 0, engine: Engine | None = None) -> float:
    """Kullback-Leibler divergence of the fidelities of random pairs of states from those of Haar-random ones, nats.

    0 for a circuit that makes all states alike; ln BINS or more for one that makes a single state. Sampling alone gives
    about BINS / (2 n_pairs).

    Args:
        circuit: weights, and inputs if it has some, are drawn uniformly.
        n_pairs: of states.
        seed: of the draws.
        engine: one that gives states; StatevectorEngine() by default.

    Source: Sim, Johnson, Aspuru-Guzik 2019, Advanced Quantum Technologies 2, 1900070.
    """
    states = random_states(circuit, 2 * n_pairs, seed, engine)
    fidelities = np.abs((states[:n_pairs].conj() * states[n_pairs:]).sum(axis=1)) ** 2
    edges = np.linspace(0, 1, BINS + 1)
    shares = np.histogram(np.clip(fidelities, 0, 1), edges)[0] / n_pairs
    # A Haar-random fidelity is above f with probability (1 - f)^(N - 1).
    haar = -np.diff((1 - edges) ** (2**circuit.n_qubits - 1))
    seen = shares > 0
    return float((shares[seen] * np.log(shares[seen] / np.maximum(haar[seen], 1e-300))).sum())


def entangling_capability(circuit: Circuit, n_samples: int = 500, seed: int = 0, engine: Engine | None = None) -> float:
    """Mean Meyer-Wallach measure of random states: 0 for products, 1 where every qubit is maximally entangled.

    Args:
        circuit: weights, and inputs if it has some, are drawn uniformly.
        n_samples: states.
        seed: of the draws.
        engine: one that gives states; StatevectorEngine() by default.

    Source: Meyer, Wallach 2002, Journal of Mathematical Physics 43, 4273; Sim, Johnson, Aspuru-Guzik 2019, Advanced
    Quantum
    Technologies 2, 1900070.
    """
    return float(meyer_wallach(random_states(circuit, n_samples, seed, engine)).mean())


def meyer_wallach(states: np.ndarray) -> np.ndarray:
    """2 (1 - the mean purity of one qubit). Shapes: states (B, 2^n) -> (B,).

    Source: Meyer, Wallach 2002, Journal of Mathematical Physics 43, 4273.
    """
    n_qubits = states.shape[1].bit_length() - 1
    purities = np.zeros(len(states))
    for qubit in range(n_qubits):
        halves = states.reshape(len(states), 2**qubit, 2, -1)
        reduced = np.einsum("baic,bajc->bij", halves, halves.conj())
        purities += np.einsum("bij,bji->b", reduced, reduced).real
    return 2 * (1 - purities / n_qubits)


@dataclass(frozen=True)
class Spectrum:
    """Of an expectation value as a function of one input, the others at 0.

    Attributes:
        frequencies: 0, u, 2 u, ... radians^-1.
        sizes: root mean squares of the coefficients over random weights.
        input_index, observable: of what.
    """

    frequencies: np.ndarray
    sizes: np.ndarray
    input_index: int
    observable: PauliSum


def spectrum(
    circuit: Circuit,
    observable: PauliSum,
    input_index: int = 0,
    n_samples: int = 100,
    seed: int = 0,
    engine: Engine | None = None,
) -> Spectrum:
    """The waves that a circuit makes of one input: as many as its rotations by that input allow.

    Args:
        circuit: with inputs.
        observable: a Pauli sum.
        input_index: of the input that varies; the others are 0.
        n_samples: random weights.
        seed: of the draws.
        engine: StatevectorEngine() by default.

    Raises:
        CircuitError: if the input turns nothing, or turns by angles that are no multiples of one.

    Source: Schuld, Sweke, Meyer 2021, Phys. Rev. A 103, 032430.
    """
    unit, n_waves = input_waves(circuit, input_index)
    if not n_waves:
        raise CircuitError(f"input {input_index} turns nothing in {circuit!r}, expected one of its inputs")
    count, random = 2 * n_waves + 1, make_generator(seed)
    inputs = np.zeros((count, circuit.n_inputs))
    inputs[:, input_index] = 2 * np.pi / unit * np.arange(count) / count
    coefficients = []
    for _ in range(n_samples):
        weights = random.uniform(-np.pi, np.pi, circuit.n_weights)
        coefficients.append(np.fft.rfft(expectation(circuit, observable, inputs, weights, engine=engine)[:, 0]) / count)
    sizes = np.sqrt(np.mean(np.abs(coefficients) ** 2, axis=0))
    return Spectrum(unit * np.arange(len(sizes)), sizes, input_index, observable)


def input_waves(circuit: Circuit, input_index: int) -> tuple[float, int]:
    """The unit u and number m of the frequencies u, 2 u, ..., m u that an input's rotations allow; m may be 0.

    Raises:
        CircuitError: if its angles are no multiples of one.
    """
    angles = free_rotations(circuit)[1]
    return waves_of([angle.scale for angle in angles if angle.source == "input" and angle.index == input_index])
