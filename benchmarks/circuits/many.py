"""1,000 different circuits in one call, beside a loop over them.

Random circuits of 8 qubits and 50 gates share 30 weights by name; asked for are Z on every qubit and the gradient of
their sum. The loop is what a user would write: for each circuit `prepare_gradient`, forward, backward. Beside it stands
the loop over circuits prepared beforehand.

Goal: the call once prepared at least 20 times faster than the loop; the first call, lowering included, is stated too.
Circuits of one form whose numbers differ, 4 and 8 qubits, are measured as one program and, for comparison, as 1,000.

TensorFlow Quantum does this too: its expectation op with the Adjoint differentiator has the same circuits in a process
of its own, in turns with ours; values and each circuit's gradient are compared. Goals: the call at least 5 times as
fast as its op on a tensor of circuits, and the first call as its conversion to one and the op. It is in single
precision, ours in double unless a row says single. Its threads are TensorFlow's within an operation: it has no others.

Run: python -m benchmarks.circuits.many [--only loop|alike|peer] [--peer PYTHON] [--dry]
The peer's environment, for which there are wheels for Python 3.10 and 3.12 alone:
    python3.12 -m benchmarks.peers.installation tensorflow_quantum
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import numpy as np

from benchmarks.others import BUSY, noting_others
from benchmarks.peers.installation import python_of
from benchmarks.results import append_row, provenance
from qloom.circuits import Circuit
from qloom.circuits.parameters import Angle
from qloom.engines import StatevectorEngine, make_batch
from qloom.engines.circuit_batch import CircuitBatch, PreparedBatch
from qloom.engines.statevector import many
from qloom.gradients import prepare_gradient

COUNT, N_QUBITS, N_GATES, N_WEIGHTS = 1000, 8, 50, 30
REPEATS, CALLS = 5, 15
GOAL, PEER_GOAL = 20.0, 5.0
PEER, PEER_OFF = Path(__file__).with_name("many_peer.py"), 1e-4  # in single precision


def random_circuit(random: np.random.Generator) -> Circuit:
    """A third rotations by weights, some by numbers, CX, H and CRZ between them."""
    circuit = Circuit(N_QUBITS)
    weights = circuit.weights(N_WEIGHTS, name="w")
    for k in range(N_GATES):
        kind = int(random.integers(5))
        a, b = (int(q) for q in random.choice(N_QUBITS, 2, replace=False))
        if kind < 3:
            angle = weights[k % N_WEIGHTS] if random.random() < 0.7 else float(random.normal())
            circuit.append(("rx", "ry", "rz")[kind], [angle], [a])
        elif kind == 3:
            circuit.cx(a, b)
        elif random.random() < 0.3:
            circuit.crz(float(random.normal()), a, b)
        else:
            circuit.h(a)
    return circuit


def encoding(random: np.random.Generator, n: int) -> Circuit:
    """Two layers of one form; the features are numbers."""
    circuit = Circuit(n)
    weights = circuit.weights(2, n, name="w")
    features = random.normal(size=n)
    for layer in range(2):
        for q in range(n):
            circuit.ry(float(features[q]), q).rz(weights[layer, q], q).cx(q, (q + 1) % n)
    return circuit


def seconds(work: Callable[[], Any], calls: int) -> float:
    """Median time of a call."""
    times = []
    for _ in range(calls):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return median(times)


def loop(circuits: list[Circuit], weights: np.ndarray, threads: int) -> tuple[np.ndarray, np.ndarray]:
    """As a user would write it."""
    values, slopes = [], np.zeros(len(weights))
    for circuit in circuits:
        evaluator = prepare_gradient(circuit, None, StatevectorEngine(threads))
        batch = make_batch(circuit, None, weights)
        value, kept = evaluator.forward(batch, True)
        _, by_weights = evaluator.backward(batch, np.ones_like(value), kept, (False, True))
        values.append(value[0])
        slopes += by_weights
    return np.array(values), slopes


def prepared_loop(circuits: list[Circuit], weights: np.ndarray, threads: int) -> Callable[[], None]:
    """The same over circuits that were prepared beforehand."""
    made = [(prepare_gradient(c, None, StatevectorEngine(threads)), make_batch(c, None, weights)) for c in circuits]

    def work() -> None:
        for evaluator, batch in made:
            value, kept = evaluator.forward(batch, True)
            evaluator.backward(batch, np.ones_like(value), kept, (False, True))

    return work


def record(name: str, threads: int, found: float, goal: float | None, detail: str) -> None:
    met = None if goal is None else found >= goal
    row = {"name": name, "threads": threads, "found": found, "goal": goal, "met": met, "detail": detail}
    if "--dry" not in sys.argv:
        append_row("circuits_many", {**row, **provenance()})
    print(f"{name:44s} {threads} threads: {found:9.4g} {'MISSED ' if met is False else ''}{detail}", flush=True)


def first_call(circuits: list[Circuit], weights: np.ndarray, threads: int) -> None:
    CircuitBatch(circuits, threads).derivatives(None, None, None, weights)


def different() -> None:
    random = np.random.default_rng(0)
    circuits = [random_circuit(random) for _ in range(COUNT)]
    weights = random.normal(size=N_WEIGHTS)
    for threads in (1, 2):
        prepared = CircuitBatch(circuits, threads).prepare()
        found, _, by_weights = prepared.derivatives(None, None, weights)
        values, slopes = loop(circuits, weights, threads)
        off = max(np.abs(found - values).max(), np.abs(by_weights - slopes).max())
        assert off < 1e-10, off
        # In turns, on a machine that others use.
        rounds = [
            (
                seconds(lambda t=threads: loop(circuits, weights, t), 1),
                seconds(prepared_loop(circuits, weights, threads), 3),
                seconds(lambda t=threads: first_call(circuits, weights, t), 1),
                seconds(lambda p=prepared: p.derivatives(None, None, weights), CALLS),
            )
            for _ in range(REPEATS)
        ]
        whole, again, first, call = (1e3 * median(times) for times in zip(*rounds, strict=True))
        detail = f"{call:.2f} ms a call, {1e3 * call / COUNT:.1f} us a circuit; the loop {whole:.0f} ms; off {off:.1e}"
        record("different, loop over a prepared call", threads, whole / call, GOAL, detail)
        record("different, loop over a first call", threads, whole / first, None, f"{first:.0f} ms, lowering and all")
        record("different, prepared loop over a prepared call", threads, again / call, None, f"the loop {again:.1f} ms")


def alike() -> None:
    for n in (4, 8):
        random = np.random.default_rng(n)
        circuits = [encoding(random, n) for _ in range(COUNT)]
        weights = random.normal(size=2 * n)
        for threads in (1, 2):
            together = CircuitBatch(circuits, threads).prepare()
            with patch.object(many, "alike", lambda flat, more: [np.array([row]) for row in range(len(more))]):
                apart = CircuitBatch(circuits, threads).prepare()
            one, other = (p.derivatives(None, None, weights) for p in (together, apart))
            off = max(np.abs(a - b).max(initial=0) for a, b in zip(one, other, strict=True))
            assert (together.n_programs, apart.n_programs) == (1, COUNT)
            assert off < 1e-10, off

            def call(prepared: PreparedBatch, w: np.ndarray = weights) -> float:
                return 1e3 * seconds(lambda: prepared.derivatives(None, None, w), CALLS)

            quick, slow = call(together), call(apart)
            name = f"one form of {n} qubits, 1,000 programs over one"
            record(name, threads, slow / quick, 1.0, f"{quick:.2f} ms a call, apart {slow:.2f} ms; off {off:.1e}")


# -- beside TensorFlow Quantum


def written(circuit: Circuit) -> list[Any]:
    """Gates by name, qubits and angle: a number, [k, scale] for a multiple of weight k, None without one."""
    return [[op.gate.name, op.qubits, written_angle(*op.angles)] for op in circuit.operations]


def written_angle(angle: Angle | None = None) -> Any:
    return None if angle is None else angle.offset if angle.is_number else [angle.index, angle.scale]


@contextmanager
def peer(python: Path, circuits: list[Circuit], weights: np.ndarray, threads: int) -> Iterator[Any]:
    """Its version, values and slopes, and a function that times its work."""
    task = {"n_qubits": N_QUBITS, "weights": weights.tolist(), "circuits": [written(one) for one in circuits]}
    with TemporaryDirectory() as folder:
        Path(folder, "task.json").write_text(json.dumps(task))
        # Its ops share circuits out among the threads of an operation of TensorFlow's.
        limits = {"TF_NUM_INTRAOP_THREADS": str(threads), "TF_NUM_INTEROP_THREADS": "1"}
        command, pipe = [str(python), str(PEER), folder], subprocess.PIPE
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env={**os.environ, **limits}) as process:
            assert process.stdin
            assert process.stdout

            def ask(line: str) -> float:
                print(line, file=process.stdin, flush=True)
                return median(json.loads(process.stdout.readline()))

            version = json.loads(process.stdout.readline())
            yield version, np.load(f"{folder}/found.npz"), ask
            process.stdin.close()


def beside_peer(python: Path) -> None:
    random = np.random.default_rng(0)
    circuits = [random_circuit(random) for _ in range(COUNT)]
    weights = random.normal(size=N_WEIGHTS)
    rows = np.tile(weights, (COUNT, 1))
    for threads in (1, 2):
        prepared = CircuitBatch(circuits, threads).prepare()
        values, _, slopes = prepared.derivatives(None, None, rows)
        busy: dict[str, float] = {}
        with noting_others(busy), peer(python, circuits, weights, threads) as (version, theirs, ask):
            off = max(np.abs(theirs["values"] - values).max(), np.abs(theirs["slopes"] - slopes).max())
            assert off < PEER_OFF, off
            # In turns, on a machine that others use.
            rounds = [
                (
                    ask("call 3"),
                    seconds(lambda p=prepared: p.derivatives(None, None, rows), CALLS),
                    seconds(lambda p=prepared: p.derivatives(None, None, rows.astype(np.float32)), CALLS),
                    ask("first 1"),
                    seconds(lambda t=threads: first_call(circuits, rows, t), 1),
                )
                for _ in range(REPEATS)
            ]
        call, mine, single, first, mine_first = (1e3 * median(times) for times in zip(*rounds, strict=True))
        noted = "; busy" if busy["others"] > BUSY else ""
        detail = f"{mine:.2f} ms, {version} {call:.1f} ms; off {off:.1e}{noted}"
        record("TensorFlow Quantum over a prepared call", threads, call / mine, PEER_GOAL, detail)
        detail = f"{mine_first:.1f} ms, its conversion and call {first:.0f} ms{noted}"
        record("TensorFlow Quantum over a first call", threads, first / mine_first, PEER_GOAL, detail)
        detail = f"{single:.2f} ms{noted}"
        record("TensorFlow Quantum over a prepared call in single", threads, call / single, None, detail)
        detail = f"its conversion not counted, our lowering is{noted}"
        record("TensorFlow Quantum's call over a first call", threads, call / mine_first, None, detail)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", choices=("loop", "alike", "peer"))
    parser.add_argument("--peer", type=Path, default=python_of("tensorflow_quantum"), help="Python of its environment")
    parser.add_argument("--dry", action="store_true", help="append nothing")
    given = parser.parse_args()
    parts = {"loop": different, "alike": alike, "peer": lambda: beside_peer(given.peer)}
    for name in (given.only,) if given.only else parts:
        if name == "peer" and not given.peer.exists():
            print(f"no {given.peer}: nothing is compared with TensorFlow Quantum")
        else:
            parts[name]()
