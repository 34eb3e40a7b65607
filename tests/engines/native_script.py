"""Every way through the native engine, with numpy alone, for builds that watch memory and threads.

Run as a script in a process of its own. Prints "agreed" when 1 and 2 threads, and 8 threads that call at once, gave the
same bits.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

import qloom as ql
from qloom.combinatorial import Quadratic, SimulatedAnnealing
from qloom.combinatorial.solvers import (
    MemeticTabu,
    ParallelTempering,
    SimulatedBifurcation,
    SimulatedQuantumAnnealing,
    Solver,
    TabuSearch,
    descend,
)
from qloom.engines import DensityEngine, PropagationEngine, StatevectorEngine, TrajectoryEngine

# Both layouts, tiles that are not full, a batch without samples, a state that threads share.
SIZES = ((2, 1), (4, 40), (5, 0), (6, 1), (8, 9), (9, 3), (11, 70), (15, 1))


def circuit_of(n_qubits: int) -> ql.Circuit:
    circuit = ql.encoders.angle(n_qubits, "x") + ql.ansatze.strongly_entangling(n_qubits, 2)
    circuit = circuit + ql.encoders.angle(n_qubits, "z")
    w = circuit.weights(n_qubits)
    for q in range(n_qubits):
        circuit.h(q).crx(2 * w[q] + 0.1, q, (q + 1) % n_qubits).rzz(w[q], q, (q + 1) % n_qubits).t(q)
    return circuit


def real_circuit_of(n_qubits: int) -> ql.Circuit:
    """One whose states are real."""
    return ql.encoders.angle(n_qubits) + ql.ansatze.hardware_efficient(n_qubits, 2, ("ry",), "linear", "cz")


def results(circuit: ql.Circuit, n_samples: int, dtype: str, threads: int) -> list[np.ndarray]:
    n_qubits, engine = circuit.n_qubits, StatevectorEngine(threads)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n_samples, circuit.n_inputs)).astype(dtype)
    w = rng.normal(size=circuit.n_weights).astype(dtype)
    words = [ql.X(0) @ ql.Z(n_qubits - 1), ql.Y(1) + 0.5 * ql.Z(0), ql.Z(1)]
    return [
        ql.expectation(circuit, words, x, w, engine=engine),
        *ql.gradients.gradient(circuit, words, x, w, engine=engine),
        ql.probabilities(circuit, x, w, engine=engine),
        *ql.gradients.gradient(circuit, "probabilities", x, w, engine=engine),
        ql.state(circuit, x, w, engine=engine),
        *ql.gradients.gradient(circuit, "state", x, w, engine=engine),
        ql.sample(circuit, 100, x, w, seed=0, engine=engine),
        ql.expectation(circuit, None, x, w, shots=100, seed=0, engine=engine),
    ]


# Of density matrices: one block, samples in the lanes, digits in the lanes, threads that share a state.
NOISY_SIZES = ((1, 3), (3, 40), (4, 0), (5, 9), (6, 1), (7, 2))
# Of trajectories also: with more rotations than a number has bits.
WIDER_SIZES = ((9, 2), (14, 1))


def noisy_circuit_of(n_qubits: int, words_alone: bool = False) -> ql.Circuit:
    """One with channels of several kinds, or of Pauli words alone."""
    circuit = ql.encoders.angle(n_qubits, "x")
    w = circuit.weights(n_qubits)
    for q in [*range(n_qubits), *range(n_qubits)]:
        circuit.h(q).depolarizing(0.01 * w[q] + 0.1, q).rx(w[q], q)
        if not words_alone:
            circuit.amplitude_damping(0.02 * w[q] + 0.2, q)
        if q:
            circuit.cx(q - 1, q).rzz(w[q], 0, q).depolarizing(0.1, 0, q)
    circuit.pauli_rotation(w[0], ("XYZ" * n_qubits)[:n_qubits], range(n_qubits))
    return circuit.measure(0) if words_alone else circuit.reset(0)


def noisy_results(
    circuit: ql.Circuit, n_samples: int, dtype: str, engine: DensityEngine | TrajectoryEngine
) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n_samples, circuit.n_inputs)).astype(dtype)
    found = []
    for shape in ((circuit.n_weights,), (n_samples, circuit.n_weights)):
        w = rng.uniform(-1, 1, size=shape).astype(dtype)
        for outputs in ([ql.Z(0), ql.X(circuit.n_qubits - 1)], "probabilities"):
            arrays = (circuit, outputs, x, w)
            found += [*ql.gradients.gradient(*arrays, engine=engine)]
            one, batch = engine.prepare_adjoint(circuit, outputs), ql.engines.make_batch(circuit, x, w)
            values, kept = one.forward(batch, keep=True)
            found += [values, *one.backward(batch, np.ones_like(values), kept, (True, True))]
        found.append(ql.expectation(circuit, None, x, w, engine=engine))
    return found


def pauli_circuit_of(n_qubits: int) -> ql.Circuit:
    """One whose trajectories are rotations turned round."""
    circuit = real_circuit_of(n_qubits)
    for q in range(n_qubits):
        circuit.depolarizing(0.2, q).ry(0.3, q)
    return circuit


def drawn_results(circuit: ql.Circuit, n_samples: int, dtype: str, threads: int) -> list[np.ndarray]:
    """Trajectories: one of each sample, several, and measured ones."""
    rng, words = np.random.default_rng(0), [ql.Z(0), ql.X(circuit.n_qubits - 1)]
    x = rng.normal(size=(n_samples, circuit.n_inputs)).astype(dtype)
    w = rng.uniform(-1, 1, circuit.n_weights).astype(dtype)
    several = TrajectoryEngine(3, seed=0, threads=threads)
    found = [*ql.gradients.gradient(circuit, words, x, w, engine=several)]
    found.append(ql.expectation(circuit, words, x, w, shots=50, seed=0, engine=several))
    found.append(ql.sample(circuit, 20, x, w, seed=0, engine=several))
    one: Any = TrajectoryEngine(1, seed=0, threads=threads).prepare(circuit, words)
    if one.reads_tensors:
        values, d_x, d_w = np.empty((n_samples, 2), dtype), np.empty_like(x), np.empty_like(w)
        kept = one.forward_into(values, x, w, keep=True)
        one.backward_into(d_x, d_w, x, w, np.ones_like(values), kept)
        found += [values, d_x, d_w]
    return found


def propagated_results(threads: int) -> list[np.ndarray]:
    """Words run backwards: cut in every way, noisy or not, more samples and words than a piece of work has."""
    found, rng = [], np.random.default_rng(0)
    for n_qubits, n_samples, words_alone in ((3, 70, True), (5, 2, True), (70, 3, True), (4, 0, True)):
        circuit = noisy_circuit_of(n_qubits, words_alone) if n_qubits < 20 else ql.encoders.angle(n_qubits, "y")
        x = rng.uniform(-1, 1, (n_samples, circuit.n_inputs))
        for shape in ((circuit.n_weights,), (n_samples, circuit.n_weights)):
            batch = ql.engines.make_batch(circuit, x, rng.uniform(-1, 1, shape))
            for cuts in ({}, {"min_coefficient": 0.01, "max_words": 9}, {"max_weight": 2, "max_frequency": 4}):
                engine = PropagationEngine(**cuts, threads=threads)
                one = engine.prepare_adjoint(circuit, [ql.Z(0), ql.X(n_qubits - 1) + ql.Z(1)])
                values, kept = one.forward(batch, keep=True)
                cotangents = np.ones_like(values)
                found += [values, *one.backward(batch, cotangents, kept, (True, True))]
                found += [*one.backward(batch, cotangents, None, (True, True))]
    chain = ql.Circuit(30)
    w = chain.weights(2)
    for _ in range(7):
        for q in range(29):
            chain.rzz(w[0], q, q + 1)
        for q in range(30):
            chain.rx(w[1], q)
    total = sum((ql.Z(q) for q in range(1, 30)), ql.Z(0))
    wide = PropagationEngine(1e-7, threads=threads).prepare_adjoint(chain, [total])
    found += [*wide.backward(ql.engines.make_batch(chain, weights=[0.2, 0.2]), np.ones((1, 1)), None, (True, True))]
    return found


def solvers(threads: int) -> list[Solver]:
    return [
        SimulatedAnnealing(30, 6, threads=threads),
        MemeticTabu(40, 4, 3, threads),
        TabuSearch(40, 3, threads=threads),
        ParallelTempering(3, 3, 5, threads=threads),
        SimulatedQuantumAnnealing(10, 3, 3, threads=threads),
        *(SimulatedBifurcation(mode, 20, 35, threads=threads) for mode in ("ballistic", "discrete", "generalized")),
    ]


def searched(seed: int, threads: int) -> list[np.ndarray]:
    """Two rounds each on dense functions of integers and of real numbers, a sparse one, small and empty ones."""
    rng = np.random.default_rng(seed)
    dense = np.triu(rng.choice([-1.0, 1.0], (40, 40)), 1)
    real = np.triu(rng.normal(size=(31, 31)), 1)
    sparse = np.triu(rng.normal(size=(90, 90)) * (rng.random((90, 90)) < 0.05), 1)
    found = []
    for matrix in (dense, real, sparse, np.zeros((1, 1)), np.ones((2, 2)), np.zeros((7, 7))):
        spins = Quadratic.from_matrix(matrix, "spin", rng.integers(-1, 2, len(matrix)))
        states = rng.choice([-1, 1], (5, len(matrix)))
        found += descend(spins, states, threads=threads)
        for solver in solvers(threads):
            stream = solver.rounds(spins, np.random.default_rng(1))
            found += [*next(stream), *next(stream)]
    return found


def same(a: list[np.ndarray], b: list[np.ndarray]) -> bool:
    return all(map(np.array_equal, a, b))


def main() -> None:
    for n_qubits, n_samples in SIZES:
        for dtype in ("f4", "f8"):
            for make in (circuit_of, real_circuit_of):
                circuit = make(n_qubits)
                assert same(*(results(circuit, n_samples, dtype, threads) for threads in (1, 2))), (circuit, dtype)

    assert same(propagated_results(1), propagated_results(2)), "words run backwards"
    for n_qubits, n_samples in NOISY_SIZES:
        for dtype in ("f4", "f8"):
            circuit = noisy_circuit_of(n_qubits)
            found = (noisy_results(circuit, n_samples, dtype, DensityEngine(threads)) for threads in (1, 2))
            assert same(*found), (circuit, dtype)
            for drawn in (circuit, pauli_circuit_of(n_qubits + 1)):
                assert same(*(drawn_results(drawn, n_samples, dtype, threads) for threads in (1, 2))), (drawn, dtype)

    for n_qubits, n_samples in (*NOISY_SIZES, *WIDER_SIZES):
        for dtype in ("f4", "f8"):
            for words_alone in (True, False) if n_qubits < 14 else (True,):
                circuit = noisy_circuit_of(n_qubits, words_alone)
                engines = (TrajectoryEngine(5, 0, threads) for threads in (1, 2))
                assert same(*(noisy_results(circuit, n_samples, dtype, engine) for engine in engines)), (circuit, dtype)

    for seed in range(3):
        assert same(searched(seed, 1), searched(seed, 2)), seed

    calls = [(circuit_of(4), 40, "f4"), (real_circuit_of(6), 40, "f4"), (circuit_of(15), 1, "f4")]
    expected = [results(*call, 1) for call in calls]
    agreed = []

    def work() -> None:
        agreed.extend(same(results(*call, 2), truth) for call, truth in zip(calls * 2, expected * 2, strict=True))

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(agreed) == 48
    assert all(agreed)
    print("agreed")


if __name__ == "__main__":
    main()
