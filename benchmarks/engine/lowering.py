"""What a new circuit costs before the engine runs: lowering 1,000 gates, finding them again, and importing qloom.

A first call makes everything anew: hash, both frames, the native program, one run. A second one finds all that; what
it takes beyond the engine's own time is given. Figures are the least of several, each of a circuit of its own.

Run: python -m benchmarks.engine.lowering
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import qloom as ql
from benchmarks.cases import Case, run

N_QUBITS, N_GATES, BATCH, REPEATS = 4, 1000, 8, 7
NAMES = ["h", "s", "sdg", "x", "t", "cx", "cz", "swap", "rx", "ry", "rz", "rot", "cry", "crz"]
ENGINE = ql.engines.StatevectorEngine(threads=1)

Call = tuple[ql.Circuit, list[ql.PauliSum], np.ndarray, np.ndarray]


def mixed_circuit(seed: int) -> ql.Circuit:
    """N_GATES random gates on random qubits; four angles in five are weights, the others inputs."""
    rng = np.random.default_rng(seed)
    circuit = ql.Circuit(N_QUBITS)
    x, w = circuit.inputs(N_QUBITS), circuit.weights(N_GATES, 3)
    for k in range(N_GATES):
        gate = ql.circuits.GATES[str(rng.choice(NAMES))]
        angles = [w[k, j] if rng.random() < 0.8 else x[rng.integers(N_QUBITS)] for j in range(gate.n_angles)]
        circuit.append(gate, angles, rng.permutation(N_QUBITS)[: gate.n_qubits])
    return circuit


def layered_circuit(seed: int) -> ql.Circuit:
    """Strongly entangling layers of N_GATES gates after the encoder; each seed has a range of its own."""
    n_layers = N_GATES // (2 * N_QUBITS)
    ranges = np.random.default_rng(seed).integers(1, N_QUBITS, n_layers).tolist()
    return ql.encoders.angle(N_QUBITS) + ql.ansatze.strongly_entangling(N_QUBITS, n_layers, ranges)


def make_call(circuit: ql.Circuit) -> Call:
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(BATCH, circuit.n_inputs)), rng.normal(size=circuit.n_weights)
    return circuit, [ql.Z(q) for q in range(N_QUBITS)], x, w


def milliseconds(function: Callable[..., Any], *arguments: Any) -> float:
    start = time.perf_counter()
    function(*arguments)
    return 1e3 * (time.perf_counter() - start)


def expectation(call: Call) -> np.ndarray:
    return ql.expectation(*call, engine=ENGINE)


def first_call(make: Callable[[int], ql.Circuit]) -> float:
    return min(milliseconds(expectation, make_call(make(seed))) for seed in range(1, REPEATS + 1))


def second_call(make: Callable[[int], ql.Circuit]) -> float:
    """Beyond the engine's own time."""
    call = make_call(make(REPEATS + 1))
    evaluator, batch = ENGINE.prepare(*call[:2]), ql.engines.make_batch(call[0], *call[2:])
    own = min(milliseconds(evaluator.values, batch) for _ in range(100))
    return min(milliseconds(expectation, call) for _ in range(100)) - own


def prepare(figure: Callable[..., float], make: Callable[[int], ql.Circuit]) -> Callable[[], float]:
    """The figure, once a circuit of its kind came out as the reference engine has it."""
    circuit, observables, x, w = make_call(make(0))
    truth = ql.expectation(circuit, observables, x[:2], w, engine=ql.engines.ReferenceEngine())
    np.testing.assert_allclose(expectation((circuit, observables, x[:2], w)), truth, atol=1e-9)
    return partial(figure, make)


def import_time() -> float:
    """What `import qloom` takes where torch is imported already."""
    code = "import time, torch; t = time.perf_counter(); import qloom; print(1e3 * (time.perf_counter() - t))"
    words = [sys.executable, "-c", code]
    return min(float(subprocess.run(words, capture_output=True, check=True).stdout) for _ in range(3))


def help_time() -> float:
    words = [sys.executable, "-c", "from qloom.cli import main; main(['--help'])"]
    return min(milliseconds(partial(subprocess.run, words, capture_output=True, check=True)) for _ in range(3))


KINDS = {"mixed": mixed_circuit, "layered": layered_circuit}
FIGURES: dict[str, tuple[Callable[..., float], float]] = {
    "first call": (first_call, 10), "second call": (second_call, 0.3),
}  # fmt: skip


def make_case(name: str, size: dict[str, int], function: Callable[[], Any], goal: float) -> Case:
    return Case(name, size, function, unit="ms, least", goal=goal, threads=1, precision="float64")


CASES = [
    *(
        make_case(f"{name}, {kind}", {"n": N_QUBITS, "gates": N_GATES}, partial(prepare, figure, make), goal)
        for name, (figure, goal) in FIGURES.items()
        for kind, make in KINDS.items()
    ),
    make_case("import qloom after torch", {}, lambda: import_time, 300),
    make_case("qloom --help", {}, lambda: help_time, 1000),
]

if __name__ == "__main__":
    run("lowering", CASES)
