"""The native engine against the reference, in both regimes, and what it promises beside values."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
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
from qloom.engines.statevector import lower_states
from qloom.gradients import gradient, prepare_gradient
from qloom.testing import check_engine
from tests.circuits.strategies import circuits, random_values
from tests.memory import outcome

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
    both.operations += ring.inverse().operations
    inputs = np.random.default_rng(0).uniform(-3, 3, (1, n)).astype("f4")
    weights = np.random.default_rng(1).uniform(-3, 3, both.n_weights).astype("f4")
    np.testing.assert_allclose(ql.expectation(both, None, inputs, weights), np.cos(inputs), atol=2e-5)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize(
    ("n_qubits", "n_samples", "n_layers"),
    [(3, 70, 1), (4, 32, 2), (8, 256, 4), (10, 128, 4), (12, 64, 4), (15, 3, 1), (16, 16, 4), (20, 1, 4)],
)
def test_results_do_not_depend_on_threads(n_qubits, n_samples, n_layers, dtype):
    """Bit by bit, at the sizes of the benchmark and where a batch is cut otherwise."""
    circuit = dense_layers(n_qubits, n_layers)
    inputs, weights = (array.astype(dtype) for array in random_values(circuit, n_samples, 0))
    results = []
    for threads in (1, 2, 5):
        engine = StatevectorEngine(threads)
        values = ql.expectation(circuit, None, inputs, weights, engine=engine)
        results.append([values, *gradient(circuit, None, inputs, weights, engine=engine)])
    for other in results[1:]:
        for mine, theirs in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(mine, theirs)


def test_kept_states_change_nothing():
    """Derivatives are bit-identical with the forward walk's states, with states already used, and without any."""
    for n_qubits, n_samples in ((5, 20), (9, 2)):
        circuit = dense_layers(n_qubits)
        batch = make_batch(circuit, *random_values(circuit, n_samples, 0))
        evaluator = prepare_gradient(circuit)
        cotangents = np.random.default_rng(0).normal(size=(n_samples, n_qubits))
        _, kept = evaluator.forward(batch, keep=True)
        assert kept is not None
        expected = evaluator.backward(batch, cotangents, None, (True, True))
        for _ in range(2):
            for mine, theirs in zip(evaluator.backward(batch, cotangents, kept, (True, True)), expected, strict=True):
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


@pytest.mark.alone
def test_lock_is_released_while_computing():
    """Another Python thread goes on counting during a long call."""
    circuit = dense_layers(21)
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


@pytest.mark.alone
@pytest.mark.parametrize("n_qubits", [29, 34, 40])
def test_too_large_a_request_is_refused_beforehand(n_qubits, monkeypatch):
    monkeypatch.setattr("qloom.engines.batch.available_memory", lambda: 1_000_000_000)
    circuit = ql.Circuit(n_qubits)
    for q in range(n_qubits):
        circuit.ry(0.3, q)
    for q in range(n_qubits - 1):
        circuit.crx(0.3, q, q + 1)
    start = time.perf_counter()
    with pytest.raises(ql.errors.MemoryLimitError, match=r"needs [\d,]+ bytes, 1,000,000,000 are free"):
        ql.state(circuit)
    with pytest.raises(ql.errors.MemoryLimitError, match=r"needs [\d,]+ bytes"):
        ql.expectation(circuit)
    assert time.perf_counter() - start < 2


def peak_growth(code: str) -> int:
    """Kilobytes by which the peak of a fresh process grows while it runs `work()` of the code."""
    (gigabytes,) = outcome(f"{code}\nbefore = peak()\nwork()\nprint(peak() - before)\n")
    return round(float(gigabytes) * 1e6)


def test_large_batch_takes_little_memory():
    """50,000 samples of 12 qubits would be 1.6 GB as states; run in tiles they need next to nothing."""
    growth = peak_growth(
        "import numpy as np, qloom as ql\n"
        "circuit = ql.encoders.angle(12) + ql.ansatze.basic_entangler(12, 1)\n"
        "x, w = np.ones((50_000, 12), 'f4'), np.ones(circuit.n_weights, 'f4')\n"
        "work = lambda: ql.gradients.gradient(circuit, ql.Z(0), x, w)"
    )
    assert growth < 100_000


def test_memory_does_not_grow_with_the_batch():
    """Scratch of one sample is given back before the next: 60 samples of 18 qubits need what one needs."""
    growth = peak_growth(
        "import numpy as np, qloom as ql\n"
        "circuit = ql.encoders.angle(18)\n"
        "words = sum((float(k) * ql.Z(k % 18) @ ql.Z((k + 1 + k // 18) % 18) for k in range(1, 300)), ql.Z(0))\n"
        "run = lambda b: ql.gradients.gradient(circuit, words, np.ones((b, 18), 'f4'))\n"
        "run(1)\n"
        "work = lambda: run(60)"
    )
    assert growth < 20_000


@pytest.mark.parametrize("n_qubits", [16, 20])
def test_float32_probabilities_of_large_registers(n_qubits):
    """Marginals of a product state are cos^2 and sin^2, to 1e-5 however many amplitudes are summed."""
    circuit = ql.Circuit(n_qubits)
    x = circuit.inputs(1)
    for q in range(n_qubits):
        circuit.ry(x[0], q)
    angle = np.array([1.1], "f4")
    marginal = ql.probabilities(circuit, angle, qubits=[0])
    np.testing.assert_allclose(marginal, [np.cos(0.55) ** 2, np.sin(0.55) ** 2], atol=1e-5)


def test_many_turns_lose_nothing_in_float32():
    circuit = ql.Circuit(1)
    x = circuit.inputs(1)
    circuit.ry(1000 * x[0], 0)
    angles = np.array([[3.3], [-7.7]] * 8, "f4")
    exact = np.cos(1000 * angles.astype("f8"))
    np.testing.assert_allclose(ql.expectation(circuit, None, angles), exact, atol=1e-6)


@pytest.mark.alone
def test_two_threads_are_no_slower_than_one_beside_other_work():
    """A helper that gets no processor is not waited for: with both processors busy, two threads take at most 3x one.

    In 200 calls each, twenty at a time: a single call may meet the time slice of another process. The ratio was seen
    between 0.6 and 1.5 in 60 runs beside four to six busy processes.
    """
    circuit = dense_layers(15)
    batch = make_batch(circuit, *random_values(circuit, 1, 0))
    evaluators = [prepare_gradient(circuit, None, StatevectorEngine(threads)) for threads in (1, 2)]
    taken = [0.0, 0.0]
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(4)]
    try:
        for turn in range(20):
            start = time.perf_counter()
            for _ in range(20):
                evaluators[turn % 2].values(batch)
            taken[turn % 2] += time.perf_counter() - start
    finally:
        for process in busy:
            process.kill()
            process.wait()
    assert taken[1] < 3 * taken[0]


def test_shapes_are_checked_before_the_native_boundary():
    circuit = dense_layers(4)
    evaluator = prepare_gradient(circuit)
    batch = make_batch(circuit, *random_values(circuit, 3, 0))
    cotangents = np.ones((3, 4))
    for wrong in (
        lambda: evaluator.values(type(batch)(batch.inputs[:, 1:].copy(), batch.weights, False)),
        lambda: evaluator.values(type(batch)(batch.inputs, batch.weights[1:], False)),
        lambda: evaluator.values(type(batch)(batch.inputs, np.stack([batch.weights] * 2), False)),
        lambda: evaluator.backward(batch, cotangents[:2], None, (True, True)),
    ):
        with pytest.raises(ql.errors.ShapeError, match="expected"):
            wrong()


def test_kept_states_of_another_batch_are_refused():
    circuit = dense_layers(4)
    evaluator = prepare_gradient(circuit)
    small, large = (make_batch(circuit, *random_values(circuit, n, 0)) for n in (3, 40))
    _, kept = evaluator.forward(large, keep=True)
    with pytest.raises(ValueError, match=r"kept has \d+ numbers, expected \d+"):
        evaluator.backward(small, np.ones((3, 4)), kept, (True, True))


def test_gates_of_ones_own_are_told_apart():
    """Two gates of one name that do different things must not share a prepared program."""
    values = []
    for table in (ql.circuits.GATES["rz"], ql.circuits.GATES["rx"]):
        mine = ql.circuits.Gate("mine", 1, 1, "own", table.matrix, table.expansion, table.inverse)
        values.append(ql.expectation(ql.Circuit(1).append(mine, (0.7,), (0,)))[0])
    np.testing.assert_allclose(values, [1, np.cos(0.7)], atol=1e-12)


@pytest.mark.alone
def test_large_quarter_turn_lowers_at_once():
    start = time.perf_counter()
    circuit = ql.Circuit(26).h(0).pauli_rotation(np.pi / 2, "Z" * 26, range(26))
    assert not lower_states(circuit).frame.is_identity
    assert time.perf_counter() - start < 1


def test_empty_batches():
    circuit = dense_layers(3)
    inputs, weights = np.zeros((0, circuit.n_inputs)), np.zeros(circuit.n_weights)
    assert ql.expectation(circuit, None, inputs, weights).shape == (0, 3)
    assert ql.state(circuit, inputs, weights).shape == (0, 8)
    assert ql.state(circuit, inputs, weights, engine=ReferenceEngine()).shape == (0, 8)
    assert ql.sample(circuit, 5, inputs, weights).shape == (0, 5, 3)
    d_inputs, d_weights = gradient(circuit, None, inputs, weights)
    assert d_inputs.shape == inputs.shape
    assert not d_weights.any()


def test_kernels_of_every_instruction_set_agree():
    """Each set is forced in a process of its own; in float32 all agree with the reference's values to 1e-5."""
    code = (
        "import numpy as np, qloom as ql\n"
        "c = ql.encoders.angle(7) + ql.ansatze.strongly_entangling(7, 2)\n"
        "r = np.random.default_rng(0)\n"
        "for b in (1, 33):\n"
        "    x, w = r.normal(size=(b, 7)).astype('f4'), r.normal(size=c.n_weights).astype('f4')\n"
        "    truth = ql.expectation(c, None, x.astype('f8'), w.astype('f8'), engine=ql.engines.ReferenceEngine())\n"
        "    np.testing.assert_allclose(ql.expectation(c, None, x, w), truth, atol=1e-5)\n"
        "    for a in ql.gradients.gradient(c, None, x, w):\n"
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
