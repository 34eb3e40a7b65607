"""Trajectories: what noise costs a training step, and a thousand trajectories of 20 qubits beside qsim and Aer.

The circuit is that of `Work` with depolarizing(p) on every qubit that a gate touched. The floor, in multiply-adds of
floor.md: a step with one trajectory a sample needs what the noiseless step does, since an error turns signs of angles
and touches no amplitude; beside it one random number a sample and another an error. N trajectories need at most N
forward walks, 2^n L (2 n + 4) each, and no more than the distinct ones among them: with 1,020 channels at p = 1e-3 a
third has no error and is run once.

Peers run in interpreters of their own, one process each:

    python -m benchmarks.noise.trajectories --only qsim --dry   QSIM=folder/bin/python AER=folder/bin/python
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cases import Case, run
from benchmarks.engine.ratios import block_of, in_turn
from qloom.benchmarking import Work
from qloom.circuits import Circuit
from qloom.engines import ReferenceEngine, TrajectoryEngine, make_batch
from qloom.errors import CircuitError
from qloom.nn import QuantumLayer

RATE = 1e-3
LARGE = (20, 10)
# Of ours and of a peer's: a peer's are timed singly, since each takes as long as the last.
OURS, PEERS = 1000, 5


def noisy(circuit: Circuit, rate: float = RATE) -> Circuit:
    """With depolarizing on every qubit that a gate touched."""
    out = circuit.copy()
    out.operations = []
    for op in circuit.operations:
        out.operations = [*out.operations, op]
        for qubit in op.qubits:
            out.depolarizing(rate, qubit)
    return out


def step_ratio(work: Work, threads: int) -> Callable[[], float]:
    """A training step with one trajectory a sample to the same without noise, in turn."""
    import torch

    circuit = noisy(work.circuit())
    check(work)
    layer = QuantumLayer(circuit, engine=TrajectoryEngine(1, seed=0, threads=threads))
    inputs, _, targets = (torch.as_tensor(a) for a in arrays(work))
    inputs.requires_grad_()

    def step() -> None:
        inputs.grad = layer.weights.grad = None
        ((layer(inputs) - targets) ** 2).sum(dim=1).mean().backward()

    plain = work.step(threads, torch.float32)
    return lambda: float(np.median(np.divide(*in_turn(block_of(step), block_of(plain)).T)))


def arrays(work: Work) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Inputs (B, n), weights (W,), targets (B, n), float32."""
    random = np.random.default_rng(0)
    shapes = (work.batch, work.n_qubits), (3 * work.n_qubits * work.n_layers,), (work.batch, work.n_qubits)
    inputs, weights, targets = (random.normal(size=shape).astype(np.float32) for shape in shapes)
    return inputs, weights, targets


def check(work: Work) -> None:
    """The means of a small noisy circuit are those of density matrices."""
    small = noisy(Work(3, 1, work.n_layers).circuit(), 0.05)
    random = np.random.default_rng(0)
    batch = make_batch(small, random.normal(size=(1, 3)), random.normal(size=small.n_weights))
    found = TrajectoryEngine(4000, seed=0).prepare(small).estimate(batch)
    off = np.abs(found.values - ReferenceEngine().prepare(small).values(batch))
    assert (off < 5 * found.errors + 1e-3).all(), off


def ours(threads: int, n_trajectories: int = OURS) -> float:
    """Seconds of all trajectories of the large circuit, scaled from `n_trajectories` to 1,000."""
    work = Work(LARGE[0], 1, LARGE[1])
    circuit = noisy(work.circuit())
    inputs, weights, _ = arrays(work)
    batch = make_batch(circuit, inputs, weights)
    evaluator = TrajectoryEngine(n_trajectories, seed=0, threads=threads).prepare(circuit)
    start = time.perf_counter()
    evaluator.estimate(batch)
    return (time.perf_counter() - start) * OURS / n_trajectories


def peer(name: str, threads: int) -> float:
    """Seconds that a peer takes for 1,000, scaled from PEERS of them."""
    interpreter = os.environ.get(name.upper())
    if interpreter is None:
        raise CircuitError(f"{name.upper()} is not set, expected an interpreter that has {name}")
    script = Path(__file__).with_name("trajectory_peers.py")
    words = [interpreter, str(script), name, *map(str, (*LARGE, RATE, PEERS, threads))]
    found = subprocess.run(words, capture_output=True, text=True, check=True, cwd=script.parent)
    return float(found.stdout.split()[-1]) * OURS


def peer_to_ours(name: str, threads: int, n_trajectories: int) -> Callable[[], float]:
    """Ours to the peer's time: a fifth at most is the goal."""
    return lambda: ours(threads, n_trajectories) / peer(name, threads)


def ratio_case(size: tuple[int, int, int], threads: int) -> Case:
    n, batch, layers = size
    prepare: Any = partial(step_ratio, Work(*size), threads)
    named = {"n": n, "batch": batch, "layers": layers}
    return Case("one trajectory to none", named, prepare, unit="times", goal=1.5, threads=threads)


CASES = [
    *(ratio_case((8, 32, 4), threads) for threads in (1, 2)),
    *(
        Case(
            f"trajectories to {name}'s", {"n": LARGE[0], "layers": LARGE[1], "trajectories": OURS},
            partial(peer_to_ours, name, 2, OURS), unit="times", goal=0.2,
        )
        for name in ("qsim", "aer")
    ),
]  # fmt: skip

if __name__ == "__main__":
    run("trajectories", CASES, sys.argv[1:])
