"""The Clifford frame against dense matrices."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

import qloom as ql
from qloom.circuits.gate import Expansion
from qloom.circuits.gates import GATES
from qloom.engines.statevector import lower_states
from qloom.errors import CircuitError
from qloom.observables import PauliSum, Word, word_from_letters
from qloom.programs.frame import flat_gates, make_frame
from qloom.programs.masks import MOST_QUBITS, pack, unpack
from qloom.programs.pulling import pull

MONOMIAL = ["id", "x", "y", "z", "s", "sdg", "cx", "cy", "cz", "swap", "iswap", "dcx", "dcxdg"]
CLIFFORD = [*MONOMIAL, "h", "sx", "sxdg", "ecr"]
FIXED = [gate for gate in GATES.values() if gate.n_angles == 0 and gate.is_unitary]


def dense(circuit: ql.Circuit) -> np.ndarray:
    """Matrix of a circuit without slots, column by column from the reference engine."""
    n, columns = circuit.n_qubits, []
    for basis_state in range(2**n):
        start = ql.Circuit(n).prepare_basis(f"{basis_state:0{n}b}") + circuit
        columns.append(ql.state(start, engine=ql.engines.ReferenceEngine()))
    return np.array(columns).T


def lowered(circuit: ql.Circuit, monomial: bool):
    """The frame of a circuit, and how many rotations it did not take."""
    frame = make_frame(circuit.n_qubits, monomial)
    return frame, len(flat_gates(circuit).lower_into(frame))


def full_frame(circuit: ql.Circuit):
    frame, left = lowered(circuit, False)
    assert left == 0
    return frame


def monomial_matrix(circuit: ql.Circuit) -> np.ndarray:
    """Matrix of a circuit that a monomial frame takes whole, from what it does to the basis states."""
    assert lower_states(circuit).n_rotations == 0
    size = 2**circuit.n_qubits
    return ql.state(ql.encoders.amplitude(size) + circuit, np.eye(size)).T


def pulled_matrix(frame, word: Word) -> np.ndarray:
    signs, x, z = pull(frame, [word])
    return PauliSum({(unpack(x)[0], unpack(z)[0]): signs[0]}).matrix(frame.n_qubits)


def on_first_qubits(gate) -> ql.Circuit:
    return ql.Circuit(gate.n_qubits).append(gate, (), range(gate.n_qubits))


@pytest.mark.parametrize("gate", FIXED, ids=lambda gate: gate.name)
def test_which_gates_go_in(gate):
    circuit = on_first_qubits(gate)
    assert (lowered(circuit, False)[1] == 0) == (gate.name in CLIFFORD)
    assert (lowered(circuit, True)[1] == 0) == (gate.name in MONOMIAL)


@st.composite
def clifford_circuits(draw, names):
    n = draw(st.integers(1, 5))
    circuit = ql.Circuit(n)
    for _ in range(draw(st.integers(0, 12))):
        gate = GATES[draw(st.sampled_from([name for name in names if GATES[name].n_qubits <= n]))]
        circuit.append(gate, (), draw(st.permutations(range(n)))[: gate.n_qubits])
    return circuit


@settings(max_examples=60)
@given(clifford_circuits(CLIFFORD), st.integers(0, 2**32 - 1))
def test_full_frame_conjugates_words(circuit, seed):
    n, unitary = circuit.n_qubits, dense(circuit)
    letters = "".join(np.random.default_rng(seed).choice(list("IXYZ"), n))
    expected = unitary.conj().T @ ql.pauli(letters, range(n)).matrix(n) @ unitary
    pulled = pulled_matrix(full_frame(circuit), word_from_letters(letters, range(n)))
    np.testing.assert_allclose(pulled, expected, atol=1e-12)


@settings(max_examples=60)
@given(clifford_circuits(MONOMIAL))
def test_monomial_frame_permutes_basis_states(circuit):
    np.testing.assert_allclose(monomial_matrix(circuit), dense(circuit), atol=1e-12)


@pytest.mark.parametrize("letters", ["Z", "X", "Y", "ZZ", "XY", "ZXY"])
@pytest.mark.parametrize("turns", range(8))
def test_quarter_turns_are_clifford(letters, turns):
    n = len(letters)
    circuit = ql.Circuit(n).pauli_rotation(turns * np.pi / 2, letters, range(n))
    rotation = expm(-0.25j * np.pi * turns * ql.pauli(letters, range(n)).matrix(n))
    frame = full_frame(circuit)
    for one in "XYZ":
        expected = rotation.conj().T @ ql.pauli(one, (0,)).matrix(n) @ rotation
        np.testing.assert_allclose(pulled_matrix(frame, word_from_letters(one, (0,))), expected, atol=1e-12)
    if turns % 2 == 0 or not set(letters) - {"Z"}:
        np.testing.assert_allclose(monomial_matrix(circuit), rotation, atol=1e-12)


@pytest.mark.parametrize(
    ("angle", "taken"), [(np.pi / 4, False), (1e-6, False), (-1.5 * np.pi, True), (1e3 * np.pi, True)]
)
def test_which_angles_are_quarter_turns(angle, taken):
    assert (lowered(ql.Circuit(1).ry(angle, 0), False)[1] == 0) == taken


def test_gates_that_permute_go_in_whole():
    """A controlled rotation by pi is a permutation with phases, though its two halves are not."""
    assert lowered(ql.Circuit(2).crx(np.pi, 0, 1), True)[1] == 0
    assert lowered(ql.Circuit(2).crx(np.pi, 0, 1).crx(np.pi / 2, 0, 1), True)[1] == 2


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_superpositions_go_into_the_computational_basis(dtype, n):
    """States of either precision, given by their amplitudes."""
    rng = np.random.default_rng(n)
    circuit, names = ql.Circuit(n), [name for name in MONOMIAL if GATES[name].n_qubits <= n]
    for name in rng.choice(names, 30).tolist():
        circuit.append(name, (), rng.permutation(n)[: GATES[name].n_qubits])
    start, amplitudes = ql.Circuit(n), rng.normal(size=(3, 2 * 2**n))
    start.prepare_amplitudes(start.inputs(2**n), start.inputs(2**n))
    amplitudes = (amplitudes / np.linalg.norm(amplitudes, axis=1, keepdims=True)).astype(dtype)
    real, imaginary = np.hsplit(amplitudes, 2)
    states = ql.state(start + circuit, amplitudes)
    assert states.dtype == np.result_type(dtype, np.complex64)
    np.testing.assert_allclose(states, (real + 1j * imaginary) @ dense(circuit).T, atol=100 * np.finfo(dtype).eps)


def test_a_gate_of_many_flips_goes_in_whole():
    """Its phase is one path, however many rotations it has."""
    rng = np.random.default_rng(0)
    gate = ql.circuits.Gate(
        "flips", 3, 0, "random words turned by pi", lambda: None, lambda: Expansion(tuple(words)), None
    )
    words = [("".join(rng.choice(list("IXYZ"), 3)), np.pi) for _ in range(100_000)]
    assert lowered(on_first_qubits(gate), True)[1] == 0


@given(st.lists(st.integers(0, 2**100 - 1), max_size=5))
def test_masks_come_back(masks):
    assert unpack(pack(masks, 100)) == masks


def test_registers_too_wide_for_a_program():
    with pytest.raises(CircuitError, match=f"expected at most {MOST_QUBITS}"):
        make_frame(MOST_QUBITS + 1, monomial=False)
