"""A step of training an IQP circuit: words and strings drawn, value and slopes, Adam; seconds and memory.

Goals: 1,000 qubits with all 500,500 gates, 1,000 words, 1,000 strings, three widths: under 0.5 s and 300 MB beyond what
is loaded. Time grows with n as one product of matrices does. Beside PennyLane's `qnn.iqp_expval` (JAX on the CPU,
jitted, value and gradient) on the same words and gates, as many gates as it can be given here: 50 times faster.

Floor: two products (n, n) times (n, K), 4 n^2 K multiply-adds and additions; the words' own pairs are few.

Run: python -m benchmarks.generative.iqp_step [--peer PYTHON]   (an environment with pennylane==0.45.1 jax==0.7.1)
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import torch

from benchmarks.results import append_row, provenance
from qloom.models.generative.iqp.circuit import IQPCircuit, make_circuit
from qloom.models.generative.iqp.gates import gate_sets
from qloom.models.generative.iqp.training import word_discrepancies
from qloom.models.generative.packed import PackedRows
from qloom.models.generative.words import Words

N_WORDS = N_STRINGS = 1000
WIDTHS = (10.0, 7.4, 3.4)  # of the order that images of 784 bits are trained with
SIZES, STEPS = (100, 300, 1000, 3000), 9
PEER_GATES = (5000, 20_000, 40_000, 60_000, 80_000)  # the last take minutes to compile
PEER = Path(__file__).with_name("iqp_peer.py")


def peak() -> float:
    """The most memory this process has had, MB."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:")) / 1e3


class Step:
    """One step after the other of a circuit of all pairs, on rows of coins."""

    def __init__(self, circuit: IQPCircuit, widths: tuple[float, ...] = WIDTHS):
        self.circuit, self.widths, self.random = circuit, widths, np.random.default_rng(0)
        self.rows = PackedRows(self.random.integers(0, 2, (1000, circuit.n_qubits)).astype(np.uint8))
        circuit.weights.data.normal_(0, 0.01, generator=torch.Generator().manual_seed(0))
        self.adam = torch.optim.Adam(circuit.parameters(), 1e-3, fused=True)

    def __call__(self) -> None:
        n, share = self.circuit.n_qubits, N_WORDS // len(self.widths)
        words = Words.joined([Words.drawn(n, width, share, self.random) for width in self.widths])
        strings = self.circuit.strings(N_STRINGS, self.random)
        means, squares = self.circuit.means(words, strings)
        p = torch.from_numpy(self.rows.means(words))
        self.adam.zero_grad()
        word_discrepancies(means, squares, N_STRINGS, p, self.rows.n_rows).mean().backward()
        self.adam.step()


def timed(step: Step) -> list[float]:
    step()
    found = []
    for _ in range(STEPS):
        start = time.perf_counter()
        step()
        found.append(time.perf_counter() - start)
    return found


def of_one_size(n: int) -> None:
    """Printed by a process of its own, whose memory is its own."""
    made = make_circuit(gate_sets(4, 2))
    Step(made)()
    before = peak()
    times = timed(Step(make_circuit(gate_sets(n, 2))))
    a, b = torch.rand(n, n), torch.rand(n, N_STRINGS)
    products = []
    for _ in range(STEPS):
        start = time.perf_counter()
        torch.mm(a, b)
        products.append(time.perf_counter() - start)
    print(json.dumps([median(times), min(times), median(products), peak() - before, peak()]))


def growth() -> None:
    for n in SIZES:
        command = [sys.executable, "-m", "benchmarks.generative.iqp_step", "--size", str(n)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        seconds, least, product, megabytes, whole = json.loads(done.stdout)
        goal = {"goal_seconds": 0.5, "goal_megabytes": 300} if n == 1000 else {"goal_seconds": "", "goal_megabytes": ""}
        row = {"qubits": n, "gates": n * (n + 1) // 2, "seconds": seconds, "minimum": least, "product": product,
               "megabytes": megabytes, "process_megabytes": whole, **goal}  # fmt: skip
        append_row("iqp_step", {**row, **provenance()})
        print(f"{n:5d} qubits: {1e3 * seconds:7.1f} ms, {seconds / product:5.1f} products (n, n) (n, K), "
              f"{megabytes:.0f} MB more, {whole:.0f} MB the process")  # fmt: skip


def once(circuit: IQPCircuit, words: Words, random: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Value and slopes of the mean of squared means."""
    means, squares = circuit.means(words, circuit.strings(N_STRINGS, random))
    circuit.weights.grad = None
    means.square().mean().backward()
    return means.detach(), squares.detach()


def beside_peer(python: str) -> None:
    """The same words and gates, single-qubit ones and pairs by chance; values must agree to five standard errors."""
    for n_gates in PEER_GATES:
        random = np.random.default_rng(1)
        every = gate_sets(1000, 2)
        chosen = np.r_[np.arange(1000), 1000 + random.choice(len(every) - 1000, n_gates - 1000, replace=False)]
        listed = list(every)
        gates = Words.of([listed[k] for k in np.sort(chosen)], 1000)
        circuit = make_circuit(gates)
        circuit.weights.data.normal_(0, 0.05, generator=torch.Generator().manual_seed(0))
        words = Words.joined([Words.drawn(1000, width, N_WORDS // 3, random) for width in WIDTHS])
        with tempfile.TemporaryDirectory() as folder:
            np.savez(f"{folder}/work.npz", weights=circuit.weights.detach().numpy(), words=words.matrix(),
                     starts=gates.starts, qubits=gates.qubits)  # fmt: skip
            done = subprocess.run(
                [python, str(PEER), folder, str(N_STRINGS), "5"], capture_output=True, text=True, check=True
            )
            theirs = json.loads(done.stdout.splitlines()[-1])
            values = np.load(f"{folder}/values.npz")

        means, squares = once(circuit, words, random)
        errors = np.sqrt(np.clip((squares - means**2).numpy(), 0, None) / N_STRINGS)
        assert (np.abs(means.numpy() - values["means"]) <= 5 * np.hypot(errors, values["errors"]) + 1e-5).all()
        ours = []
        for _ in range(STEPS):
            start = time.perf_counter()
            once(circuit, words, random)
            ours.append(time.perf_counter() - start)
        ratio = median(theirs["seconds"]) / median(ours)
        row = {"gates": n_gates, "peer": theirs["version"], "peer_seconds": median(theirs["seconds"]),
               "peer_megabytes": theirs["megabytes"], "seconds": median(ours), "ratio": ratio, "goal": 50}  # fmt: skip
        append_row("iqp_peer", {**row, **provenance()})
        print(f"{n_gates} gates: {row['peer']} {row['peer_seconds']:.2f} s, {row['peer_megabytes']:.0f} MB; ours "
              f"{1e3 * row['seconds']:.1f} ms: {ratio:.0f} times faster, goal 50")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", help="the Python of an environment with PennyLane and JAX")
    parser.add_argument("--size", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.size:
        of_one_size(given.size)
    elif given.peer:
        beside_peer(given.peer)
    else:
        growth()


if __name__ == "__main__":
    main()
