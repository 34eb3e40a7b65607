"""Ctrl-C during a long call: it ends within a second, and the engine goes on working."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

# Each call would take far longer than the test waits before the signal; the engine is used again after it.
CALL = """
import signal, sys, time, numpy as np, qloom as ql
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background of a shell
n, b, layers, threads = map(int, sys.argv[1:5])
circuit = ql.encoders.angle(n) + ql.ansatze.strongly_entangling(n, layers)
x, w = np.ones((b, n), "f4"), np.ones(circuit.n_weights, "f4")
engine = ql.engines.StatevectorEngine(threads)


def started():
    print("started", flush=True)


def call(function, *arguments):
    started()
    function(*arguments, engine=engine)


def train():
    import torch

    loss = ql.nn.QuantumLayer(circuit, init=w, dtype=torch.float32, engine=engine)(torch.from_numpy(x)).sum()
    started()
    loss.backward()


run = {
    "forward": lambda: call(ql.expectation, circuit, None, x, w),
    "backward": lambda: call(ql.gradients.gradient, circuit, None, x, w),
    "state": lambda: call(ql.state, circuit, x, w),
    "loss.backward()": train,
}[sys.argv[5]]
try:
    run()
except KeyboardInterrupt:
    print(time.monotonic())  # one clock for all processes
    assert np.allclose(ql.expectation(ql.Circuit(1).ry(0.5, 0), engine=engine), np.cos(0.5))
    raise
print("finished")
"""


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(
    ("n_qubits", "n_samples", "n_layers", "what"),
    [
        (24, 1, 60, "forward"),
        (24, 1, 60, "backward"),
        (24, 1, 60, "state"),
        (18, 400, 40, "forward"),  # each state is one thread's
        (12, 400_000, 20, "forward"),
        (12, 400_000, 20, "backward"),
        pytest.param(12, 20_000, 40, "loss.backward()", marks=pytest.mark.slow),
    ],
)
def test_ends_within_a_second(n_qubits, n_samples, n_layers, what, threads):
    words = map(str, (n_qubits, n_samples, n_layers, threads, what))
    process = subprocess.Popen(
        [sys.executable, "-c", CALL, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "started\n"
    time.sleep(1)  # past lowering, well inside the call
    start = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert float(out) - start < 1
    assert process.returncode == -signal.SIGINT
    assert err.rstrip().endswith("KeyboardInterrupt")


def test_a_handler_that_does_not_raise_changes_nothing():
    code = (
        "import signal, numpy as np, qloom as ql\n"
        "seen = []\n"
        "circuit = ql.encoders.angle(12) + ql.ansatze.strongly_entangling(12, 4)\n"
        "x, w = np.ones((16_000, 12), 'f4'), np.ones(circuit.n_weights, 'f4')  # half a second or more\n"
        "plain = ql.gradients.gradient(circuit, None, x, w)\n"
        "signal.signal(signal.SIGALRM, lambda *_: seen.append(1))\n"
        "signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)\n"
        "beside = ql.gradients.gradient(circuit, None, x, w)\n"
        "signal.setitimer(signal.ITIMER_REAL, 0)\n"
        "assert len(seen) > 2  # within the call, not only after it\n"
        "assert all(map(np.array_equal, plain, beside))\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
