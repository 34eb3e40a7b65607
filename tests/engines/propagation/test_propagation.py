"""Observables run backwards against the reference engine, and what the engine promises beside values."""

from __future__ import annotations

import time

import numpy as np
import pytest

import qloom as ql
from qloom.circuits import Circuit
from qloom.engines import DensityEngine, Engine, PropagationEngine, ReferenceEngine, StatevectorEngine, make_batch
from qloom.errors import CircuitError, MemoryLimitError, ShapeError, UnsupportedError
from qloom.gradients import prepare_gradient
from qloom.testing import EngineContract
from tests.engines.propagation.circuits import N_INPUTS, N_WEIGHTS, arrays_of, ising_chain, random_circuit
from tests.engines.propagation.free_fermions import free_fermions

REFERENCE = ReferenceEngine()


class TestContract(EngineContract):
    def make_engine(self) -> Engine:
        return PropagationEngine(threads=2)


class TestContractOfNoise(EngineContract):
    def make_engine(self) -> Engine:
        return PropagationEngine(threads=1)

    def circuit(self) -> Circuit:
        """Rates are inputs, weights and numbers."""
        circuit = Circuit(3)
        x, w = circuit.inputs(3), circuit.weights(4)
        circuit.ry(x[0], 0).rx(0.7 * x[1], 1).h(2).amplitude_damping(0.2, 0).cx(0, 1).depolarizing(w[3], 0, 1)
        circuit.rzz(w[0], 1, 2).measure(1).ry(w[1], 2).generalized_amplitude_damping(x[2], 0.3, 2).reset(1)
        return (
            circuit.cz(0, 2)
            .ry(x[0], 1)
            .thermal_relaxation(1.0, w[3] + 0.9, 0.3, 0.1, 0)
            .rx(w[2], 0)
            .phase_flip(x[2], 2)
        )

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        random = np.random.default_rng(0)
        angles = random.uniform(-2, 2, (5, 2))
        return np.hstack([angles, random.uniform(0.1, 0.4, (5, 1))]), np.array([0.3, -1.1, 0.8, 0.2])


def observables_of(n_qubits: int) -> list[ql.observables.PauliSum]:
    last = n_qubits - 1
    return [
        ql.Z(0),
        0.5 * ql.X(0) - 0.25 * ql.Y(last) + 0.75,
        ql.observables.pauli("XYZZYX"[:n_qubits], range(min(n_qubits, 6))),
    ]


@pytest.mark.parametrize("seed", range(24))
def test_random_circuits(seed):
    """Values and slopes without cuts; walks that stay and walks that are run again give the same bits."""
    random = np.random.default_rng(seed)
    n, own, noisy = 1 + seed % 6, bool(seed % 2), seed % 3 > 0
    circuit = random_circuit(n, 18, random, noisy)
    batch = make_batch(circuit, *arrays_of(random, 3, own))
    truth = DensityEngine(1).prepare(circuit, observables_of(n))
    evaluator = PropagationEngine(threads=2).prepare_adjoint(circuit, observables_of(n))
    np.testing.assert_allclose(
        evaluator.values(batch), REFERENCE.prepare(circuit, observables_of(n)).values(batch), rtol=0, atol=1e-11
    )
    cotangents = random.normal(size=(3, 3))
    right = truth.backward(batch, cotangents, None, (True, True))
    values, kept = evaluator.forward(batch, keep=True)
    np.testing.assert_array_equal(values, evaluator.values(batch))
    found = evaluator.backward(batch, cotangents, kept, (True, True))
    again = evaluator.backward(batch, cotangents, None, (True, True))
    twice = evaluator.backward(batch, cotangents, kept, (True, True))
    for mine, other, third, expected in zip(found, again, twice, right, strict=True):
        np.testing.assert_allclose(mine, expected, rtol=0, atol=1e-10)
        np.testing.assert_array_equal(mine, other)
        np.testing.assert_array_equal(mine, third)


def test_angles_and_rates_of_zero_have_their_slopes():
    """Words with coefficient 0 stay where nothing is cut: their slopes need not be 0."""
    circuit = Circuit(3)
    x, w = circuit.inputs(1), circuit.weights(7)
    circuit.ry(0.7, 0).rx(0.4, 1).ry(0.9, 2).rz(0.5, 2)
    circuit.ry(x[0], 0).ry(w[0], 1).rx(w[1], 2).cx(0, 1).rzz(w[2], 1, 2).amplitude_damping(w[3], 1).ry(w[4], 2)
    circuit.depolarizing(w[5], 0).cx(1, 2).rx(w[6], 0).ry(w[4], 1)
    batch = make_batch(circuit, np.zeros((2, 1)), np.zeros(7))
    words = [ql.X(0) + ql.Y(1) + ql.Z(2), ql.Y(0) + ql.Z(1) + ql.X(2), ql.Z(0) @ ql.X(1) + ql.Y(2)]
    cotangents = np.random.default_rng(0).normal(size=(2, 3))
    right = DensityEngine().prepare(circuit, words).backward(batch, cotangents, None, (True, True))
    found = PropagationEngine().prepare(circuit, words).backward(batch, cotangents, None, (True, True))
    assert np.count_nonzero(np.abs(right[1]) > 1e-3) >= 4
    for mine, expected in zip(found, right, strict=True):
        np.testing.assert_allclose(mine, expected, rtol=0, atol=1e-12)


CUTS = [
    {"min_coefficient": 0.02}, {"max_weight": 2}, {"max_words": 3}, {"max_frequency": 3},
    {"min_coefficient": 0.01, "max_weight": 3, "max_words": 20, "max_frequency": 8},
]  # fmt: skip


@pytest.mark.parametrize("cuts", CUTS, ids=lambda cuts: ", ".join(cuts))
def test_no_value_is_further_off_than_its_bound(cuts):
    """60 circuits with and without noise: the bound always holds, and cuts do cut."""
    off, bounds = [], []
    for seed in range(60):
        random = np.random.default_rng(seed)
        n = 2 + seed % 4
        circuit = random_circuit(n, 25, random, noisy=bool(seed % 2))
        batch = make_batch(circuit, *arrays_of(random, 3, own=False))
        truth = REFERENCE.prepare(circuit, observables_of(n)).values(batch)
        estimate = PropagationEngine(**cuts).prepare(circuit, observables_of(n)).estimate(batch)
        off.append(np.abs(estimate.values - truth).ravel())
        bounds.append(estimate.bounds.ravel())
        assert (off[-1] <= bounds[-1] + 1e-12).all(), seed
        assert (estimate.typical <= estimate.bounds + 1e-15).all()
    assert np.concatenate(off).max() > 1e-3, "nothing was cut"
    assert (np.concatenate(bounds) == 0).any(), "something was cut everywhere"


def test_bounds_go_through_readout_errors():
    """Of single and of joint ones, with rates that are inputs."""
    n_cut = 0
    for seed in range(20):
        random = np.random.default_rng(seed)
        circuit = random_circuit(4, 25, random, noisy=bool(seed % 2))
        joint = random.dirichlet(np.full(4, 0.5), 4).T
        circuit.readout_error(0.05 * circuit.inputs(1)[0] + 0.06, 0.02, 0).confusion(joint, (1, 2))
        inputs, weights = arrays_of(random, 3, own=False)
        batch = make_batch(circuit, np.hstack([inputs, random.uniform(-1, 1, (3, 1))]), weights)
        truth = DensityEngine().prepare(circuit, observables_of(4)).values(batch)
        cut = PropagationEngine(min_coefficient=0.05).prepare(circuit, observables_of(4)).estimate(batch)
        assert cut.bounds is not None
        assert cut.typical is not None
        assert (np.abs(cut.values - truth) <= cut.bounds + 1e-12).all()
        assert (cut.typical <= cut.bounds + 1e-15).all()
        n_cut += int((np.abs(cut.values - truth) > 1e-6).any())
    assert n_cut > 10


@pytest.mark.parametrize("cuts", CUTS, ids=lambda cuts: ", ".join(cuts))
@pytest.mark.parametrize("noisy", [False, True])
def test_slopes_are_those_of_the_cut_values(cuts, noisy):
    """Against central differences of the cut values, where a small step changes no set of words."""
    n_compared, step = 0, 1e-5
    for seed in range(30):
        random = np.random.default_rng(100 + seed)
        circuit = random_circuit(4, 25, random, noisy)
        arrays = arrays_of(random, 2, own=False)
        evaluator = PropagationEngine(**cuts).prepare_adjoint(circuit, observables_of(4))
        cotangents = random.normal(size=(2, 3))
        found = evaluator.backward(make_batch(circuit, *arrays), cotangents, None, (True, True))
        for which, place in [*((0, (1, k)) for k in range(N_INPUTS)), *((1, (k,)) for k in range(N_WEIGHTS))]:
            ends = []
            for shift in (-step, 0.0, step):
                moved = [array.copy() for array in arrays]
                moved[which][place] += shift
                ends.append(float((evaluator.values(make_batch(circuit, *moved)) * cotangents).sum()))
            if abs(ends[0] - 2 * ends[1] + ends[2]) > 1e-8:  # another set of words: a jump
                continue
            n_compared += 1
            assert found[which][place] == pytest.approx((ends[2] - ends[0]) / (2 * step), abs=1e-7), (seed, place)
    assert n_compared > 120


@pytest.mark.parametrize(("n", "damping", "layers"), [(4, 0.3, 60), (4, 0.1, 200), (5, 0.4, 30)])
def test_slopes_of_deep_noise(n, damping, layers):
    """Words become too small to be found again from what they became: coefficients are kept in between."""
    circuit = Circuit(n)
    w = circuit.weights(layers, n, 2)
    for layer in w:
        for q in range(n):
            circuit.rx(layer[q][0], q).rz(layer[q][1], q)
        for q in range(n - 1):
            circuit.rzz(0.7, q, q + 1)
        for q in range(n):
            circuit.amplitude_damping(damping, q)
    batch = make_batch(circuit, weights=np.random.default_rng(0).uniform(-1, 1, circuit.n_weights))
    cotangents = np.ones((1, 2))
    found, right = (
        engine.prepare(circuit, [ql.Z(0), ql.X(1)]).backward(batch, cotangents, None, (False, True))[1]
        for engine in (PropagationEngine(), DensityEngine())
    )
    np.testing.assert_allclose(found, right, rtol=0, atol=1e-11)


@pytest.mark.parametrize("n_refused", [8, 16, 40])
def test_slopes_where_partners_are_refused_again_and_again(n_refused):
    """Cosines of .07, each divided by on the way back."""
    circuit = Circuit(2)
    w = circuit.weights(3)
    circuit.rx(0.3, 0).rx(w[2], 0)
    for _ in range(n_refused):
        circuit.pauli_rotation(w[1], "YX", (0, 1))
    circuit.rx(w[0], 0)
    evaluator = PropagationEngine(max_weight=1).prepare_adjoint(circuit, [ql.Z(0)])
    at = np.array([0.4, 1.5, 0.6])
    found = evaluator.backward(make_batch(circuit, weights=at), np.ones((1, 1)), None, (False, True))[1]
    ends = [evaluator.values(make_batch(circuit, weights=at + np.array([step, 0, 0])))[0, 0] for step in (1e-5, -1e-5)]
    assert found[0] == pytest.approx((ends[0] - ends[1]) / 2e-5, abs=1e-9)


def test_the_smallest_words_go_and_ties_stay_up_to_the_number():
    circuit = Circuit(100)
    for q in range(99):
        circuit.rzz(0.2, q, q + 1)
    for q in range(100):
        circuit.rx(0.3, q)
    mean = sum((ql.Z(q) * 0.01 for q in range(1, 100)), ql.Z(0) * 0.01)
    found = PropagationEngine(max_words=50).prepare(circuit, [mean]).propagated(make_batch(circuit))
    assert 25 <= found.words[0] <= 63
    assert found.values[0, 0] > 0.2
    assert found.values[0, 0] + found.bounds[0, 0] >= np.cos(0.3)


def test_words_turned_too_often_are_dropped():
    circuit = Circuit(2).rzz(0.2, 0, 1).rx(0.3, 0).rx(0.4, 0).rx(0.5, 0).rx(0.6, 0)
    found = PropagationEngine(max_frequency=1).prepare(circuit, [ql.Z(0)]).propagated(make_batch(circuit))
    assert found.values[0, 0] == 0
    assert found.bounds[0, 0] >= abs(np.cos(1.8))
    wide = Circuit(14)
    w = wide.weights(1)
    for _ in range(4):
        for q in range(14):
            wide.rx(w[0], q)
        for q in range(13):
            wide.rzz(w[0], q, q + 1)
        for q in range(14):
            wide.ry(w[0], q)
    for angle in (1.5, 1.52):  # the second is close to a quarter turn, where words are always brought
        found = PropagationEngine(max_frequency=2).prepare(wide, [ql.Z(7)]).propagated(make_batch(wide, None, [angle]))
        assert found.words[0] < 100


def test_gates_on_qubits_that_are_still_apart_bring_no_words():
    """A product of 200 numbers, exactly and with its slopes, where words would be 3^200."""
    circuit = Circuit(200)
    w = circuit.weights(200)
    for q in range(200):
        circuit.h(q).rz(w[q], q).ry(0.1, q).amplitude_damping(0.002, q).rx(0.2, q)
    everywhere = ql.observables.pauli("Z" * 200, range(200))
    weights = np.random.default_rng(0).uniform(-0.3, 0.3, 200)
    evaluator = PropagationEngine().prepare(circuit, [everywhere, ql.Z(0)])
    found = evaluator.propagated(make_batch(circuit, weights=weights))
    assert found.words.tolist() == [1, 1]
    single = Circuit(1)
    single.h(0).rz(single.weights(1)[0], 0).ry(0.1, 0).amplitude_damping(0.002, 0).rx(0.2, 0)
    alone = DensityEngine().prepare(single, [ql.Z(0)])
    each = np.array([alone.values(make_batch(single, weights=[a]))[0, 0] for a in weights])
    assert found.values[0] == pytest.approx([each.prod(), each[0]], rel=1e-10)
    _, slopes = evaluator.backward(make_batch(circuit, weights=weights), np.array([[1.0, 0]]), None, (False, True))
    right = alone.backward(make_batch(single, weights=weights[:1]), np.ones((1, 1)), None, (False, True))[1]
    assert slopes[0] == pytest.approx(right[0] * each[1:].prod(), rel=1e-10)


def test_words_against_a_symmetry_of_the_state_have_no_value_and_no_bound():
    """A GHZ state of 30 qubits, turned about XX, is symmetric under X on all: Z on one is 0 under any cut."""
    circuit = Circuit(30).h(0)
    for q in range(29):
        circuit.cx(q, q + 1)
    for q in range(29):
        circuit.rxx(0.3, q, q + 1).rzz(0.2, q, q + 1)
    words = [ql.Z(4), ql.Z(4) @ ql.Z(9)]
    found = PropagationEngine(max_weight=3).prepare(circuit, words).propagated(make_batch(circuit))
    assert (found.values[0, 0], found.bounds[0, 0], found.words[0]) == (0, 0, 0)
    assert found.bounds[0, 1] > 0


def test_gates_elsewhere_change_no_cut():
    estimates = []
    for elsewhere in (False, True):
        circuit = Circuit(6)
        if elsewhere:
            circuit.h(5)
        circuit.cx(0, 1)
        found = PropagationEngine(max_weight=1).prepare(circuit, [ql.Z(1)]).propagated(make_batch(circuit))
        estimates.append((found.values[0, 0], found.bounds[0, 0], found.words[0]))
    assert estimates == [(0, 1, 1)] * 2


def test_what_resets_end_is_gone():
    """Also where slopes are wanted and nothing is cut."""
    circuit = Circuit(16)
    w = circuit.weights(16)
    for _ in range(8):  # from which 4^16 words would come
        for q in range(16):
            circuit.rx(w[q], q).rzz(w[q], q, (q + 1) % 16).ry(w[q], q)
    for q in range(16):
        circuit.reset(q).ry(0.3, q)
    for _ in range(4):
        for q in range(15):
            circuit.rzz(0.4, q, q + 1)
        for q in range(16):
            circuit.rx(w[q], q)
    engine = PropagationEngine(max_words=1_000_000)
    evaluator, batch = engine.prepare_adjoint(circuit, [ql.Z(8)]), make_batch(circuit, weights=np.full(16, 0.2))
    _, kept = evaluator.forward(batch, keep=True)
    assert evaluator.propagated(batch).words[0] < 10_000
    assert evaluator.backward(batch, np.ones((1, 1)), kept, (False, True))[1].shape == (16,)


def test_one_walk_has_all_the_room(monkeypatch):
    """Threads that have no walk of their own take none of its memory."""
    monkeypatch.setattr("qloom.engines.propagation.evaluator.available_memory", lambda: 40_000_000)
    circuit = ising_chain(30, 7, 0.2, 0.2)
    total = sum((ql.Z(q) for q in range(1, 30)), ql.Z(0))
    found = [
        PropagationEngine(1e-7, threads=threads).prepare(circuit, [total]).propagated(make_batch(circuit)).words[0]
        for threads in (1, 64)
    ]
    assert found[0] == found[1] > 10_000


@pytest.mark.slow
def test_a_thousand_circuits_are_the_state_vector_engines():
    """2 to 20 qubits: values and slopes without cuts, and bounds with one."""
    exact, cut = PropagationEngine(), PropagationEngine(min_coefficient=0.05)
    n_cut = 0
    for seed in range(1000):
        random = np.random.default_rng(1000 + seed)
        n = 2 + seed % 19
        circuit = random_circuit(n, 40, random, noisy=False)
        batch = make_batch(circuit, *arrays_of(random, 2, own=bool(seed % 2)))
        words, cotangents = observables_of(n), random.normal(size=(2, 3))
        truth, mine = StatevectorEngine().prepare(circuit, words), exact.prepare_adjoint(circuit, words)
        right, kept = truth.forward(batch, True)
        np.testing.assert_allclose(mine.values(batch), right, rtol=0, atol=1e-10, err_msg=f"{seed}")
        slopes = truth.backward(batch, cotangents, kept, (True, True))
        found = mine.backward(batch, cotangents, None, (True, True))
        for one, expected in zip(found, slopes, strict=True):
            np.testing.assert_allclose(one, expected, rtol=0, atol=1e-10, err_msg=f"{seed}")
        estimate = cut.prepare(circuit, words).estimate(batch)
        assert (np.abs(estimate.values - right) <= estimate.bounds + 1e-12).all(), seed
        n_cut += (estimate.bounds > 0).any()
    assert n_cut > 300


def test_threads_and_lanes_change_no_bit():
    """More words than a chunk has, and more samples than a walk."""
    circuit = ising_chain(40, 9, 0.2, 0.2)
    total = sum((ql.Z(q) for q in range(1, 40)), ql.Z(0))
    wide = [PropagationEngine(1e-7, threads=t).prepare(circuit, [total]) for t in (1, 2)]
    found = [one.propagated(make_batch(circuit)) for one in wide]
    assert found[0].words[0] > 1 << 15
    for mine, other in zip(*found, strict=True):
        np.testing.assert_array_equal(mine, other)
    random = np.random.default_rng(0)
    circuit = random_circuit(4, 20, random, noisy=True)
    batch = make_batch(circuit, *arrays_of(random, 70, own=True))
    cotangents = random.normal(size=(70, 3))
    both = [PropagationEngine(0.01, threads=t).prepare_adjoint(circuit, observables_of(4)) for t in (1, 2)]
    slopes = [one.backward(batch, cotangents, None, (True, True)) for one in both]
    np.testing.assert_array_equal(both[0].values(batch), both[1].values(batch))
    for mine, other in zip(*slopes, strict=True):
        np.testing.assert_array_equal(mine, other)


@pytest.mark.parametrize("n", [63, 64, 65, 128, 129, 256, 257, 1024])
def test_registers_of_any_width(n):
    """A chain of Clifford gates and rotations over the last qubits, where the masks' numbers meet."""
    circuit, narrow = Circuit(n), Circuit(4)
    w, v = circuit.weights(4), narrow.weights(4)
    for one, angles, first in ((circuit, w, n - 4), (narrow, v, 0)):
        for k in range(4):
            one.h(first + k).rz(angles[k], first + k)
        for k in range(3):
            one.cx(first + k, first + k + 1).rzz(0.4, first + k, first + k + 1)
        one.rx(0.3, first + 3).depolarizing(0.1, first, first + 3)
    weights = np.array([0.3, -0.8, 1.1, 0.4])
    for word in ("ZIIZ", "XXYX", "YIXI"):
        found = ql.expectation(
            circuit, [ql.observables.pauli(word, range(n - 4, n))], weights=weights, engine=PropagationEngine()
        )
        truth = ql.expectation(narrow, [ql.observables.pauli(word, range(4))], weights=weights, engine=REFERENCE)
        np.testing.assert_allclose(found, truth, rtol=0, atol=1e-13)


def test_long_chains_are_free_fermions():
    """No cut: 50 steps of 50 sites, with a published value of 1,000 sites for the oracle itself."""
    x, zz = free_fermions(1000, 50, 0.5, 0.6)
    assert x[[0, 250, 500]] == pytest.approx([0.6160422884, 0.6184149031, 0.6184149031], abs=1e-10)
    assert zz[[0, 250, 500]] == pytest.approx([0.3732301567, 0.3712249820, 0.3712249820], abs=1e-10)
    circuit = ising_chain(50, 50, 0.5, 0.6, plus=True)
    x, zz = free_fermions(50, 50, 0.5, 0.6)
    observables = [ql.X(0), ql.X(25), ql.Z(0) @ ql.Z(1), ql.Z(25) @ ql.Z(26)]
    estimate = PropagationEngine().prepare(circuit, observables).estimate(make_batch(circuit))
    np.testing.assert_allclose(estimate.values[0], [x[0], x[25], zz[0], zz[25]], rtol=0, atol=1e-9)
    assert not estimate.bounds.any()


@pytest.mark.slow
def test_a_thousand_sites_are_free_fermions():
    circuit = ising_chain(1000, 50, 0.5, 0.6, plus=True)
    x, zz = free_fermions(1000, 50, 0.5, 0.6)
    sites = [0, 1, 250, 500, 998]
    observables = [*(ql.X(j) for j in sites), *(ql.Z(j) @ ql.Z(j + 1) for j in sites)]
    found = ql.expectation(circuit, observables, engine=PropagationEngine())
    np.testing.assert_allclose(found, [*x[sites], *zz[sites]], rtol=0, atol=1e-9)


def test_a_tolerance_is_met():
    circuit = ising_chain(12, 8, 0.3, 0.4)
    batch, truth = make_batch(circuit), ql.expectation(circuit, [ql.Z(5), ql.Z(0) @ ql.Z(1)])
    words = []
    for tolerance in (0.1, 1e-3, 1e-6):
        engine = PropagationEngine(tolerance=tolerance)
        assert not engine.is_exact
        evaluator = engine.prepare(circuit, [ql.Z(5), ql.Z(0) @ ql.Z(1)])
        found = evaluator.propagated(batch)
        assert found.bounds.max() <= tolerance
        assert np.abs(found.values[0] - truth).max() <= tolerance
        words.append(found.words[0])
    assert words == sorted(words)
    assert words[0] < words[-1]


def test_a_bound_above_the_tolerance_is_refused_or_said():
    circuit = ising_chain(12, 8, 0.3, 0.4)
    with pytest.raises(UnsupportedError, match=r"bound of the error is .* above the tolerance 1e-06.*cut less"):
        ql.expectation(circuit, [ql.Z(5)], engine=PropagationEngine(min_coefficient=0.01, tolerance=1e-6))
    with pytest.warns(UserWarning, match="above the tolerance 1e-06"):
        ql.expectation(circuit, [ql.Z(5)], engine=PropagationEngine(min_coefficient=0.01, tolerance=1e-6, warns=True))


def test_noise_makes_cuts_better():
    """The same cut, fewer words and a smaller bound."""
    found = []
    for rate in (0.0, 0.05):
        circuit = Circuit(20)
        for _ in range(6):
            for q in range(19):
                circuit.rzz(0.6, q, q + 1)
            for q in range(20):
                circuit.rx(0.7, q).depolarizing(rate, q)
        found.append(PropagationEngine(1e-3).prepare(circuit, [ql.Z(10)]).propagated(make_batch(circuit)))
    assert found[1].words[0] < found[0].words[0]
    assert found[1].bounds[0, 0] < 0.8 * found[0].bounds[0, 0]


def test_a_layer_trains_on_forty_qubits():
    """Weights of a wide layer move a value where it is wanted."""
    torch = pytest.importorskip("torch")
    circuit = Circuit(40)
    x, w = circuit.inputs(40), circuit.weights(80)
    for q in range(40):
        circuit.ry(x[q], q)
    for layer in range(2):
        for q in range(40):
            circuit.ry(w[40 * layer + q], q)
        for q in range(0, 39, 2):
            circuit.cz(q, q + 1)
    layer = ql.nn.QuantumLayer(circuit, [ql.Z(0), ql.Z(20)], engine=PropagationEngine(1e-8))
    inputs = torch.linspace(-0.5, 0.5, 3 * 40).reshape(3, 40)
    adam, losses = torch.optim.Adam(layer.parameters(), 0.1), []
    for _ in range(30):
        loss = (layer(inputs) + 0.5).square().mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses.append(loss.item())
    assert losses[-1] < 0.1 < losses[0]


def test_what_is_refused():
    wide = Circuit(1025)
    with pytest.raises(UnsupportedError, match="1025 qubits, PropagationEngine takes 1024"):
        PropagationEngine().prepare(wide, [ql.Z(0)])
    with pytest.raises(UnsupportedError, match=r"starts from amplitudes, PropagationEngine from \|0\.\.0> only"):
        PropagationEngine().prepare(ql.encoders.amplitude(4), [ql.Z(0)])
    with pytest.raises(UnsupportedError, match="gives no probabilities, expected expectations"):
        PropagationEngine().prepare(Circuit(2), "probabilities")
    odd = Circuit(1).kraus([np.sqrt(0.5) * np.eye(2), np.sqrt(0.5) * np.array([[1, 1], [1, -1]]) / np.sqrt(2)], 0)
    with pytest.raises(UnsupportedError, match=r"channels that multiply Pauli words or damp to \|0>, got kraus"):
        PropagationEngine().prepare(odd, [ql.Z(0)])
    rated = Circuit(1)
    rated.depolarizing(rated.inputs(1)[0], 0)
    with pytest.raises(ShapeError, match=r"depolarizing on qubit 0: p is 1\.2, expected 0 to 1"):
        PropagationEngine().prepare(rated, [ql.Z(0)]).values(make_batch(rated, [[0.1], [1.2]]))
    for given in (
        {"min_coefficient": True},
        {"tolerance": True},
        {"warns": "no"},
        {"min_coefficient": -1},
        {"max_weight": 0},
        {"max_words": 1.5},
        {"max_frequency": 0},
        {"tolerance": 0},
    ):
        with pytest.raises(CircuitError, match=f"{next(iter(given))}="):
            PropagationEngine(**given)


def test_a_support_that_explodes_is_refused(monkeypatch):
    """Long before memory is full: how far it came, the bound, and which cut would help."""
    monkeypatch.setattr("qloom.engines.propagation.evaluator.available_memory", lambda: 1 << 24)
    circuit = ising_chain(30, 12, 0.9, 0.8)
    for q in range(30):
        circuit.rz(0.7, q)
    circuit = circuit + circuit
    with pytest.raises(
        MemoryLimitError, match=r"Pauli words are more than memory .* of .* steps back .*min_coefficient"
    ):
        ql.expectation(circuit, [ql.Z(15)], engine=PropagationEngine(1e-9))


def test_slopes_of_the_chain_rule_reach_noise_of_engines():
    """Noise that an engine adds, rates as weights of the circuit: slopes as the density engine has them."""
    model = ql.noise.NoiseModel.uniform(one_qubit=0.01, two_qubit=0.05)
    circuit = ql.encoders.angle(3) + ql.ansatze.strongly_entangling(3, 1)
    random = np.random.default_rng(0)
    x, w = random.normal(size=(2, 3)), random.normal(size=circuit.n_weights)
    found = [
        prepare_gradient(circuit, [ql.Z(0)], ql.engines.Noisy(engine, model)).backward(
            make_batch(circuit, x, w), np.ones((2, 1)), None, (True, True)
        )
        for engine in (PropagationEngine(), DensityEngine())
    ]
    for mine, truth in zip(*found, strict=True):
        np.testing.assert_allclose(mine, truth, rtol=0, atol=1e-10)


@pytest.mark.alone
def test_qubits_that_no_word_meets_cost_nothing():
    """Six observables of a circuit, alone and beside 990 qubits that are turned by inputs and weights too.

    It takes 7 ms, most of it slopes of inputs, beside .4; it took 110 when each walk went through all qubits.
    """

    def seconds(n: int) -> float:
        circuit = ql.encoders.angle(n) + ql.ansatze.strongly_entangling(n, 1)
        random = np.random.default_rng(0)
        evaluator = PropagationEngine(0.01, 4).prepare_adjoint(circuit, [ql.Z(q) for q in range(2, 8)])
        batch = make_batch(circuit, random.normal(size=(64, n)), random.normal(size=circuit.n_weights))
        times = []
        for _ in range(15):
            start = time.perf_counter()
            _, kept = evaluator.forward(batch, True)
            evaluator.backward(batch, np.ones((64, 6)), kept, (True, True))
            times.append(time.perf_counter() - start)
        return sorted(times)[len(times) // 2]

    assert seconds(1000) < 60 * seconds(10)
