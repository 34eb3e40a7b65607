"""Lowering against dense matrices: the frame, the fusion and the choice between them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

import qloom as ql
from qloom.circuits.gates import GATES
from qloom.observables import PauliSum, word_from_letters
from qloom.programs import lower, lower_states
from qloom.programs.frame import Frame, gate_tableau, quarter_turns, rotation_tableau
from tests.circuits.strategies import circuits

CLIFFORD = [gate for gate in GATES.values() if gate_tableau(gate) is not None]
MONOMIAL = "id x y z s sdg cx cy cz swap iswap"


def dense(circuit: ql.Circuit) -> np.ndarray:
    """Matrix of a circuit without slots, column by column from the reference engine."""
    n, columns = circuit.n_qubits, []
    for basis_state in range(2**n):
        start = ql.Circuit(n).prepare_basis(f"{basis_state:0{n}b}") + circuit
        columns.append(ql.state(start, engine=ql.engines.ReferenceEngine()))
    return np.array(columns).T


def test_which_gates_are_clifford():
    expected = "id x y z h s sdg sx sxdg cx cy cz swap iswap ecr"
    assert {gate.name for gate in CLIFFORD} == set(expected.split())


def test_which_gates_permute_basis_states():
    assert {gate.name for gate in CLIFFORD if gate_tableau(gate).column is not None} == set(MONOMIAL.split())


@st.composite
def clifford_circuits(draw, names):
    n = draw(st.integers(1, 4))
    circuit = ql.Circuit(n)
    for _ in range(draw(st.integers(0, 12))):
        gate = GATES[draw(st.sampled_from([name for name in names if GATES[name].n_qubits <= n]))]
        circuit.append(gate, (), draw(st.permutations(range(n)))[: gate.n_qubits])
    return circuit


def frame_of(circuit: ql.Circuit, monomial: bool) -> Frame:
    frame = Frame(circuit.n_qubits, monomial)
    for op in circuit.operations:
        frame.apply(gate_tableau(op.gate), op.qubits)
    return frame


@settings(max_examples=60)
@given(clifford_circuits([gate.name for gate in CLIFFORD]), st.integers(0, 2**32 - 1))
def test_full_frame_conjugates_words(circuit, seed):
    n, unitary = circuit.n_qubits, dense(circuit)
    letters = "".join(np.random.default_rng(seed).choice(list("IXYZ"), n))
    sign, word = frame_of(circuit, False).pull(word_from_letters(letters, range(n)))
    expected = unitary.conj().T @ ql.pauli(letters, range(n)).matrix(n) @ unitary
    np.testing.assert_allclose(PauliSum({word: sign}).matrix(n), expected, atol=1e-12)


@settings(max_examples=60)
@given(clifford_circuits(MONOMIAL.split()))
def test_monomial_frame_maps_basis_states(circuit):
    targets, phases = frame_of(circuit, True).basis_map()
    matrix = np.zeros((2**circuit.n_qubits,) * 2, complex)
    matrix[targets, np.arange(len(targets))] = phases
    np.testing.assert_allclose(matrix, dense(circuit), atol=1e-12)


@pytest.mark.parametrize("letters", ["Z", "X", "Y", "ZZ", "XY", "ZXY"])
@pytest.mark.parametrize("turns", range(8))
def test_quarter_turns_are_clifford(letters, turns):
    n = len(letters)
    rotation = expm(-0.25j * np.pi * turns * ql.pauli(letters, range(n)).matrix(n))
    tableau = rotation_tableau(letters, turns)
    frame = Frame(n, monomial=tableau.column is not None)
    frame.apply(tableau, range(n))
    for one in ("X", "Y", "Z"):
        word = ql.pauli(one, (0,))
        sign, pulled = frame.pull(word_from_letters(one, (0,)))
        expected = rotation.conj().T @ word.matrix(n) @ rotation
        np.testing.assert_allclose(PauliSum({pulled: sign}).matrix(n), expected, atol=1e-12)
    if tableau.column is not None:
        targets, phases = frame.basis_map()
        np.testing.assert_allclose(rotation[targets, np.arange(2**n)], phases, atol=1e-12)


def test_quarter_turns_of_other_angles_are_none():
    assert quarter_turns(np.pi / 4) is None
    assert quarter_turns(1e-6) is None
    assert quarter_turns(-3 * np.pi / 2) == 5


@settings(max_examples=60)
@given(circuits(max_qubits=4))
def test_passes_commute_within(circuit):
    from qloom.observables import words_commute

    for program in (lower(circuit, [ql.Z(0)]), lower_states(circuit)):
        for one in program.passes:
            words = [r.word for r in one.rotations]
            assert {word[0] for word in words} == {one.x}
            assert all(words_commute(a, b) for a in words for b in words)
            assert one.shared == all(r.angle.source != "input" for r in one.rotations)


def test_entangling_layers_fuse():
    """W1: RY inputs, then per layer one diagonal pass and n RY; CNOTs cost nothing."""
    n, layers = 8, 4
    circuit = ql.encoders.angle(n) + ql.ansatze.strongly_entangling(n, layers)
    program = lower(circuit, [ql.Z(q) for q in range(n)])
    assert len(program.passes) == n + layers * (n + 1) + 1


def test_qaoa_keeps_its_diagonal():
    """Hadamards in the frame would turn 3-regular cost layers into 12 passes; the monomial frame keeps one each."""
    n, edges = 8, [(q, (q + 1) % 8) for q in range(8)] + [(q, q + 4) for q in range(4)]
    circuit = ql.Circuit(n)
    gamma, beta = circuit.weights(2), circuit.weights(2)
    for q in range(n):
        circuit.h(q)
    for layer in range(2):
        for a, b in edges:
            circuit.rzz(gamma[layer], a, b)
        for q in range(n):
            circuit.rx(2 * beta[layer], q)
    program = lower(circuit, [ql.Z(a) @ ql.Z(b) for a, b in edges])
    assert program.frame.monomial
    assert sum(p.x == 0 for p in program.passes) == 2
    assert len(program.passes) == n + 2 * (1 + n)


def test_clifford_circuit_has_no_rotations():
    circuit = ql.Circuit(3).h(0).cx(0, 1).cx(1, 2).s(2).rx(np.pi / 2, 0).rz(-np.pi, 1)
    program = lower(circuit, [ql.X(0) @ ql.X(1) @ ql.X(2)])
    assert program.n_rotations == 0


def test_program_prints_readably():
    circuit = ql.Circuit(2)
    x, w = circuit.inputs(1), circuit.weights(1)
    circuit.ry(2 * x[0], 0).cx(0, 1).rz(w[0] + 0.5, 1)
    text = str(lower(circuit, [ql.Z(1) - 0.5 * ql.X(0)]))
    for part in ("2 qubits", "2*x[0]", "w[0]+0.5", "Y.", "ZZ", "output 0", "-0.5"):
        assert part in text
