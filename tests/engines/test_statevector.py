"""The native engine against the reference, in both regimes, and what it promises beside values."""

from __future__ import annotations

import multiprocessing
import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qloom as ql
from qloom import _native
from qloom.engines import ReferenceEngine, StatevectorEngine
from qloom.engines.batch import make_batch
from qloom.gradients import gradient, prepare_gradient
from qloom.testing import check_engine
from tests.circuits.strategies import circuits, random_values

LETTERS = "IXYZ"
ENGINE = StatevectorEngine()


def random_observables(n_qubits: int, seed: int, count: int = 3) -> list[ql.PauliSum]:
    rng = np.random.default_rng(seed)
    word = lambda: ql.pauli("".join(rng.choice(list(LETTERS), n_qubits)), range(n_qubits))  # noqa: E731
    return [float(rng.normal()) * word() + float(rng.normal()) * word() + 0.5 for _ in range(count)]


def dense_layers(n_qubits: int, n_layers: int = 2) -> ql.Circuit:
    """Rotations about every axis, entanglers of several kinds and shared as well as per-sample angles."""
    circuit = ql.encoders.angle(n_qubits, "x") + ql.ansatze.strongly_entangling(n_qubits, n_layers)
    circuit = circuit + ql.encoders.angle(n_qubits, "z")
    w = circuit.weights(n_qubits)
    for q in range(n_qubits):
        circuit.h(q).crx(2 * w[q] + 0.1, q, (q + 1) % n_qubits).rzz(w[q], q, (q + 1) % n_qubits).t(q)
    return circuit


@settings(max_examples=150)
@given(circuits(max_qubits=5, amplitudes=True), st.integers(1, 20), st.sampled_from(["f4", "f8"]), st.booleans(),
       st.integers(0, 2**32 - 1))  # fmt: skip
def test_equals_reference_on_random_circuits(circuit, n_samples, dtype, own_weights, seed):
    inputs, weights = random_values(circuit, n_samples, seed)
    if own_weights:
        weights = weights + np.random.default_rng(seed).normal(size=(n_samples, circuit.n_weights))
    observables = random_observables(circuit.n_qubits, seed)
    check_engine(ENGINE, circuit, observables, inputs.astype(dtype), weights.astype(dtype))


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize(("n_qubits", "n_samples"), [(2, 1), (4, 40), (6, 1), (6, 2), (8, 9), (9, 3), (11, 2)])
def test_equals_reference_in_both_regimes(n_qubits, n_samples, dtype):
    """Few samples of a larger register lie across vectors, many of a small one side by side."""
    circuit = dense_layers(n_qubits)
    inputs, weights = random_values(circuit, n_samples, n_qubits)
    check_engine(ENGINE, circuit, random_observables(n_qubits, 3), inputs.astype(dtype), weights.astype(dtype))


def test_large_register_against_products():
    """20 qubits: expectation values of a product state entangled and disentangled again are known in closed form."""
    n = 20
    circuit = ql.Circuit(n)
    x = circuit.inputs(n)
    for q in range(n):
        circuit.ry(x[q], q)
    ring = ql.ansatze.strongly_entangling(n, 1)
    both = circuit + ring
    both.operations += [op for op in ring.inverse().operations for op in [_shifted(op, 0)]]
    inputs = np.random.default_rng(0).uniform(-3, 3, (1, n)).astype("f4")
    weights = np.random.default_rng(1).uniform(-3, 3, both.n_weights).astype("f4")
    np.testing.assert_allclose(ql.expectation(both, None, inputs, weights), np.cos(inputs), atol=2e-5)


def _shifted(op, by):
    return type(op)(op.gate, op.qubits, tuple(angle.shifted(0, by) for angle in op.angles))


@pytest.mark.parametrize("n_qubits", [3, 8, 15])
def test_results_do_not_depend_on_threads(n_qubits):
    circuit = dense_layers(n_qubits, 1)
    inputs, weights = random_values(circuit, 3 if n_qubits > 12 else 70, 0)
    results = []
    for threads in (1, 2, 5):
        engine = StatevectorEngine(threads)
        values = ql.expectation(circuit, None, inputs, weights, engine=engine)
        results.append([values, *gradient(circuit, None, inputs, weights, engine=engine)])
    for other in results[1:]:
        for mine, theirs in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(mine, theirs)


def test_kept_states_change_nothing():
    """Derivatives are bit-identical with and without the forward walk's states."""
    for n_qubits, n_samples in ((5, 20), (9, 2)):
        circuit = dense_layers(n_qubits)
        batch = make_batch(circuit, *random_values(circuit, n_samples, 0))
        evaluator = prepare_gradient(circuit)
        cotangents = np.random.default_rng(0).normal(size=(n_samples, n_qubits))
        _, kept = evaluator.forward(batch, keep=True)
        assert kept is not None
        for mine, theirs in zip(
            evaluator.backward(batch, cotangents, kept, (True, True)),
            evaluator.backward(batch, cotangents, None, (True, True)),
            strict=True,
        ):
            np.testing.assert_array_equal(mine, theirs)


def test_many_threads_call_at_once():
    circuit = dense_layers(6)
    inputs, weights = random_values(circuit, 100, 0)
    expected = ql.expectation(circuit, None, inputs, weights)
    wrong = []

    def work():
        wrong.extend(np.abs(ql.expectation(circuit, None, inputs, weights) - expected).max() for _ in range(20))

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(wrong) == 160
    assert not any(wrong)


def _in_child(circuit, inputs, weights, queue):
    queue.put(ql.expectation(circuit, None, inputs, weights))


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_works_after_fork():
    """A DataLoader worker is a forked process that inherits a pool without threads."""
    circuit = dense_layers(6)
    inputs, weights = random_values(circuit, 100, 0)
    expected = ql.expectation(circuit, None, inputs, weights)
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_in_child, args=(circuit, inputs, weights, queue))
    child.start()
    np.testing.assert_array_equal(queue.get(timeout=30), expected)
    child.join(timeout=30)
    assert child.exitcode == 0


def test_lock_is_released_while_computing():
    """Another Python thread goes on counting during a long call."""
    circuit = dense_layers(18)
    inputs, weights = random_values(circuit, 1, 0)
    ticks, done = [], threading.Event()

    def count():
        while not done.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.001)

    counter = threading.Thread(target=count)
    counter.start()
    start = time.perf_counter()
    ql.expectation(circuit, None, inputs, weights, engine=StatevectorEngine(threads=1))
    end = time.perf_counter()
    done.set()
    counter.join()
    inside = [t for t in ticks if start + 0.2 * (end - start) < t < start + 0.8 * (end - start)]
    assert len(inside) > 3


@pytest.mark.parametrize("n_qubits", [29, 34, 40])
def test_too_large_a_request_is_refused_beforehand(n_qubits, monkeypatch):
    monkeypatch.setattr("qloom.engines.batch.available_memory", lambda: 1_000_000_000)
    circuit = ql.Circuit(n_qubits).h(0)
    start = time.perf_counter()
    with pytest.raises(ql.errors.MemoryLimitError, match=r"needs [\d,]+ bytes, 1,000,000,000 are free"):
        ql.state(circuit)
    with pytest.raises(ql.errors.MemoryLimitError, match=r"needs [\d,]+ bytes"):
        ql.expectation(circuit)
    assert time.perf_counter() - start < 2


def test_large_batch_takes_little_memory():
    """50,000 samples of 12 qubits would be 1.6 GB as states; run in tiles they need next to nothing."""
    import resource

    circuit = ql.encoders.angle(12) + ql.ansatze.basic_entangler(12, 1)
    inputs, weights = random_values(circuit, 50_000, 0)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    gradient(circuit, ql.Z(0), inputs.astype("f4"), weights.astype("f4"))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kilobytes


def test_kernels_of_every_instruction_set_agree():
    """Each set is forced in a process of its own; all agree with float64 closed forms to 1e-5."""
    import os
    import subprocess
    import sys

    code = (
        "import numpy as np, qloom as ql\n"
        "c = ql.encoders.angle(7) + ql.ansatze.strongly_entangling(7, 2)\n"
        "r = np.random.default_rng(0)\n"
        "for b in (1, 33):\n"
        "    x, w = r.normal(size=(b, 7)).astype('f4'), r.normal(size=c.n_weights).astype('f4')\n"
        "    for a in (ql.expectation(c, None, x, w), *ql.gradients.gradient(c, None, x, w)):\n"
        "        print(*a.ravel().astype(float))\n"
    )
    outputs = []
    for name in _native.kernel_names()[1:]:
        finished = subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"QLOOM_KERNELS": name},
            capture_output=True,
            text=True,
            check=True,
        )
        outputs.append(np.array(finished.stdout.split(), float))
    assert len(outputs) >= 1
    for other in outputs[1:]:
        np.testing.assert_allclose(other, outputs[0], atol=1e-4)
    bad = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"QLOOM_KERNELS": "nonsense"},
        capture_output=True,
        text=True,
    )
    assert bad.returncode
    assert "expected one this processor runs" in bad.stderr


def test_reference_knows_ghz_and_ramsey():
    """The definition itself against closed forms."""
    ghz = ql.Circuit(3).h(0).cx(0, 1).cx(1, 2)
    amplitudes = ql.state(ghz, engine=ReferenceEngine())
    np.testing.assert_allclose(amplitudes, np.array([1, 0, 0, 0, 0, 0, 0, 1]) / np.sqrt(2), atol=1e-15)
    ramsey = ql.Circuit(1)
    phase = ramsey.inputs(1)[0]
    ramsey.h(0).p(phase, 0).h(0)
    times = np.linspace(0, 6, 7)[:, None]
    np.testing.assert_allclose(ql.expectation(ramsey, None, times, engine=ReferenceEngine()), np.cos(times), atol=1e-14)
