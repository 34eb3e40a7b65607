"""IQP models against dense simulation, the reference engine, published numbers and enumerated kernels."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import torch

import qloom as ql
from benchmarks.shared import SHARED
from qloom.errors import ConfigError, DataError, ShapeError, UnsupportedError
from qloom.models.generative import IQPModel, neighbours
from qloom.models.generative.iqp.circuit import GateByGate, PairProduct, make_circuit
from qloom.models.generative.iqp.gates import gate_sets
from qloom.models.generative.iqp.start import PAIR_SCALES
from qloom.models.generative.iqp.strings import Strings
from qloom.models.generative.iqp.training import word_discrepancies
from qloom.models.generative.packed import PackedRows
from qloom.models.generative.words import Words, bits_of
from tests.shared import shared

RING = neighbours(12, [(q, (q + 1) % 12) for q in range(12)])


def every_word(n: int) -> list[tuple[int, ...]]:
    return [tuple(np.flatnonzero(row).tolist()) for row in bits_of(np.arange(1 << n), n)]


def dense_probabilities(n: int, gates, theta, symmetric: bool) -> np.ndarray:
    """From Hadamards as matrices and the gates' diagonals."""
    bits = bits_of(np.arange(1 << n), n).astype(int)
    diagonal = np.exp(1j * sum(a * (-1.0) ** bits[:, list(g)].sum(axis=1) for a, g in zip(theta, gates, strict=True)))
    hadamard = (-1.0) ** (bits @ bits.T % 2) / 2 ** (n / 2)
    start = np.zeros(1 << n)
    start[[0, -1] if symmetric else [0]] = 2**-0.5 if symmetric else 1
    return np.abs(hadamard @ (diagonal * (hadamard @ start))) ** 2


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize(("n", "gates"), [(1, 1), (5, "pairs"), (6, 3), (4, 4), (7, [(0,), (2, 5), (1, 3, 4, 6)])])
def test_probabilities_and_moments_are_those_of_a_dense_simulation(n, gates, symmetric):
    random = np.random.default_rng(n)
    model = IQPModel(n, gates, symmetric)
    listed = gate_sets(n, gates)
    theta = random.normal(size=len(listed))
    model.set_angles(theta)
    expected = dense_probabilities(n, listed, theta, symmetric)
    np.testing.assert_allclose(model.probabilities(), expected, atol=1e-13)
    bits = bits_of(np.arange(1 << n), n).astype(int)
    for word, moment in zip(every_word(n), model.moments(every_word(n), exact=True), strict=True):
        assert moment == pytest.approx(expected @ (-1.0) ** bits[:, list(word)].sum(axis=1), abs=1e-13)


def test_twelve_qubits_are_those_of_a_dense_simulation():
    theta = np.random.default_rng(0).normal(size=len(RING))
    expected = dense_probabilities(12, RING, theta, False)
    np.testing.assert_allclose(IQPModel(12, RING).set_angles(theta).probabilities(), expected, atol=1e-13)


@pytest.mark.parametrize("symmetric", [False, True])
def test_the_circuit_and_its_qasm_are_the_model(symmetric):
    model = IQPModel(4, 3, symmetric).set_angles(np.random.default_rng(1).normal(size=14))
    np.testing.assert_allclose(ql.probabilities(model.circuit()), model.probabilities(), atol=1e-12)
    lines = model.to_qasm().splitlines()
    assert lines[:4] == ["OPENQASM 2.0;", 'include "qelib1.inc";', "qreg q[4];", "creg c[4];"]
    circuit = ql.Circuit(4)
    for line in lines[4:-1]:
        name, places = line.rstrip(";").rsplit(" ", 1)
        qubits = [int(part[2:-1]) for part in places.split(",")]
        gate, _, angle = name.rstrip(")").partition("(")
        circuit.append(gate, [float(angle)] if angle else [], qubits)
    np.testing.assert_allclose(ql.probabilities(circuit), model.probabilities(), atol=1e-12)
    assert lines[-1] == "measure q -> c;"


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize(("kind", "gates"), [(PairProduct, 2), (GateByGate, 2), (GateByGate, 3)])
def test_means_over_all_strings_are_exact_and_slopes_are_differences(kind, gates, symmetric):
    n, random = 5, np.random.default_rng(2)
    circuit = kind(gate_sets(n, gates), symmetric, torch.float64)
    theta = random.normal(size=len(circuit.gates))
    circuit.weights.data.copy_(torch.from_numpy(theta))
    every = bits_of(np.arange(1 << n), n)
    strings = Strings.of(every[every.sum(axis=1) % 2 == 0] if symmetric else every, torch.float64)
    words, weights = Words.of(every_word(n), n), torch.from_numpy(random.normal(size=(2, 1 << n)))

    def loss() -> torch.Tensor:
        return sum((w * m).sum() for w, m in zip(weights, circuit.means(words, strings), strict=True))

    means = circuit.means(words, strings)[0].detach().numpy()
    exact = IQPModel(n, gates, symmetric).set_angles(theta).moments(every_word(n), exact=True)
    np.testing.assert_allclose(means, exact, atol=1e-14)
    loss().backward()
    for g in range(0, len(theta), 2):
        with torch.no_grad():
            circuit.weights[g] += 1e-5
            above = loss()
            circuit.weights[g] -= 2e-5
            below = loss()
            circuit.weights[g] += 1e-5
        assert circuit.weights.grad[g].item() == pytest.approx(float(above - below) / 2e-5, abs=1e-7)


def test_both_ways_of_walking_give_the_same_in_single_precision_with_strings_that_fill_no_vector():
    random = np.random.default_rng(3)
    gates = gate_sets(40, 2)
    theta = torch.from_numpy(random.normal(0, 0.1, len(gates)).astype(np.float32))
    words = Words.drawn(40, 1.3, 30, random)
    strings = Strings.drawn(40, 37, False, random, torch.float32)
    found = []
    for kind in (PairProduct, GateByGate):
        circuit = kind(gates)
        circuit.weights.data.copy_(theta)
        means, squares = circuit.means(words, strings)
        (means.sum() - squares.sum()).backward()
        found.append((means.detach(), squares.detach(), circuit.weights.grad))
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b, rtol=2e-4, atol=2e-5)


def test_even_strings_are_even_and_uniform():
    """False alarms: a bit's count of ones is five standard deviations off in one run of 200,000."""
    signs = Strings.drawn(6, 4000, True, np.random.default_rng(4), torch.float32)
    ones = (signs.signs[:, :4000] < 0).numpy()
    assert not (ones.sum(axis=0) % 2).any()
    assert abs(ones.sum(axis=1) - 2000).max() < 5 * np.sqrt(1000)
    assert not signs.signs[:, 4000:].any()


def test_a_wide_circuit_is_a_product_of_narrow_ones():
    """Blocks of four qubits with no gates between them: moments of 120 qubits are products of those of four."""
    random, blocks = np.random.default_rng(5), 30
    inside = [g for k in (1, 2) for g in combinations(range(4), k)]
    theta = random.normal(size=(blocks, len(inside)))
    gates = [tuple(4 * b + q for q in g) for b in range(blocks) for g in inside]
    model = IQPModel(4 * blocks, gates).set_angles(theta.ravel())
    small = [IQPModel(4, inside).set_angles(row) for row in theta]
    word = (0, 2, 4, 5, 8, 11)
    expected = np.prod([m.moments([w], exact=True)[0] for m, w in zip(small, [(0, 2), (0, 1), (0, 3)], strict=False)])
    assert model.moments([word], exact=True)[0] == pytest.approx(expected, abs=1e-14)
    # False alarms: five standard errors, one run of two million.
    value, error = model.estimate([word], 20_000)
    assert abs(value[0] - expected) < 5 * error[0]
    shares = model.marginal([1, 3, 6], n_strings=4000)
    assert shares.sum() == pytest.approx(1, abs=1e-12)
    exact = model.marginal([1, 3, 6], exact=True)
    np.testing.assert_allclose(shares, exact, atol=5 / np.sqrt(4000))
    pair = small[0].probabilities().reshape(2, 2, 2, 2).sum(axis=(0, 2))
    np.testing.assert_allclose(exact.reshape(2, 2, 2).sum(axis=2), pair, atol=1e-14)


@pytest.mark.parametrize("symmetric", [False, True])
def test_marginals_and_conditional_moments_are_sums_of_probabilities(symmetric):
    random = np.random.default_rng(6)
    model = IQPModel(6, 3, symmetric).set_angles(random.normal(size=41))
    table = model.probabilities().reshape((2,) * 6)
    np.testing.assert_allclose(model.marginal([4, 1]), table.sum(axis=(0, 2, 3, 5)).T.ravel(), atol=1e-13)
    given = table[:, 1, :, 0].reshape(2, 2, 2, 2)  # bits 0, 2, 4, 5
    signs = np.array([1, -1])
    expected = np.einsum("abcd,a,d->", given, signs, signs) / given.sum()
    found = model.conditional_moments([(0, 5), (0, 1, 5), (3,)], {1: 1, 3: 0})
    np.testing.assert_allclose(found, [expected, -expected, 1], atol=1e-12)


def test_marginals_over_all_strings_of_the_others_are_exact():
    """False alarms: the mean over 5,000 strings is five standard errors off in one run of two million."""
    from qloom.models.generative.iqp.marginals import drawn_marginal

    for symmetric in (False, True):
        random = np.random.default_rng(7)
        gates, theta = gate_sets(6, 3), random.normal(size=41)
        model = IQPModel(6, 3, symmetric).set_angles(theta)
        found = drawn_marginal(gates, theta, [2, 0], symmetric, 5000, random)
        np.testing.assert_allclose(found, model.marginal([2, 0]), atol=5 * 0.5 / np.sqrt(5000))


@pytest.mark.parametrize("gates", [2, 3])
def test_without_coherence_gates_flip_their_qubits(gates):
    """Against the distribution of flips: one of 2^G sets of gates, each with its probability."""
    n, random = 3, np.random.default_rng(8)
    listed = list(gate_sets(n, gates))
    theta = random.normal(size=len(listed))
    expected = np.zeros(1 << n)
    for chosen in bits_of(np.arange(1 << len(listed)), len(listed)).astype(bool):
        share = np.prod(np.where(chosen, np.sin(theta) ** 2, np.cos(theta) ** 2))
        row = sum((np.eye(n, dtype=int)[list(g)].sum(axis=0) for g, c in zip(listed, chosen, strict=True) if c), 0)
        expected[int("".join(map(str, np.broadcast_to(row, n) % 2)), 2)] += share
    model = IQPModel(n, gates, coherent=False).set_angles(theta)
    np.testing.assert_allclose(model.probabilities(), expected, atol=1e-13)
    means = model.moments(every_word(n))
    bits = bits_of(np.arange(1 << n), n).astype(int)
    for word, mean in zip(every_word(n), means, strict=True):
        assert mean == pytest.approx(expected @ (-1.0) ** bits[:, list(word)].sum(axis=1), abs=1e-13)
    # False alarms: five standard errors in each of eight shares, one run of 200,000.
    counts = np.bincount(model.sample(4000, 0) @ (4, 2, 1), minlength=8) / 4000
    np.testing.assert_allclose(counts, expected, atol=5 * np.sqrt(0.25 / 4000))
    # Slopes of the exact means by differences.
    circuit = model._circuit()
    words = Words.of(every_word(n), n)
    circuit.means(words, None)[0].sum().backward()
    for g in range(len(theta)):
        ends = [
            IQPModel(n, gates, coherent=False).set_angles(theta + s * 1e-6 * np.eye(len(theta))[g]) for s in (1, -1)
        ]
        slope = (ends[0].moments(words).sum() - ends[1].moments(words).sum()) / 2e-6
        assert circuit.weights.grad[g].item() == pytest.approx(slope, abs=1e-7)


def test_the_estimated_discrepancy_is_unbiased():
    """2,000 draws of three strings and two words; false alarms: five standard errors, one run of two million."""
    n, random = 4, np.random.default_rng(9)
    rows = random.integers(0, 2, (7, n)).astype(np.uint8)
    model = IQPModel(n).set_angles(random.normal(size=10))
    exact = model.mmd(rows, width=0.9)
    circuit, values = model._circuit(), []
    for _ in range(2000):
        words, strings = Words.drawn(n, 0.9, 2, random), circuit.strings(3, random)
        means, squares = circuit.means(words, strings)
        p = torch.from_numpy(PackedRows(rows).means(words))
        values.append(float(word_discrepancies(means.detach(), squares.detach(), 3, p, len(rows)).mean()))
    assert abs(np.mean(values) - exact) < 5 * np.std(values) / np.sqrt(len(values))


def test_the_discrepancy_is_that_of_kernels():
    """Against kernels of every two outcomes, and of every two different rows."""
    n, random = 5, np.random.default_rng(10)
    model = IQPModel(n).set_angles(random.normal(size=15))
    p, rows = model.probabilities(), random.integers(0, 2, (9, n)).astype(np.uint8)
    every = bits_of(np.arange(1 << n), n).astype(float)

    def kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.exp(-((x[:, None].astype(float) - y) ** 2).sum(axis=2) / 2 / 1.1**2)

    own = kernel(rows, rows)
    expected = p @ kernel(every, every) @ p - 2 * p @ kernel(every, rows).mean(axis=1)
    expected += (own.sum() - 9) / 72
    assert model.mmd(rows, width=1.1) == pytest.approx(expected, abs=1e-14)
    model.widths_ = [1.1]
    np.testing.assert_allclose(model.score_samples(rows), p @ kernel(every, rows), atol=1e-14)


def test_wide_scores_and_discrepancies_are_near_those_of_a_product():
    """Gates on single qubits give independent bits, whose kernel means are products.

    False alarms: six standard errors of 10,000 words, one run in a hundred million.
    """
    n, random = 60, np.random.default_rng(11)
    theta = random.uniform(0, np.pi / 2, n)
    shares, rows = np.sin(theta) ** 2, random.integers(0, 2, (50, n)).astype(np.uint8)
    model = IQPModel(n, 1).set_angles(theta)
    model.widths_ = [4.0]
    e = np.exp(-0.5 / 4.0**2)
    expected = np.prod(np.where(rows == 1, shares + (1 - shares) * e, 1 - shares + shares * e), axis=1)
    assert abs(model.score_samples(rows) - expected).max() < 6 / np.sqrt(10_000)
    value, error = model.mmd(rows, width=4.0, with_error=True)
    own = np.exp(-((rows[:, None].astype(float) - rows) ** 2).sum(axis=2) / 2 / 16)
    exact = np.prod(1 - 2 * shares * (1 - shares) * (1 - e)) - 2 * expected.mean() + (own.sum() - 50) / 50 / 49
    assert abs(value - exact) < 6 * error


def test_samples_follow_the_probabilities():
    """False alarms: five standard deviations in each of 16 shares, one run of 100,000."""
    model = IQPModel(4).set_angles(np.random.default_rng(12).normal(size=10))
    drawn = model.sample(8000, 0)
    assert (drawn.dtype, drawn.shape) == (np.uint8, (8000, 4))
    counts = np.bincount(drawn @ (8, 4, 2, 1), minlength=16) / 8000
    np.testing.assert_allclose(counts, model.probabilities(), atol=5 * np.sqrt(0.25 / 8000))
    np.testing.assert_array_equal(model.sample(5, 3), model.sample(5, 3))


def test_correlations_are_those_of_the_distribution():
    model = IQPModel(4).set_angles(np.random.default_rng(13).normal(size=10))
    bits = bits_of(np.arange(16), 4).astype(float)
    expected = np.cov(bits.T, aweights=model.probabilities(), ddof=0)
    spread = np.sqrt(np.diag(expected))
    np.testing.assert_allclose(model.correlations(exact=True), expected / np.outer(spread, spread), atol=1e-12)


def rows_of_a_pair(n_rows: int = 400) -> np.ndarray:
    """Four bits, the second mostly that of the first, the last always 1."""
    random = np.random.default_rng(14)
    bits = random.integers(0, 2, (n_rows, 4)).astype(np.uint8)
    bits[:, 1] = bits[:, 0] ^ (random.random(n_rows) < 0.1)
    bits[:, 3] = 1
    return bits


@pytest.mark.parametrize("exact", [False, True])
def test_training_finds_what_pairs_have_in_common(exact):
    rows = rows_of_a_pair()
    model = IQPModel(n_steps=150, learning_rate=0.03, exact=exact, n_operators=300, n_strings=300).fit(rows)
    without = IQPModel(gates=1, n_steps=150, learning_rate=0.03, exact=True).fit(rows)
    width = model.widths_[0]
    assert model.mmd(rows, width) < 0.1 * without.mmd(rows, width)
    assert model.moments([(0, 1)], exact=True)[0] == pytest.approx(
        PackedRows(rows).means(Words.of([(0, 1)], 4))[0], abs=0.1
    )
    assert model.moments([(3,)], exact=True)[0] == pytest.approx(-1, abs=0.05)
    assert len(model.losses_) == 150
    again = IQPModel(n_steps=150, learning_rate=0.03, exact=exact, n_operators=300, n_strings=300).fit(rows)
    np.testing.assert_array_equal(model.angles_, again.angles_)


def test_first_angles_are_those_of_least_discrepancy():
    random = np.random.default_rng(15)
    rows = (random.random((300, 1)) < 0.3) ^ (random.random((300, 4)) < 0.1)
    found = [IQPModel(n_steps=0, exact=True, widths=[1.0], pair_scale=scale).fit(rows) for scale in PAIR_SCALES]
    least, most = (best(found, key=lambda model: model.mmd(rows, 1.0)) for best in (min, max))
    assert most.mmd(rows, 1.0) > 1.2 * least.mmd(rows, 1.0)
    chosen = IQPModel(n_steps=0, exact=True, widths=[1.0]).fit(rows)
    np.testing.assert_allclose(chosen.angles_, least.angles_, atol=1e-15)


def test_a_training_taken_up_again_ends_in_the_same_angles():
    rows = rows_of_a_pair()
    whole = IQPModel(n_steps=12, n_operators=50, n_strings=50).begin_fit(rows).run()
    first = IQPModel(n_steps=12, n_operators=50, n_strings=50).begin_fit(rows)
    first.epochs = 5
    first.run()
    second = IQPModel(n_steps=12, n_operators=50, n_strings=50).begin_fit(rows)
    second.restore(first.tensors(), first.record()).run()
    assert torch.equal(whole.module.weights, second.module.weights)


def test_circuits_take_the_way_of_fewer_operations():
    assert type(make_circuit(gate_sets(100, 2))) is PairProduct
    assert type(make_circuit(gate_sets(10, 3))) is GateByGate
    assert type(make_circuit(gate_sets(400, neighbours(400, [(q, q + 1) for q in range(399)])))) is GateByGate


@shared
def test_published_angles_give_the_published_distribution():
    """Numbers stated of the angles trained on eight blobs by Recio-Armengol and others."""
    folder = SHARED / "data" / "iqp_generative"
    model = IQPModel(16, gates=6).set_angles(np.load(folder / "8_blobs_iqp_params.npy"))
    shares = model.probabilities()
    assert shares.sum() == pytest.approx(1, abs=1e-12)
    assert shares.argmax() == 1632
    assert shares.max() == pytest.approx(0.064694867, abs=1e-9)
    with np.load(folder / "8_blobs.npz") as data:
        test = np.unpackbits(data["test"], axis=1)
    assert model.mmd(test, width=1.3) == pytest.approx(2.933086e-3, abs=1e-8)
    assert model.mmd(test, width=0.6) == pytest.approx(1.189103e-3, abs=1e-8)


WIDE = IQPModel(30, neighbours(30, [(q, q + 1) for q in range(29)])).set_angles(np.full(59, 0.1))
FEW = IQPModel(3).set_angles(np.zeros(6))
BITS = np.array([[0, 1, 1], [1, 0, 1]])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: IQPModel().fit(BITS * 2), DataError, "X holds 2, expected bits 0 and 1 only"),
        (lambda: IQPModel().fit(BITS * np.nan), DataError, "X holds nan, expected bits 0 and 1 only"),
        (lambda: IQPModel().fit(BITS[:1]), DataError, "X has 1 row, expected two or more"),
        (lambda: IQPModel().fit(BITS[[0, 0]]), DataError, "all 2 row.s. are the same, expected rows that differ"),
        (lambda: IQPModel(4).fit(BITS), ShapeError, "X has 3 columns, expected 4 bits"),
        (lambda: IQPModel(widths=[0]).fit(BITS), ConfigError, "width=0, expected a number above 0"),
        (lambda: IQPModel(widths=[]).fit(BITS), ConfigError, "widths is empty"),
        (lambda: IQPModel(n_strings=1).fit(BITS), ql.errors.CircuitError, "n_strings=1, expected an integer of at"),
        (lambda: IQPModel(exact=True).fit(np.eye(21)), UnsupportedError, "was given 21 bits, expected at most 20"),
        (lambda: IQPModel(gates="all").fit(BITS), ConfigError, "gates='all', expected 'pairs', the most qubits"),
        (lambda: IQPModel(gates=[(0, 5)]).fit(BITS), ShapeError, r"operator \(0, 5\), expected different qubits"),
        (lambda: IQPModel(gates=[()]).fit(BITS), ConfigError, "one on no qubit, expected tuples"),
        (lambda: IQPModel(400, gates=5).set_angles([0]), ConfigError, "gates, expected at most 50,000,000"),
        (lambda: IQPModel().set_angles([0]), ConfigError, "n_qubits=None, expected a number of qubits"),
        (lambda: IQPModel(2).set_angles([0.0]), ShapeError, r"theta has shape \(1,\), expected \(3,\) finite angles"),
        (lambda: FEW.mmd(BITS, width=0), ConfigError, "width=0, expected a number above 0"),
        (lambda: FEW.mmd(BITS[:1], width=1), DataError, "1 row, expected two or more"),
        (lambda: FEW.score_samples(BITS), UnsupportedError, "needs kernel widths, expected a fitted model or widths="),
        (lambda: FEW.sample(0), ConfigError, "n_samples=0, expected an integer of at least 1"),
        (lambda: FEW.moments([(0, 3)]), ShapeError, r"operator \(0, 3\), expected different qubits of 0 to 2"),
        (lambda: FEW.conditional_moments([(0,)], {1: 1}), DataError, "has probability 0 in the model"),
        (lambda: FEW.conditional_moments([(0,)], {1: 2}), DataError, "expected 0 or 1 for each qubit"),
        (lambda: WIDE.sample(), UnsupportedError, "sample of 30 qubits, expected at most 26; ask for moments"),
        (lambda: WIDE.probabilities(), UnsupportedError, "was given 30 bits, expected at most 20"),
        (lambda: WIDE.moments([range(21)], exact=True), UnsupportedError, "acts on 21 qubits, expected at most 20"),
        (
            lambda: WIDE.marginal(range(13), exact=True),
            UnsupportedError,
            "13 qubits, expected at most 12; ask for exact=",
        ),
        (lambda: WIDE.marginal(range(21)), UnsupportedError, "21 qubits, expected at most 20; ask for moments"),
    ],
)
def test_bad_input_is_told_in_a_sentence(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
