"""The engine for GPUs on the host: values and derivatives are the reference's, whichever way states are worked on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import qloom as ql
from qloom.engines import Batch, Engine, Expectations, Outputs, Probabilities, StatevectorEngine
from qloom.engines.gpu import launches, many, packing
from qloom.testing import EngineContract, check_engine
from tests.circuits.strategies import circuits, random_values
from tests.engines.gpu.host_engine import HostEngine
from tests.engines.gpu.kernel_script import (
    KINDS,
    STARTS,
    TOLERANCE,
    arrays_of,
    check_near,
    check_results,
    circuit_of,
    cotangents_of,
    cut_small,
    exact,
    outputs_of,
    results,
    sum_of_many,
)
from tests.engines.gpu.packed import Packed, constants
from tests.engines.gpu.test_pack import outputs_of as random_outputs
from tests.engines.test_growth import EDGES
from tests.engines.test_growth import layers as long_layers
from tests.engines.test_merged_numbers import dressed, large_values, words

ENGINE, SWEPT = HostEngine(), HostEngine(most_whole=6)
DTYPES = {"f4": torch.float32, "f8": torch.float64}
seeds = st.integers(0, 2**32 - 1)


@pytest.fixture
def small_blocks(monkeypatch):
    """Several blocks walk over one state, small as it is."""
    cut_small(monkeypatch.setattr)


@pytest.fixture
def wide_registers(monkeypatch):
    """A thread holds 16 amplitudes."""
    monkeypatch.setattr(packing, "REGISTER_BITS", 4)
    monkeypatch.setattr(many, "REGISTER_BITS", 4)


def is_whole(engine: Engine, circuit: ql.Circuit, outputs: Outputs, dtype: str, back: bool) -> bool:
    return engine.prepare(circuit, outputs).packed(DTYPES[dtype], back).is_whole


class TestWhole(EngineContract):
    def make_engine(self) -> Engine:
        return ENGINE


@pytest.mark.usefixtures("small_blocks")
class TestSwept(EngineContract):
    """Seven qubits, of which six at most are in one block."""

    def make_engine(self) -> Engine:
        return SWEPT

    def circuit(self) -> ql.Circuit:
        return circuit_of(7, n_layers=1)

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        batch = arrays_of(self.circuit(), 3)
        return batch.inputs, batch.weights

    def outputs(self, engine: Engine) -> list[Outputs]:
        return [Expectations((ql.Z(0), ql.X(6) @ ql.Y(1) - 0.5 * ql.Z(3) + 0.25)), outputs_of("probabilities", 7)]

    def test_its_states_are_swept(self):
        assert not any(is_whole(SWEPT, self.circuit(), outputs, "f8", False) for outputs in self.outputs(SWEPT))


# -- random circuits


def random_arrays(circuit: ql.Circuit, n_samples: int, dtype: str, own: bool, seed: int) -> Batch:
    inputs, weights = random_values(circuit, n_samples, seed)
    if own:
        weights = weights + np.random.default_rng(seed).normal(size=(n_samples, circuit.n_weights))
    return Batch(inputs.astype(dtype), weights.astype(dtype), False)


@settings(max_examples=15)
@given(circuits(max_qubits=5, amplitudes=True), st.integers(1, 20), st.sampled_from(["f4", "f8"]), st.booleans(), seeds)
def test_random_circuits_are_the_references(circuit, n_samples, dtype, own, seed):
    batch = random_arrays(circuit, n_samples, dtype, own, seed)
    check_engine(ENGINE, circuit, random_outputs("expectations", circuit.n_qubits, seed).observables, *arrays(batch))


def arrays(batch: Batch) -> tuple[np.ndarray, np.ndarray]:
    return batch.inputs, batch.weights


@settings(max_examples=50)
@given(circuits(max_qubits=5, amplitudes=True), st.sampled_from(KINDS), st.integers(1, 20),
       st.sampled_from(["f4", "f8"]), st.booleans(), seeds)  # fmt: skip
def test_random_circuits_have_their_derivatives(circuit, kind, n_samples, dtype, own, seed):
    batch = random_arrays(circuit, n_samples, dtype, own, seed)
    check_results(ENGINE, circuit, random_outputs(kind, circuit.n_qubits, seed), batch)


@settings(max_examples=8)
@given(circuits(max_qubits=5), st.sampled_from(KINDS), st.sampled_from(STARTS), st.sampled_from(["f4", "f8"]), seeds)
def test_random_circuits_in_swept_states(circuit, kind, start, dtype, seed):
    """On some qubits of seven that are entangled."""
    places = np.random.default_rng(seed).permutation(7)[: circuit.n_qubits].tolist()
    whole = circuit_of(7, start, n_layers=1).compose(circuit, places) + circuit_of(7, n_layers=1)
    with pytest.MonkeyPatch.context() as patched:
        cut_small(patched.setattr)
        check_results(SWEPT, whole, random_outputs(kind, 7, seed), arrays_of(whole, 2, dtype))


# -- every size, and where one way of working ends


SIZES = [*((n, dtype) for n in range(1, 11) for dtype in DTYPES), (11, "f8"), (12, "f4"), (13, "f8"), (14, "f4")]


@pytest.mark.parametrize(("n_qubits", "dtype"), SIZES)
def test_every_size_that_a_block_has_room_for(n_qubits, dtype):
    circuit, kind = circuit_of(n_qubits, n_layers=1 + (n_qubits < 10)), KINDS[n_qubits % 4]
    check_results(ENGINE, circuit, outputs_of(kind, n_qubits), arrays_of(circuit, 1 + (n_qubits < 9), dtype))


@pytest.mark.parametrize(("most_shared", "dtype", "real", "most_back"), [
    (49152, "f4", True, 11), (49152, "f8", True, 10), (101376, "f8", False, 11),
    pytest.param(232448, "f4", False, 13, marks=pytest.mark.slow),
])  # fmt: skip
def test_states_that_fit_forward_alone(most_shared, dtype, real, most_back):
    """One qubit more than there is room for both ways; walks back are those of states that are swept."""
    engine, n = HostEngine(most_shared=most_shared), most_back + 1
    smaller, outputs = circuit_of(most_back, real=real), outputs_of("expectations", most_back, real)
    assert is_whole(engine, smaller, outputs, dtype, back=True)
    circuit, outputs = circuit_of(n, real=real, n_layers=1), outputs_of("expectations", n, real)
    assert is_whole(engine, circuit, outputs, dtype, back=False)
    assert not is_whole(engine, circuit, outputs, dtype, back=True)
    batch = arrays_of(circuit, 1, dtype)
    cotangents = cotangents_of(batch, outputs.size)
    evaluator, right = engine.prepare(circuit, outputs), results(StatevectorEngine(1), circuit, outputs, exact(batch))
    slopes = evaluator.backward(batch, cotangents, None, (True, True))
    check_near([evaluator.values(batch), *slopes], right, dtype)


@pytest.mark.parametrize("real", [False, True])
@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("engine", "n_qubits"), [(ENGINE, 4), (SWEPT, 7)])
@pytest.mark.usefixtures("small_blocks")
def test_every_output_from_every_start(engine, n_qubits, kind, start, real):
    """Of large states half of the cases in each precision."""
    for k, dtype in enumerate(DTYPES):
        if engine is ENGINE or (STARTS.index(start) + real + k) % 2:
            check_case(engine, n_qubits, kind, start, real, dtype)


def check_case(engine: Engine, n_qubits: int, kind: str, start: str, real: bool, dtype: str) -> None:
    circuit, outputs = circuit_of(n_qubits, start, real), outputs_of(kind, n_qubits, real)
    packed = engine.prepare(circuit, outputs).packed(DTYPES[dtype], True)
    assert packed.variant.components == (1 if real else 2)
    assert packed.is_whole == (engine is ENGINE)
    check_results(engine, circuit, outputs, arrays_of(circuit, 2, dtype))


# -- outputs


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("engine", "n_qubits"), [(ENGINE, 5), (SWEPT, 7)])
@pytest.mark.usefixtures("small_blocks")
def test_words_of_every_kind(engine, n_qubits, dtype):
    """Also those that no basis state is left by, those that all qubits are in, and many at once."""
    everywhere = [ql.pauli(letter * n_qubits, range(n_qubits)) for letter in "XYZ"]
    observables = [*everywhere, sum_of_many(n_qubits), 0 * ql.Z(0) + 0.5, ql.Y(0) @ ql.Z(1), ql.Y(0) @ ql.Y(1)]
    circuit = circuit_of(n_qubits)
    check_engine(engine, circuit, observables, *arrays(arrays_of(circuit, 3, dtype)))
    check_results(engine, circuit, Expectations(tuple(observables)), arrays_of(circuit, 3, dtype))


def test_more_words_than_are_measured_in_one_walk():
    packed = ENGINE.prepare(ql.Circuit(7), Expectations((sum_of_many(7),))).packed(torch.float64, False)
    groups = Packed(packed.table.numpy()).groups
    assert groups["count"].max() == constants()["MOST_IN_GROUP"]
    assert len(np.unique(groups["x"])) < len(groups)


@pytest.mark.parametrize("qubits", [(3,), (6, 0, 2), tuple(range(7)), (5, 4, 6, 1, 0, 3, 2)])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.usefixtures("small_blocks")
def test_probabilities_of_some_qubits(qubits, dtype):
    """Of few, sums over many amplitudes; of all, each amplitude's own."""
    circuit = circuit_of(7)
    for engine in (ENGINE, SWEPT):
        check_results(engine, circuit, Probabilities(qubits), arrays_of(circuit, 2, dtype))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("gates", [False, True])
@pytest.mark.usefixtures("small_blocks")
def test_circuits_that_have_no_rotation(kind, gates):
    circuit = ql.Circuit(8)
    x, w = circuit.inputs(1), circuit.weights(2)
    if gates:
        circuit.h(0).cx(0, 7).s(7).x(3)
    assert len(x) + len(w) == 3
    for engine in (ENGINE, SWEPT):
        check_results(engine, circuit, outputs_of(kind, 8), arrays_of(circuit, 2))


def test_wide_registers_of_few_gates():
    """Thirty qubits of which few amplitudes are reached."""
    circuit = ql.Circuit(30)
    (x,), (w,) = circuit.inputs(1), circuit.weights(1)
    circuit.ry(x, 0)
    for q in range(29):
        circuit.cx(q, q + 1)
    circuit.rx(w, 29)
    check_results(ENGINE, circuit, Expectations((ql.Z(0) @ ql.Z(29), ql.Z(7))), arrays_of(circuit, 3))


# -- starts


@pytest.mark.parametrize("real", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("engine", "n_qubits"), [(ENGINE, 3), (SWEPT, 7)])
@pytest.mark.usefixtures("small_blocks")
def test_states_are_linear_in_amplitudes_of_any_norm(engine, n_qubits, dtype, real):
    circuit, outputs = circuit_of(n_qubits, "inputs", real), outputs_of("linear", n_qubits)
    for norm in (3.5, 1e-3):
        check_results(engine, circuit, outputs, arrays_of(circuit, 3, dtype, norm=norm))
    nothing = arrays_of(circuit, 2, dtype, norm=0)
    assert not results(engine, circuit, outputs, nothing)[0].any()
    check_results(engine, circuit, outputs, nothing)


@pytest.mark.parametrize("kind", KINDS[:3])
@pytest.mark.parametrize(("engine", "n_qubits"), [(ENGINE, 3), (SWEPT, 7)])
@pytest.mark.usefixtures("small_blocks")
def test_samples_of_another_norm_give_nothing(engine, n_qubits, kind):
    """A device tells nobody: their values and slopes are NaN, and no other sample's."""
    circuit, outputs = circuit_of(n_qubits, "inputs"), outputs_of(kind, n_qubits)
    batch = arrays_of(circuit, 4, own=True)
    right = results(engine, circuit, outputs, batch)
    batch.inputs[1] *= 1.001
    batch.inputs[2, 0] = np.nan
    for mine, truth in zip(results(engine, circuit, outputs, batch), right, strict=True):
        assert np.isnan(mine[[1, 2]][truth[[1, 2]] != 0]).all()
        np.testing.assert_array_equal(mine[[0, 3]], truth[[0, 3]])


# -- angles


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [1.0, 1e6, 1e12])
def test_large_angles_and_numbers_beside_them(size, dtype):
    circuit = dressed(3)
    inputs, weights = large_values(3, 5, size, dtype)
    check_engine(ENGINE, circuit, words(3), inputs, weights)
    check_results(ENGINE, circuit, Expectations(words(3)), Batch(inputs, weights, False))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("engine", "n_qubits", "depth"), [(ENGINE, 3, 4), (ENGINE, 9, 3), (SWEPT, 7, 3)])
@pytest.mark.usefixtures("small_blocks")
def test_angles_where_tangents_have_no_bound(engine, n_qubits, depth, dtype):
    circuit, rng = long_layers(n_qubits, depth), np.random.default_rng(n_qubits)
    inputs, weights = rng.choice(EDGES, (3, n_qubits)), rng.choice(EDGES, circuit.n_weights)
    batch = Batch(inputs.astype(dtype), weights.astype(dtype), False)
    check_results(engine, circuit, outputs_of("state", n_qubits), batch, 2 * TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("engine", "n_qubits", "depth"), [(ENGINE, 3, 30), (ENGINE, 4, 30), (SWEPT, 7, 9)])
@pytest.mark.parametrize("angle", [np.pi, 3.1, 2.89])
@pytest.mark.usefixtures("small_blocks")
def test_every_angle_near_a_half_turn(engine, n_qubits, depth, angle, dtype):
    """The state would outgrow any number."""
    circuit = long_layers(n_qubits, depth)
    batch = Batch(np.full((2, n_qubits), angle, dtype), np.full(circuit.n_weights, angle, dtype), False)
    check_results(engine, circuit, outputs_of("state", n_qubits), batch, 2 * TOLERANCE[dtype])


@pytest.mark.parametrize(("engine", "n_qubits", "dtype"), [(ENGINE, 5, "f4"), (ENGINE, 5, "f8"), (SWEPT, 7, "f4")])
@pytest.mark.usefixtures("small_blocks")
def test_rounding_of_long_circuits(engine, n_qubits, dtype):
    """2,000 rotations and more: roundings of the norm do not add up."""
    circuit = long_layers(n_qubits, 2000 // (2 * n_qubits) + 1)
    batch = arrays_of(circuit, 1, dtype)
    check_results(engine, circuit, Probabilities((0, 2, 1)), batch, 4 * TOLERANCE[dtype])


# -- what walks back are given and asked for


def walk_back(evaluator: Any, batch: Batch, kept: Any = None, wants: tuple[bool, bool] = (True, True)) -> Any:
    return evaluator.backward(batch, cotangents_of(batch, evaluator.n_outputs), kept, wants)


BOTH = pytest.mark.parametrize(("engine", "n_qubits"), [(ENGINE, 2), (ENGINE, 8), (SWEPT, 7)])


@BOTH
@pytest.mark.parametrize(("start", "own"), [("zero", True), ("fixed", False), ("inputs", True), ("inputs", False)])
@pytest.mark.usefixtures("small_blocks")
def test_slopes_are_the_same_bits_whatever_is_kept_and_wanted(engine, n_qubits, start, own):
    circuit = circuit_of(n_qubits, start)
    evaluator, batch = engine.prepare(circuit, "probabilities"), arrays_of(circuit, 2, "f4", own)
    values, kept = evaluator.forward(batch, keep=True)
    assert kept is not None
    d_inputs, d_weights = walk_back(evaluator, batch, kept)
    for again in (walk_back(evaluator, batch), walk_back(evaluator, batch, evaluator.forward(batch, True)[1])):
        assert_same(again, (d_inputs, d_weights))
    assert_same(walk_back(evaluator, batch, wants=(True, False)), (d_inputs, None))
    assert_same(walk_back(evaluator, batch, wants=(False, True)), (None, d_weights))
    assert walk_back(evaluator, batch, wants=(False, False)) == (None, None)
    np.testing.assert_array_equal(evaluator.values(batch), values)


def assert_same(found: Any, expected: Any) -> None:
    for mine, theirs in zip(found, expected, strict=True):
        assert (mine is None) == (theirs is None)
        np.testing.assert_array_equal(mine, theirs)


@BOTH
@pytest.mark.parametrize("own", [False, True])
@pytest.mark.usefixtures("small_blocks")
def test_frozen_weights_have_no_slopes(engine, n_qubits, own):
    circuit = circuit_of(n_qubits)
    evaluator, batch = engine.prepare(circuit, outputs_of("expectations", n_qubits)), arrays_of(circuit, 3, own=own)
    d_inputs, d_weights = walk_back(evaluator, batch)
    every = np.arange(circuit.n_weights)
    for trained in (every % 3 == 1, every < 0):
        evaluator.trained = trained
        assert_same(walk_back(evaluator, batch), (d_inputs, np.where(trained, d_weights, 0)))
    evaluator.trained = None
    assert_same(walk_back(evaluator, batch), (d_inputs, d_weights))


@BOTH
@pytest.mark.parametrize("own", [False, True])
def test_no_samples_have_no_slopes(engine, n_qubits, own):
    circuit = circuit_of(n_qubits)
    evaluator, batch = engine.prepare(circuit), arrays_of(circuit, 0, own=own)
    values, kept = evaluator.forward(batch, keep=True)
    d_inputs, d_weights = walk_back(evaluator, batch, kept)
    assert values.shape == (0, n_qubits)
    assert d_inputs.shape == batch.inputs.shape
    assert d_weights.shape == batch.weights.shape
    assert not d_weights.any()


def test_circuits_without_inputs_or_weights():
    for circuit in (ql.Circuit(2).ry(0.3, 0).cx(0, 1), ql.encoders.angle(2), ql.ansatze.basic_entangler(2, 1)):
        check_results(ENGINE, circuit, outputs_of("expectations", 2), arrays_of(circuit, 2))


# -- diagonal rotations, which are done together where samples share their angles


def diagonal_circuit(n_qubits: int, n_layers: int = 2) -> ql.Circuit:
    """Of every qubit and every pair, by weights and by numbers, between turns by inputs."""
    circuit = ql.Circuit(n_qubits)
    x, w = circuit.inputs(n_qubits), circuit.weights(n_layers, n_qubits)
    for layer in range(n_layers):
        for q in range(n_qubits):
            circuit.ry(x[q], q).rz(w[layer, q], q).rz(1e6 * w[layer, q] + 0.3, q)
            for other in range(q):
                circuit.rzz(-0.5 * w[layer, q] if other % 2 else 0.4 + q, q, other)
    return circuit


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n_qubits", [2, 3, 6, 11])
def test_diagonal_rotations_are_done_together(n_qubits, dtype):
    circuit, outputs = diagonal_circuit(n_qubits), outputs_of("state", n_qubits)
    assert ENGINE.prepare(circuit, outputs).packed(DTYPES[dtype], True).n_tables >= (4 if n_qubits == 11 else 1)
    for own in (False, True):
        check_results(ENGINE, circuit, outputs, arrays_of(circuit, 2, dtype, own))


def test_slopes_of_diagonal_rotations_by_what_is_wanted():
    circuit, outputs = diagonal_circuit(4), outputs_of("expectations", 4)
    evaluator, batch = ENGINE.prepare(circuit, outputs), arrays_of(circuit, 40, "f4")
    d_inputs, d_weights = walk_back(evaluator, batch, evaluator.forward(batch, True)[1])
    assert_same(walk_back(evaluator, batch), (d_inputs, d_weights))
    assert_same(walk_back(evaluator, batch, wants=(True, False)), (d_inputs, None))
    evaluator.trained = np.arange(8) % 2 == 0
    assert_same(walk_back(evaluator, batch), (d_inputs, np.where(evaluator.trained, d_weights, 0)))


# -- bits do not depend on how the work is cut


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n_qubits", [1, 2, 4, 6, 7, 9])
def test_samples_do_not_depend_on_those_beside_them(n_qubits, dtype):
    """Several share a warp up to seven qubits, the last warp is not full."""
    circuit = circuit_of(n_qubits)
    outputs = outputs_of("expectations", n_qubits)
    batch = arrays_of(circuit, 37 if n_qubits < 5 else 7, dtype, own=True)
    together = results(ENGINE, circuit, outputs, batch)
    evaluator = ENGINE.prepare(circuit, outputs)
    cotangents = cotangents_of(batch, outputs.size)
    for row in (0, 1, batch.size - 1):
        alone, of_row = batch.rows(np.array([row])), slice(row, row + 1)
        slopes = evaluator.backward(alone, cotangents[of_row], None, (True, True))
        assert_same([evaluator.values(alone), *slopes], [array[of_row] for array in together])


@pytest.mark.parametrize(("n_qubits", "n_samples", "rows"), [(2, 150, 32), (6, 23, 4), (9, 3, 2), (2, 3, 1)])
def test_more_samples_than_rows_of_slopes(monkeypatch, n_qubits, n_samples, rows):
    circuit = circuit_of(n_qubits)
    outputs, batch = outputs_of("expectations", n_qubits), arrays_of(circuit, n_samples)
    monkeypatch.setattr(launches, "MOST_ROWS", rows)
    check_results(ENGINE, circuit, outputs, batch)
    own = arrays_of(circuit, n_samples, own=True)
    right = results(ENGINE, circuit, outputs, own)
    monkeypatch.undo()
    assert_same(results(ENGINE, circuit, outputs, own), right)


@pytest.mark.parametrize(("kind", "start", "own"), [
    ("expectations", "inputs", False), ("probabilities", "zero", True), ("state", "fixed", False),
    ("linear", "inputs", True),
])  # fmt: skip
@pytest.mark.usefixtures("small_blocks")
def test_large_states_are_worked_on_some_at_a_time(monkeypatch, kind, start, own):
    circuit, outputs = circuit_of(7, start, n_layers=1), outputs_of(kind, 7)
    batch = arrays_of(circuit, 3, own=own)
    together = results(SWEPT, circuit, outputs, batch)
    assert_same(results(SWEPT, circuit, outputs, batch), together)
    for numbers in (2 * 2 * 2**7, 1):  # two states, or one
        monkeypatch.setattr(launches, "MOST_LOCAL_NUMBERS", numbers)
        assert SWEPT.prepare(circuit, outputs).forward(batch, keep=True)[1] is None
        assert_same(results(SWEPT, circuit, outputs, batch), together)


@pytest.mark.usefixtures("small_blocks")
def test_many_words_of_large_states_are_summed_in_fewer_parts(monkeypatch):
    circuit, outputs = circuit_of(9, n_layers=1), outputs_of("expectations", 9)
    monkeypatch.setattr(launches, "MOST_PARTIAL_TERMS", 60)
    check_results(HostEngine(most_whole=8), circuit, outputs, arrays_of(circuit, 1))


def test_large_states_in_blocks_as_they_are():
    """With as many threads as on a device."""
    circuit = circuit_of(9, n_layers=1)
    for kind in KINDS[1:3]:
        check_results(HostEngine(most_whole=8), circuit, outputs_of(kind, 9), arrays_of(circuit, 1, "f4"))


# -- threads that hold more


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("most_whole", "n_qubits"), [(None, 1), (None, 3), (None, 6), (None, 10), (8, 9)])
@pytest.mark.usefixtures("small_blocks", "wide_registers")
def test_sixteen_amplitudes_a_thread(most_whole, n_qubits, dtype):
    engine = HostEngine(most_whole)
    for kind, start in zip(KINDS, (*STARTS, "zero"), strict=True):
        circuit = circuit_of(n_qubits, start)
        batch, outputs = arrays_of(circuit, 2, dtype), outputs_of(kind, n_qubits)
        assert engine.prepare(circuit, outputs).packed(DTYPES[dtype], True).variant.register_bits == 4
        check_results(engine, circuit, outputs, batch)
