"""A step of training under noise: density matrices, forward and backward, by weights, inputs and the rate.

Work: RY(x_q) on every qubit, L times RZ RY RZ on every qubit and a ring of CNOTs, after every gate depolarizing(p) on
each qubit it touched, p = 1e-3 one weight; <Z_q> of every qubit, squared loss, float32, (n, B, L) = (8, 32, 4).

Goals, in one run: 5 times faster than TensorCircuit-NG 1.10.0's DMCircuit (JAX, jit, vmap) and 50 times faster than
PennyLane 0.45.1's default.mixed.

Floor. What happens to a qubit between two CNOTs is one matrix on its four letters, first row (1, 0, 0, 0): 3
multiply-adds for each of the 4^n numbers of a sample forward, 3 to find the state again before each map on the way
back, 3 to pull lambda back, 3 for the slopes. A CNOT with what is diagonal before it has one entry a row: 1, 1, 1, 1.
A layer has n of each: 16 n 4^n B L in all, for (8, 32, 4) 1.07e9, 21 ms at 50e9 a second. Bytes: with blocks of four
digits there are 11 sweeps; each reads and writes the state on the way forth, and reads it and reads and writes lambda
on the way back: 5 times 4^n B numbers, 461 MB for (8, 32, 4), 35 ms at 13 GB/s.

Run: python -m benchmarks.noise.density_step [--peers DMCircuit DMCircuit2 pennylane] [--rounds 5] [--points 8,32,4]
The environments are those of benchmarks/peers (python -m benchmarks.peers.installation tensorcircuit pennylane_jax).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.peers.installation import install, python_of
from benchmarks.results import append_row, provenance
from qloom.benchmarking import fma_rate
from qloom.circuits import Circuit
from qloom.engines import DensityEngine, make_batch

RATE = 1e-3
GOALS = {"DMCircuit": 5, "DMCircuit2": 5, "pennylane": 50}
ENVIRONMENTS = {"DMCircuit": "tensorcircuit", "DMCircuit2": "tensorcircuit", "pennylane": "pennylane_jax"}
PEER = Path(__file__).with_name("density_peer.py")
Arrays = dict[str, np.ndarray]


def noisy_circuit(n: int, n_layers: int) -> Circuit:
    """The circuit, its rate the last weight."""
    circuit = Circuit(n)
    x, w, p = circuit.inputs(n), circuit.weights(n_layers, n, 3), circuit.weights(1)[0]
    for q in range(n):
        circuit.ry(x[q], q).depolarizing(p, q)
    for layer in w:
        for q in range(n):
            for name, angle in zip(("rz", "ry", "rz"), layer[q], strict=True):
                getattr(circuit, name)(angle, q).depolarizing(p, q)
        for q in range(n):
            circuit.cx(q, (q + 1) % n).depolarizing(p, q).depolarizing(p, (q + 1) % n)
    return circuit


def problem(n: int, batch: int, n_layers: int) -> Arrays:
    random = np.random.default_rng(1234 + 1000 * n + 10 * batch + n_layers)
    return {
        "inputs": random.uniform(-np.pi, np.pi, (batch, n)).astype("f4"),
        "weights": random.uniform(0, 2 * np.pi, (n_layers, n, 3)).astype("f4"),
        "targets": random.uniform(-1, 1, (batch, n)).astype("f4"),
        "rate": np.float32(RATE),
    }


class Ours:
    """The step on the density engine."""

    def __init__(self, work: Arrays, dtype: str = "f4", threads: int | None = None):
        n_layers, n, _ = work["weights"].shape
        circuit = noisy_circuit(n, n_layers)
        self.engine = DensityEngine(threads)
        self.evaluator = self.engine.prepare_adjoint(circuit)
        weights = np.append(work["weights"].ravel(), work["rate"])
        self.batch = make_batch(circuit, work["inputs"].astype(dtype), weights.astype(dtype))
        self.targets = work["targets"].astype(dtype)

    def step(self) -> Arrays:
        values, kept = self.evaluator.forward(self.batch, keep=True)
        cotangents = 2 * (values - self.targets) / len(values)
        d_inputs, d_weights = self.evaluator.backward(self.batch, cotangents, kept, (True, True))
        assert d_inputs is not None
        assert d_weights is not None
        return {"values": values, "d_inputs": d_inputs, "d_weights": d_weights[:-1], "d_rate": d_weights[-1]}

    def seconds(self) -> float:
        start = time.perf_counter()
        self.step()
        return time.perf_counter() - start


def multiply_adds(n: int, batch: int, n_layers: int) -> float:
    """The floor, as it stands above."""
    return 4.0**n * batch * n_layers * n * 16


class Peer:
    """Another system in a process of its own, which takes a step when told to."""

    def __init__(self, name: str, folder: str):
        command = [str(python_of(ENVIRONMENTS[name])), str(PEER), name, folder]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.told = self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the peer ended with {self.process.wait()}; what it said stands above")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def step(self) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write("step\n")
        self.process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def check(found: Arrays, truth: Arrays) -> float:
    """The largest difference; AssertionError where single precision does not explain it."""
    off = 0.0
    for name, expected in truth.items():
        scale = max(1.0, float(np.abs(expected).max()))
        off = max(off, float(np.abs(np.asarray(found[name]).reshape(expected.shape) - expected).max()) / scale)
    assert off < 2e-4, f"off by {off}"
    return off


def compare(name: str, point: tuple[int, int, int], rounds: int) -> None:
    """Ours and a peer, step by step in turns."""
    if wrong := install(ENVIRONMENTS[name]):
        raise RuntimeError(f"environment {ENVIRONMENTS[name]}: {wrong}")
    work = problem(*point)
    truth = Ours(work, "f8").step()
    ours = Ours(work)
    check(ours.step(), truth)
    with tempfile.TemporaryDirectory() as folder:
        np.savez(f"{folder}/work.npz", **work)
        peer = Peer(name, folder)
        peer.step()
        with np.load(f"{folder}/found.npz") as found:
            off = check(dict(found), truth)
        mine, theirs, rates, loads = [], [], [], []
        for _ in range(rounds):
            rates.append(fma_rate(ours.engine.n_threads))
            mine += [ours.seconds() for _ in range(3)][1:]
            answer = peer.step()
            theirs.append(answer["seconds"])
            loads.append(os.getloadavg()[0])
        peer.close()
    ratio = median(theirs) / median(mine)
    fraction = multiply_adds(*point) / median(mine) / median(rates)
    n, batch, n_layers = point
    row = {
        "n": n, "batch": batch, "layers": n_layers, "peer": peer.told["version"], "peer_seconds": median(theirs),
        "peer_minimum": min(theirs), "peer_compiling": peer.told["compiling"], "peer_megabytes": answer["megabytes"],
        "seconds": median(mine), "minimum": min(mine), "fraction": fraction, "threads": ours.engine.n_threads,
        "ratio": ratio, "goal": GOALS[name], "off": off, "load": median(loads),
    }  # fmt: skip
    append_row("density_step", {**row, **provenance()})
    print(f"{name} {point}: {row['peer']} {row['peer_seconds']:.2f} s (compiled in {row['peer_compiling']:.0f} s, "
          f"{row['peer_megabytes']:.0f} MB); ours {1e3 * row['seconds']:.1f} ms, {fraction:.2f} of the floor's rate: "
          f"{ratio:.0f} times faster, goal {GOALS[name]}; load {median(loads):.1f}", flush=True)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", nargs="*", default=list(GOALS), choices=list(GOALS))
    parser.add_argument("--points", nargs="*", default=["8,32,4"], help="n,B,L")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    for text in given.points:
        n, batch, n_layers = map(int, text.split(","))
        for name in given.peers:
            compare(name, (n, batch, n_layers), given.rounds)


if __name__ == "__main__":
    main()
