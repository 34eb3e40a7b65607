"""Parameter shift with 1,000 shots, 8 qubits, 60 angles, batch 16, beside the build of an older commit, in turns.

Goal: a fifth of the time of commit 78fbdaf. Seconds are those of the processor over the threads that worked at once, or
of the clock with --clock; on a machine with other work the first say more.

Floor of a call: 1,920 circuits of 8 qubits, 60 rotations and more each, take 6e7 multiply-adds of amplitudes, 2 ms at
30 a nanosecond; a draw of 1,000 shots of 256 outcomes 16 bits and three steps each, 4 ms at 2 ns.

Run: python -m benchmarks.builds.shifted --beside PYTHON [--clock] [--dry]   (PYTHON has that commit installed)
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from statistics import median

import numpy as np

import qloom as ql
from qloom.engines import StatevectorEngine, make_batch
from qloom.gradients import prepare_gradient

QUBITS, ANGLES, BATCH, SHOTS, GOAL = 8, 60, 16, 1000, 0.2
TURNS, CALLS = 9, 8
WORDS = {
    "Z on each qubit": None,
    "Z of all qubits together": [ql.pauli("Z" * QUBITS, range(QUBITS))],
    "two words": [ql.Z(0) @ ql.Z(1), ql.Z(3)],
    "Z and X of a qubit": [ql.Z(0), ql.X(0)],
}


def make_circuit() -> ql.Circuit:
    """Inputs as angles, then layers of RY and rings of CX up to 60 weights."""
    circuit = ql.encoders.angle(QUBITS)
    weights = circuit.weights(ANGLES)
    for k in range(ANGLES):
        circuit.ry(weights[k], k % QUBITS)
        if k % QUBITS == QUBITS - 1:
            for q in range(QUBITS):
                circuit.cx(q, (q + 1) % QUBITS)
    return circuit


def call(words: str, threads: int) -> Callable[[], object]:
    """Derivatives by all weights; on average they are the exact ones."""
    circuit, random = make_circuit(), np.random.default_rng(0)
    inputs, weights = random.uniform(-1, 1, (BATCH, QUBITS)), random.uniform(-2, 2, ANGLES)
    batch = make_batch(circuit, inputs.astype("f4"), weights.astype("f4"))
    prepared = prepare_gradient(circuit, WORDS[words], StatevectorEngine(threads), "parameter-shift", SHOTS, 0)
    exact = prepare_gradient(circuit, WORDS[words], StatevectorEngine(threads), "adjoint")
    cotangents = np.ones((BATCH, prepared.n_outputs), "f4")
    found, right = (e.backward(batch, cotangents, None, (False, True))[1] for e in (prepared, exact))
    # Each derivative varies by at most O sqrt(B / 2 shots).
    assert (np.abs(found - right) < 6 * prepared.n_outputs * np.sqrt(BATCH / 2 / SHOTS)).all()
    return lambda: prepared.backward(batch, cotangents, None, (False, True))


def work(words: str, threads: int, clock: bool) -> Iterator[float]:
    """Seconds of a call, again and again: the mean of some that follow one another, as steps of a training do."""
    function, now = call(words, threads), time.perf_counter if clock else time.process_time
    while True:
        start = now()
        for _ in range(CALLS):
            function()
        yield (now() - start) / CALLS


def theirs(python: str, words: str, threads: int, clock: bool) -> Iterator[float]:
    """The same in a process of another interpreter, a call for every line it is sent."""
    command = [python, __file__, "--serve", words, "--threads", str(threads), *(["--clock"] if clock else [])]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            while True:
                process.stdin.write("\n")
                process.stdin.flush()
                yield float(process.stdout.readline())
        finally:
            process.stdin.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--beside", metavar="PYTHON", help="interpreter with commit 78fbdaf installed")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--clock", action="store_true", help="time by the clock, not by the processor")
    parser.add_argument("--dry", action="store_true", help="print, append nothing")
    parser.add_argument("--serve", choices=list(WORDS), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        seconds = work(args.serve, args.threads, args.clock)
        for _ in sys.stdin:
            print(next(seconds), flush=True)
        return
    from benchmarks.results import append_row, provenance  # not there for the other interpreter

    for words in WORDS:
        sides = [work(words, args.threads, args.clock)]
        if args.beside:
            sides.append(theirs(args.beside, words, args.threads, args.clock))
        turns = [[next(side) for side in sides] for _ in range(TURNS + 1)][1:]
        ours, before = median(turn[0] for turn in turns), median(turn[-1] for turn in turns)
        row = {
            "words": words, "threads": args.threads, "clock": "wall" if args.clock else "processor", "ms": 1e3 * ours,
            "ms_before": 1e3 * before if args.beside else None,
            "ratio": median(turn[0] / turn[-1] for turn in turns) if args.beside else None, "goal": GOAL,
        }  # fmt: skip
        print({key: round(v, 3) if isinstance(v, float) else v for key, v in row.items()})
        if not args.dry:
            append_row("shifted", {**row, **provenance()})


if __name__ == "__main__":
    main()
