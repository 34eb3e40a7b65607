"""Packed programs, run in numpy as the format's comments say: values and slopes are those of the native engine."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qloom as ql
from qloom import _native
from qloom.engines import Expectations, FinalState, Probabilities
from qloom.engines.outputs import Outputs
from qloom.engines.statevector.native_program import prepared
from tests.circuits.strategies import circuits, random_state, random_values
from tests.engines.gpu.packed import OUTCOMES, Packed, bits_of, constants, parity, span

LETTERS = "IXYZ"
KINDS = ["expectations", "probabilities", "state", "linear"]


def outputs_of(kind: str, n_qubits: int, seed: int) -> Outputs:
    rng = np.random.default_rng(seed)
    if kind == "probabilities":
        return Probabilities(tuple(rng.permutation(n_qubits)[: rng.integers(1, n_qubits + 1)].tolist()))
    if kind != "expectations":
        return FinalState(n_qubits, linear=kind == "linear")
    word = lambda: ql.pauli("".join(rng.choice(list(LETTERS), n_qubits)), range(n_qubits))  # noqa: E731
    return Expectations(tuple(float(rng.normal()) * word() + 0.7 * word() + 0.5 for _ in range(6)))


def layers(n_qubits: int, start: str = "zero", real: bool = False) -> ql.Circuit:
    """Slots several times, with scales and signs, in rotations about many words."""
    circuit = ql.Circuit(n_qubits)
    if start == "fixed":
        state = random_state(2**n_qubits, 3)
        circuit.prepare_amplitudes(state.real / np.linalg.norm(state.real) if real else state)
    elif start == "inputs":
        parts = [circuit.inputs(2**n_qubits) for _ in range(1 if real else 2)]
        circuit.prepare_amplitudes(*parts)
    x, w = circuit.inputs(n_qubits), circuit.weights(2 * n_qubits)
    for q in range(n_qubits):
        circuit.h(q).ry(-1.5 * x[q], q).ry(w[q] + 0.3, q)
    for layer in range(3):
        for q in range(n_qubits):
            circuit.cx(q, (q + 1 + layer) % n_qubits)
        for q in range(n_qubits):
            circuit.ry(w[n_qubits + q], q)
            if not real:
                circuit.rz(0.5 * w[q], q).rx(x[q], q)
    return circuit


def native_run(native, inputs, weights, cotangents) -> tuple[np.ndarray, ...]:
    values, d_inputs, d_weights = np.empty_like(cotangents), np.zeros_like(inputs), np.zeros_like(weights)
    _native.forward(native, inputs, weights, values, None, 1)
    _native.backward(native, inputs, weights, cotangents, None, d_inputs, d_weights, None, 1)
    return values, d_inputs, d_weights


def check_runs(circuit: ql.Circuit, outputs: Outputs, shape: tuple[int, int, int], seed: int) -> Packed:
    _, native = prepared(circuit, outputs)
    packed = Packed(_native.pack_program(native, *shape).table)
    inputs, weights = random_values(circuit, 2, seed)
    cotangents = np.random.default_rng(seed).normal(size=(2, outputs.size))
    expected = native_run(native, inputs, weights, cotangents)
    d_weights = np.zeros_like(weights)
    for row in range(2):
        psi = packed.final_state(inputs[row], weights)
        np.testing.assert_allclose(packed.values(psi), expected[0][row], rtol=0, atol=1e-10)
        d_x, d_w = packed.slopes(psi, cotangents[row], inputs[row], weights)
        np.testing.assert_allclose(d_x, expected[1][row], rtol=0, atol=1e-9)
        d_weights += d_w
    np.testing.assert_allclose(d_weights, expected[2], rtol=0, atol=1e-9)
    return packed


@settings(max_examples=150)
@given(circuits(max_qubits=5, amplitudes=True), st.sampled_from(KINDS), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_whole_states_run_as_the_native_engine(circuit, kind, register_bits, seed):
    check_runs(circuit, outputs_of(kind, circuit.n_qubits, seed), (register_bits, 6, 11), seed)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("start", ["zero", "fixed", "inputs"])
@pytest.mark.parametrize("real", [True, False])
def test_tiles_run_as_the_native_engine(kind, start, real):
    packed = check_runs(layers(8, start, real), outputs_of(kind, 8, 1), (3, 6, 6), 5)
    assert packed.head["bits"] == 8
    assert len(packed.tiles) > 1


PLANNED = [(layers(8), (3, 6, 6)), (layers(8), (4, 8, 8)), (layers(10), (2, 7, 8)), (layers(10, real=True), (4, 6, 9))]


@pytest.fixture(scope="module", params=range(len(PLANNED)))
def planned(request) -> Packed:
    circuit, shape = PLANNED[request.param]
    _, native = prepared(circuit, outputs_of("expectations", circuit.n_qubits, 2))
    return Packed(_native.pack_program(native, *shape).table)


def test_every_rotation_is_done_once(planned):
    assert sorted(planned.rotations["number"].tolist()) == list(range(len(planned.rotations)))
    assert [r for r, _ in planned.walk()] == list(range(len(planned.rotations)))


def test_rotations_keep_their_order_unless_they_commute(planned):
    x, z, number = (np.empty(len(planned.rotations), np.uint64) for _ in range(3))
    for r, (index, *_) in planned.walk():
        rotation = planned.rotations[r]
        x[r], z[r], number[r] = index[0, 0, 0] ^ index[0, 0, rotation["m"]], rotation["z_base"], rotation["number"]
    apart = parity(x[:, None] & z) != parity(z[:, None] & x)
    rows, columns = np.nonzero(apart)
    assert len(rows)
    assert np.array_equal(rows < columns, number[rows] < number[columns])


def test_tiles_and_sweeps_bring_every_amplitude_once(planned):
    for _, (index, *_) in planned.walk():
        assert np.array_equal(np.sort(index, axis=None), planned.indices)


def check_columns(columns: list[int], pivots: int) -> None:
    """In order, each with its own pivot as its highest bit, and no other pivot."""
    assert [column.bit_length() - 1 for column in columns] == bits_of(pivots)
    assert all(column & pivots == 1 << bit for column, bit in zip(columns, bits_of(pivots), strict=True))


def test_columns_have_a_pivot_each(planned):
    for tile in planned.tiles:
        columns = tile["columns"][: int(tile["dims"])].tolist()
        check_columns(columns, int(tile["pivots"]))
        assert columns[:5] == [1, 2, 4, 8, 16]  # neighbours lie together
        assert not tile["columns"][int(tile["dims"]) :].any()
    for sweep in planned.sweeps:
        check_columns(sweep["columns"][: int(sweep["pivots"]).bit_count()].tolist(), int(sweep["pivots"]))


def test_parts_follow_one_another(planned):
    for parts in (planned.tiles, planned.stages, planned.sweeps):
        assert (parts["count"] > 0).all()
        ends = [0, *np.cumsum(parts["count"]).tolist()]
        assert parts["first"].tolist() == ends[:-1]
        assert ends[-1] == len(planned.rotations)
    for parts, of in ((planned.tiles, "stage"), (planned.stages, "sweep"), (planned.stages, "slot")):
        firsts = [*parts[f"first_{of}"].tolist(), len(getattr(planned, f"{of}s"))]
        assert parts[f"n_{of}s"].tolist() == [b - a for a, b in pairwise(firsts)]
    assert (planned.stages["count"] <= constants()["MOST_IN_STAGE"]).all()


def test_turns_of_a_few_qubits_are_one_sweep():
    circuit = ql.Circuit(8)
    x, w = circuit.inputs(8), circuit.weights(16).reshape(2, 8)
    for q in range(8):
        circuit.ry(w[0, q], q).rz(x[q], q).ry(w[1, q], q)
    native = prepared(circuit, FinalState(8))[1]
    assert Packed(_native.pack_program(native, 4, 8, 8).table).sweeps["count"].tolist() == [12, 12]
    tiles = _native.pack_program(native, 2, 6, 6).tiles  # five qubits are in each, and one more
    assert [count for _, _, count in tiles] == [18, 3, 3]


def test_diagonal_turns_that_samples_share_meet_in_a_table():
    circuit = ql.Circuit(8)
    w = circuit.weights(24).reshape(3, 8)
    for q in range(8):
        circuit.ry(w[0, q], q).rz(w[1, q], q).ry(w[2, q], q)
    native = prepared(circuit, FinalState(8))[1]
    made = _native.pack_program(native, 4, 8, 8)
    sweeps, none = Packed(made.table).sweeps, 2**32 - 1
    assert sweeps["count"].tolist() == [4, 4, 8, 4, 4]
    assert sweeps["table"].tolist() == [none, none, 0, none, none]
    assert made.n_tables == 1


@given(circuits(max_qubits=5), st.integers(1, 4), st.integers(0, 2**32 - 1))
@settings(max_examples=30)
def test_outcomes_are_told_alike_both_ways(circuit, register_bits, seed):
    _, native = prepared(circuit, outputs_of("probabilities", circuit.n_qubits, seed))
    made = _native.pack_program(native, register_bits, 6, 11)
    packed, o, d = Packed(made.table), Packed(made.table).outcomes(), made.n_outcome_bits
    assert packed.head["kind"] == OUTCOMES
    lifts, same = span(o["lift"][:d].tolist()), span(o["null"][: made.bits - d].tolist())
    assert np.array_equal(np.sort(lifts[:, None] ^ same, axis=None), packed.indices)
    places = o["flips"] ^ span(o["place"][:d].tolist())
    assert len(set(places.tolist())) == 2**d
    for lift, place in zip(lifts, places, strict=True):
        assert (packed.reached()[lift ^ same] == place).all()


def test_equal_programs_are_equal_buffers():
    made = [
        _native.pack_program(prepared.__wrapped__(layers(8), Probabilities((0, 3)))[1], 4, 7, 7).table for _ in range(3)
    ]
    assert np.array_equal(made[0], made[1])
    assert np.array_equal(made[0], made[2])


def test_head_tells_what_the_table_holds():
    _, native = prepared(layers(8, real=True), Expectations((ql.Z(0), ql.X(1) @ ql.X(2))))
    made = _native.pack_program(native, 4, 6, 6)
    head = Packed(made.table).head
    assert head["end"] == len(made.table)
    assert made.is_real
    assert made.n_rotations == len(Packed(made.table).rotations)
    assert (made.bits, made.used_bits, made.n_groups) == (head["bits"], head["used_bits"], head["n_groups"])
    assert made.tiles == [(t["dims"], t["first"], t["count"]) for t in Packed(made.table).tiles]


def batch_of_many() -> tuple[ql.CircuitBatch, list]:
    """Circuits that share slots, some alike but for numbers, some real, one from amplitudes."""
    rng = np.random.default_rng(4)
    made = []
    for k in range(9):
        n = 2 + k % 3
        circuit = ql.Circuit(n)
        w = circuit.weights(3, name="w") if k != 4 else circuit.weights(2, name="v")
        x = circuit.inputs(2, name="x") if k % 2 else []
        for q in range(n):
            circuit.ry(float(rng.normal()), q).ry(2 * w[q % 2] - 0.1, q).cx(q, (q + 1) % n).ry(-w[1], q)
            for slot in x:
                (circuit.ry if k % 3 else circuit.rx)(0.5 * slot, q)
        made.append(circuit)
    start = ql.Circuit(3)
    start.prepare_amplitudes(start.inputs(8, name="amplitudes"))
    made.append(start + made[1])
    observables = [[ql.Z(0), ql.X(1) - 0.5 * ql.Y(0) @ ql.Y(1) + 0.2 * ql.Y(1)] for _ in made]
    return ql.CircuitBatch(made), observables


def test_many_circuits_run_as_the_native_engine():
    batch, observables = batch_of_many()
    native = batch.prepare(observables)._native
    packed = _native.pack_programs(native, 3)
    rng = np.random.default_rng(0)
    inputs, weights = rng.normal(size=(len(batch), batch.n_inputs)), rng.normal(size=batch.n_weights)
    cotangents = rng.normal(size=(len(batch), 2))
    values, d_inputs, d_weights = np.empty_like(cotangents), np.zeros_like(inputs), np.zeros_like(weights)
    native.backward(inputs, weights, cotangents, values, d_inputs, d_weights, None, 1)
    assert packed.work.shape == (len(batch), 2)
    assert len(set(packed.work[:, 0].tolist())) < len(batch)  # some are alike but for numbers
    assert len(packed.numbers)
    summed, heads = np.zeros_like(weights), []
    for row, (start, first) in enumerate(packed.work.tolist()):
        program = Packed(packed.table, start, packed.numbers[first:])
        heads.append(program.head)
        psi = program.final_state(inputs[row], weights)
        np.testing.assert_allclose(program.values(psi), values[row], rtol=0, atol=1e-10)
        d_x, d_w = program.slopes(psi, cotangents[row], inputs[row], weights)
        np.testing.assert_allclose(d_x, d_inputs[row], rtol=0, atol=1e-10)
        summed += d_w
    np.testing.assert_allclose(summed, d_weights, rtol=0, atol=1e-10)
    assert packed.any_real
    assert not packed.all_real
    assert not any(head["is_real"] for head in heads)  # one layout for all
    assert packed.most_bits == max(head["bits"] for head in heads)
    assert packed.n_rotations_most == max(head["n_rotations"] for head in heads)


def programs_of(circuit: ql.Circuit, places: list[int], n_circuits: int = 1):
    _, native = prepared(circuit, Expectations((ql.Z(0),)))
    programs = _native.Programs(n_circuits, 40, circuit.n_weights, 1)
    programs.add(native, [0], places, list(range(circuit.n_weights)))
    return programs


def test_amplitudes_to_start_from_lie_side_by_side():
    circuit = ql.Circuit(2)
    circuit.prepare_amplitudes(circuit.inputs(4))
    circuit.ry(circuit.weights(1)[0], 0)
    packed = _native.pack_programs(programs_of(circuit, [7, 8, 9, 10]), 2)
    assert Packed(packed.table).head["real_column"] == 7
    assert packed.all_real
    with pytest.raises(ValueError, match="side by side"):
        _native.pack_programs(programs_of(circuit, [7, 8, 10, 9]), 2)


def test_batches_that_no_kernel_runs_are_refused():
    native = prepared(layers(15), Probabilities(tuple(range(15))))[1]
    large = _native.Programs(1, 15, 30, 2**15)
    large.add(native, [0], list(range(15)), list(range(30)))
    with pytest.raises(ValueError, match="15 bits, expected at most 14"):
        _native.pack_programs(large, 4)
    with pytest.raises(ValueError, match="no program"):
        _native.pack_programs(programs_of(layers(4), [0, 1, 2, 3], n_circuits=2), 4)


@pytest.mark.parametrize("shape", [(0, 6, 11), (5, 6, 11), (3, 5, 6), (3, 8, 6), (3, 6, 15), (4, 6, 3)])
def test_shapes_that_kernels_have_no_room_for_are_refused(shape):
    _, native = prepared(layers(8), Probabilities((0,)))
    with pytest.raises(ValueError, match="expected"):
        _native.pack_program(native, *shape)
