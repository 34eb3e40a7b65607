"""Effective dimension: how many directions a circuit's weights have that so much data could tell apart.

Source: Abbas, Sutter, Zoufal, Lucchi, Figalli, Woerner 2021, Nature Computational Science 1, 403.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import isfinite, log, pi
from numbers import Real
from typing import Any

import numpy as np
from scipy.special import logsumexp

from qloom.checks import checked_count
from qloom.circuits import Circuit
from qloom.engines import Batch, Engine, make_batch
from qloom.engines.batch import check_memory
from qloom.engines.outputs import as_outputs
from qloom.engines.products import one_thread
from qloom.engines.streams import make_generator
from qloom.errors import CircuitError
from qloom.gradients.metric import Tangents
from qloom.trainability.draws import random_inputs
from qloom.trainability.exactness import exact_engine
from qloom.trainability.output_information import OutputInformation

# States of about this many bytes are held at once, those of one row always.
MOST_BYTES = 1 << 26


def effective_dimension(
    circuit: Any, n_data: int = 1000, gamma: float = 1.0, n_samples: int = 20, n_rows: int = 20, seed: int = 0,
    *, observables: Any = None, engine: Engine | None = None,
) -> float:  # fmt: skip
    """Of what a circuit gives out: 2 ln E sqrt det(1 + kappa F) / ln kappa.

    E is the mean over uniformly random weights, F the Fisher information, the mean over random inputs, divided by its
    mean trace over weights and times W, and kappa = gamma n_data / (2 pi ln n_data). With more and more data it tends
    to the largest rank of F; with little it may lie above that. It is 0 where no weight changes a probability.

    Args:
        circuit: with weights; or a `QuantumLayer`, for its own outputs.
        n_data: n, rows of data that the weights are learnt from; the definition means something from some hundred on.
        gamma: constant of the generalization bound, above 0 and at most 1.
        n_samples: random weights.
        n_rows: random inputs for each of these; too few make F singular and the result too small.
        seed: of the draws.
        observables: what is given out: probabilities of bit strings, all qubits measured, for None; Pauli sums, for
            numbers with equal noise; or `Probabilities` of some qubits.
        engine: gives exact values; None for a layer's own, and StatevectorEngine() for a circuit.

    Raises:
        CircuitError: for a circuit without weights, a layer with shots, so little data that kappa is not above 1, or a
            gamma out of range.
        MemoryLimitError: where the states of one row's derivatives do not fit.

    Source: Abbas, Sutter, Zoufal, Lucchi, Figalli, Woerner 2021, Nature Computational Science 1, 403.
    """
    circuit, information = _information(circuit, observables, engine)
    kappa = data_constant(n_data, gamma)
    n_samples, n_rows = checked_count("n_samples", n_samples), checked_count("n_rows", n_rows)
    random = make_generator(seed)
    rows = n_rows if circuit.n_inputs else 1
    values = []
    with one_thread():
        for _ in range(n_samples):
            weights = random.uniform(-pi, pi, circuit.n_weights)
            batch = Batch(random_inputs(circuit, rows, random), weights, False)
            values.append(np.linalg.eigvalsh(information(batch)))
    return _dimension(np.array(values), kappa)


def fisher_information(
    circuit: Any, inputs: Any = None, weights: Any = None, *, observables: Any = None, engine: Engine | None = None
) -> np.ndarray:
    """Of the probabilities p_b of bit strings in the weights, the mean over rows: sum_b d_i p_b d_j p_b / p_b.

    Of expectation values, or of a `QuantumLayer`'s outputs, as in `effective_dimension`.

    Outcomes of probability 0 count nothing, so that it jumps where an outcome vanishes, as at weights of 0.

    Args:
        observables, engine: as of `effective_dimension`.

    Shapes: inputs (B, I) or (I,), weights (W,) -> (W, W).

    Raises:
        CircuitError: for a circuit without weights, or weights of their own for each row.

    Source: Abbas, Sutter, Zoufal, Lucchi, Figalli, Woerner 2021, Nature Computational Science 1, 403.
    """
    circuit, information = _information(circuit, observables, engine)
    batch = make_batch(circuit, inputs, weights)
    if batch.weights.ndim != 1 or not batch.size:
        raise CircuitError(
            f"{batch.size} rows of inputs and weights of shape {batch.weights.shape}, expected at least one row, and "
            f"weights ({circuit.n_weights},) that all rows share"
        )
    exact = Batch(batch.inputs.astype(np.float64), batch.weights.astype(np.float64), False)
    return information(exact)


def data_constant(n_data: int, gamma: float = 1.0) -> float:
    """kappa = gamma n / (2 pi ln n): how finely so much data resolves the Fisher information.

    Raises:
        CircuitError: unless n_data is an integer, gamma in (0, 1] and kappa above 1.
    """
    n_data = checked_count("n_data", n_data, least=2)
    if not isinstance(gamma, Real) or not 0 < gamma <= 1:
        raise CircuitError(f"gamma={gamma!r}, expected a number above 0 and at most 1")
    kappa = float(gamma) * min(n_data, 1e300) / (2 * pi * log(n_data))
    if not (isfinite(kappa) and kappa > 1):
        raise CircuitError(f"n_data={n_data} at gamma={gamma:g} gives kappa {kappa:.3g}, expected above 1; give more")
    return kappa


def _information(
    circuit: Any, observables: Any, engine: Engine | None
) -> tuple[Circuit, Callable[[Batch], np.ndarray]]:
    """The circuit, and the Fisher information of its outputs at a batch of rows."""
    engine = exact_engine(circuit, engine, "Fisher information")
    layer_circuit = getattr(circuit, "circuit", None)
    if isinstance(layer_circuit, Circuit) and observables is None:  # of a layer, whose None is Z on every qubit
        circuit, observables = layer_circuit, as_outputs(layer_circuit, circuit.observables)
    if not isinstance(circuit, Circuit):
        raise CircuitError(f"circuit is a {type(circuit).__name__}, expected a Circuit or a QuantumLayer")
    if not circuit.n_weights:
        raise CircuitError(f"{circuit!r} has no weights, expected some to train")
    if observables is not None:
        return circuit, OutputInformation(circuit, observables, engine)
    return circuit, partial(_fisher_information, Tangents(circuit, engine))


def _dimension(eigenvalues: np.ndarray, kappa: float) -> float:
    """From the eigenvalues of the Fisher information of S random weights. Shapes: (S, W) -> ()."""
    trace = eigenvalues.sum(axis=1).mean()
    if trace < 1e-12:  # no more than rounding
        return 0.0
    normalized = eigenvalues.shape[1] * np.maximum(eigenvalues, 0) / trace
    halves = np.log1p(kappa * normalized).sum(axis=1) / 2  # ln sqrt det
    return float(2 * (logsumexp(halves) - log(len(halves))) / log(kappa))


def _fisher_information(tangents: Tangents, batch: Batch) -> np.ndarray:
    """The mean over rows that share their weights. Shapes: (W, W).

    With amplitudes psi_b = |psi_b| u_b the derivative of p_b divided by its root is 2 Re(conj(u_b) d psi_b), which is
    finite also where p_b is 0; the states with an angle turned by pi are 2 d psi.
    """
    n_bytes = 3 * 16 * tangents.n_states * 2**tangents.circuit.n_qubits  # states, products, real parts
    check_memory(n_bytes, f"{tangents.n_states} states of {tangents.circuit.n_qubits} qubits")
    step = max(1, MOST_BYTES // n_bytes)
    total = np.zeros((tangents.n_states - 1,) * 2)
    for first in range(0, batch.size, step):
        states = tangents.states(Batch(batch.inputs[first : first + step], batch.weights, False))
        sizes = np.abs(states[:, :1])
        phases = np.divide(states[:, :1], sizes, out=np.zeros_like(states[:, :1]), where=sizes > 0)
        both = states[:, 1:].view(np.float64) * phases.view(np.float64)  # of real and imaginary parts side by side
        slopes = both[..., 0::2] + both[..., 1::2]
        total += (slopes @ slopes.swapaxes(1, 2)).sum(axis=0)
    return tangents.scales @ total @ tangents.scales.T / batch.size
