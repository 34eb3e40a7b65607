"""Bits of measured qubits: their distribution, their memory, and estimates made of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qloom as ql
from qloom.engines import Expectations, Probabilities, ReferenceEngine, Shots, StatevectorEngine, make_batch
from qloom.engines.statevector import native_program
from qloom.engines.streams import Stream
from tests.circuits.strategies import circuits, random_values
from tests.memory import outcome

ENGINE = StatevectorEngine()


def ghz(n_qubits: int) -> ql.Circuit:
    circuit = ql.Circuit(n_qubits).h(0).x(n_qubits - 1)
    for q in range(n_qubits - 1):
        circuit.cx(q, q + 1)
    return circuit


@settings(max_examples=60, deadline=None)
@given(circuits(max_qubits=4), st.integers(0, 2**32 - 1))
def test_the_table_and_its_map_are_the_distribution(circuit, seed):
    """No statistics: probabilities of the few bits, moved to the measured ones, are the reference's."""
    inputs, weights = random_values(circuit, 3, seed)
    batch = make_batch(circuit, inputs, weights)
    qubits = tuple(np.random.default_rng(seed).permutation(circuit.n_qubits).tolist())
    sampler = ENGINE.sampler(circuit, qubits)
    table = sampler.evaluator.values(batch)
    places = sampler._all_bits @ (1 << np.arange(len(qubits))[::-1])
    found = np.zeros((batch.size, 2 ** len(qubits)))
    found[:, places] = table
    truth = ReferenceEngine().prepare(circuit, Probabilities(qubits)).values(batch)
    np.testing.assert_allclose(found, truth, atol=1e-10)


@pytest.mark.parametrize("n_qubits", [5, 30, 100])
def test_wide_registers_of_few_gates_are_sampled(n_qubits):
    bits = ql.sample(ghz(n_qubits), 200, seed=0)
    assert bits.shape == (200, n_qubits)
    assert (bits[:, :-1] == bits[:, :1]).all()
    assert (bits[:, -1] != bits[:, 0]).all()
    assert 60 < bits[:, 0].sum() < 140  # of 200 fair ones outside once in 10^8 runs
    assert set(ql.counts(ghz(n_qubits), 200, seed=0)) == {"0" * (n_qubits - 1) + "1", "1" * (n_qubits - 1) + "0"}


def test_words_of_a_wide_register_are_measured():
    circuit = ghz(30)
    words = [ql.pauli("Z" * 30, range(30)), ql.Z(0) @ ql.Z(29), ql.Z(3)]
    values = ql.expectation(circuit, words, shots=1000, seed=0)
    np.testing.assert_allclose(values[:2], ql.expectation(circuit, words)[:2], atol=1e-12)  # eigenvalues
    assert abs(values[2]) < 6 / np.sqrt(1000)


@pytest.mark.parametrize("outputs", [
    Expectations((ql.Z(0) @ ql.Z(12) - 0.5 * ql.Z(5), ql.Y(3) @ ql.X(12) + 0.25)), Probabilities(tuple(range(13)))
])  # fmt: skip
def test_many_outcomes_are_drawn_one_by_one(outputs):
    """As estimates of fewer outcomes, which are counted, they keep to their standard errors: 6 of 8,192 are passed once
    in 60,000 seeds."""
    circuit = ql.encoders.angle(13) + ql.ansatze.basic_entangler(13, 1)
    random = np.random.default_rng(0)
    inputs, weights = random.uniform(-0.3, 0.3, (3, 13)), random.uniform(-0.3, 0.3, circuit.n_weights)
    batch = make_batch(circuit, inputs, weights)
    exact = ENGINE.prepare(circuit, outputs).values(batch)
    estimate = Shots(ENGINE, 4000, 0).prepare(circuit, outputs).estimate(batch)
    errors = np.sqrt(np.maximum(exact * (1 - exact), 0) / 4000) if outputs.kind == "probabilities" else estimate.errors
    assert (np.abs(estimate.values - exact) <= 6 * errors + 2e-3).all()


def test_errors_are_those_that_repetitions_show():
    """The standard deviation of 400 estimates, which is itself known to 3.5%, is within 20% of what each states."""
    circuit = ql.Circuit(2).ry(0.7, 0).cx(0, 1).rx(1.1, 1)
    evaluator = Shots(ENGINE, 100, 3).prepare(circuit, [ql.Z(0) + 0.5 * ql.X(1), ql.Z(0) @ ql.Z(1)])
    estimates = [evaluator.estimate(make_batch(circuit)) for _ in range(400)]
    spread = np.std([e.values[0] for e in estimates], axis=0)
    stated = np.mean([e.errors[0] for e in estimates], axis=0)
    np.testing.assert_allclose(spread, stated, rtol=0.2)
    assert estimates[0].shots == 100 * 2


@settings(max_examples=60, deadline=None)
@given(circuits(max_qubits=4), st.integers(0, 2**32 - 1))
def test_the_product_of_the_parts_is_the_distribution(circuit, seed):
    """Of parities of sets of qubits, again without statistics."""
    inputs, weights = random_values(circuit, 1, seed)
    batch = make_batch(circuit, inputs, weights)
    masks = tuple(np.random.default_rng(seed).integers(1, 2**circuit.n_qubits, 3).tolist())
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(native_program, "_MOST_BITS_AS_ONE", 0)
        native_program.prepared_parities.cache_clear()
        sampler = ENGINE.parities(circuit, masks)
        native_program.prepared_parities.cache_clear()
    found = np.eye(1, 8)[0]
    for part in getattr(sampler, "_parts", [sampler]):
        places = part._all_bits @ [4, 2, 1]
        found = sum(p * found[np.arange(8) ^ at] for at, p in zip(places, part.evaluator.values(batch)[0], strict=True))
    outcomes = ReferenceEngine().prepare(circuit, "probabilities").values(batch)[0]
    truth, n = np.zeros(8), circuit.n_qubits
    for index, p in enumerate(outcomes):
        bits = [sum(index >> (n - 1 - q) & mask >> q & 1 for q in range(n)) % 2 for mask in masks]
        truth[np.dot(bits, [4, 2, 1])] += p
    np.testing.assert_allclose(found, truth, atol=1e-10)


def test_thirty_qubits_of_few_gates_take_no_table_of_all():
    """Pairs turned and entangled: <Z Z> of a pair is the cosine of its second angle. 6 of 60 deviations are passed once
    in 10^7 seeds."""
    circuit, angles = ql.Circuit(30), np.linspace(0.1, 3, 30)
    for q in range(0, 30, 2):
        circuit.ry(angles[q], q).ry(angles[q + 1], q + 1).cx(q, q + 1)
    words = [ql.Z(q) @ ql.Z(q + 1) for q in range(0, 30, 2)] + [ql.Z(q) for q in range(0, 30, 2)]
    right = np.cos(np.concatenate([angles[1::2], angles[::2]]))
    values = ql.expectation(circuit, words, shots=1000, seed=0)
    assert (np.abs(values - right) <= 6 * np.sqrt((1 - right**2) / 1000)).all()
    means = (1 - 2.0 * ql.sample(circuit, 1000, seed=1)[:, ::2]).mean(axis=0)
    assert (np.abs(means - right[15:]) <= 6 * np.sqrt((1 - right[15:] ** 2) / 1000)).all()


def test_words_measured_together_vary_together():
    """The covariance of single measurements of Z words is <V W> - <V><W>; of 2,000 estimates of 50 shots it is seen
    within 3.5%. 6 of those are passed once in 10^8 seeds."""
    circuit = ql.Circuit(2).ry(0.7, 0).cx(0, 1).rx(1.1, 1)
    words = [ql.Z(0), ql.Z(1), ql.Z(0) @ ql.Z(1)]
    evaluator = Shots(ENGINE, 50, 4).prepare(circuit, words)
    rows = make_batch(circuit, None, np.zeros((2000, 0)))
    seen = np.cov(evaluator.values(rows).T) * 50
    means = ql.expectation(circuit, words)
    products = ql.expectation(circuit, [v @ w for v in words for w in words]).reshape(3, 3)
    np.testing.assert_allclose(seen, products - np.outer(means, means), atol=6 * 0.035)


class _Mended(ReferenceEngine):
    """Gives a probability below 0, as mitigated ones may be."""

    def evaluator(self, circuit, outputs):
        evaluator = super().evaluator(circuit, outputs)
        values = evaluator.values
        evaluator.values = lambda batch: values(batch) - 0.01
        return evaluator


def test_probabilities_below_zero_are_not_measured():
    evaluator = Shots(_Mended(), 10, 0).prepare(ql.Circuit(1), ql.Z(0))
    with pytest.raises(ql.errors.UnsupportedError, match=r"probabilities hold -0.01, expected none below 0"):
        evaluator.values(make_batch(ql.Circuit(1)))


def test_certain_outcomes_take_no_state():
    circuit = ql.Circuit(3).x(1)
    np.testing.assert_array_equal(ql.sample(circuit, 2, seed=0), [[0, 1, 0]] * 2)
    assert ENGINE.sampler(circuit, (0, 1, 2)).evaluator.n_outputs == 1
    batch = make_batch(circuit)
    assert ENGINE.sampler(circuit, (1,)).tally(batch, 5, Stream(0)).shares.tolist() == [[1.0]]


MEASURED = """
import numpy as np
import qloom as ql
circuit = ql.encoders.angle({n}) + ql.ansatze.strongly_entangling({n}, {layers})
x, w = np.full((1, {n}), 0.3, np.float32), np.full(circuit.n_weights, 0.1, np.float32)
before = peak()
values = ql.expectation(circuit, None, x, w, shots=1000, seed=0)
print(values.shape[1], peak() - before)
"""


def _peak(n: int, layers: int) -> float:
    """MiB that 1,000 shots of Z on each of n qubits take beyond what the process had."""
    size, gigabytes = outcome(MEASURED.format(n=n, layers=layers))
    assert int(size) == n
    return float(gigabytes) * 1e9 / 2**20


def test_a_wide_layer_takes_its_state_and_a_table_once():
    """22 qubits in float32: a state of 32 MiB and a table of 16, beside bits and what work needs."""
    assert _peak(22, 2) < 48 + 24


def test_thirty_qubits_turned_and_permuted_take_next_to_nothing():
    assert _peak(30, 1) < 24


@pytest.mark.slow
def test_a_layer_of_26_qubits_takes_its_state_and_a_table_once():
    """768 MiB, where a table of doubles and its sums took 14 GB."""
    assert _peak(26, 2) < 768 + 100
