"""The gate table against hand-typed matrices, and each entry's facts against each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from scipy.linalg import block_diag, expm

import qloom as ql
from qloom.circuits import GATES, Angle, Circuit, Gate
from qloom.circuits.gate import Expansion
from qloom.circuits.gates import controlled_gate, find_gate, pauli_rotation_gate
from qloom.circuits.synthesis import diagonal_gate, unitary_gate
from qloom.errors import CircuitError
from tests.circuits.dense import angle_value, embed, rotation_matrix, word_matrix
from tests.circuits.strategies import random_unitary

I2, X, Y, Z = (word_matrix(letter) for letter in "IXYZ")
H = np.array([[1, 1], [1, -1]]) / 2**0.5


def permutation(*images: int) -> np.ndarray:
    """Matrix that takes basis state j to images[j]."""
    matrix = np.zeros((len(images), len(images)))
    matrix[list(images), range(len(images))] = 1
    return matrix


def u3(theta: float, phi: float, lam: float) -> np.ndarray:
    """exp(i (phi + lam) / 2) RZ(phi) RY(theta) RZ(lam), OpenQASM's U."""
    product = expm(-0.5j * phi * Z) @ expm(-0.5j * theta * Y) @ expm(-0.5j * lam * Z)
    return np.exp(0.5j * (phi + lam)) * product


def controlled(matrix: np.ndarray) -> np.ndarray:
    return block_diag(np.eye(len(matrix)), matrix)


def exchange(a: float, b: float, sign: int) -> np.ndarray:
    """exp(-i a (cos b (XX +- YY) + sin b (XY -+ YX)) / 4), as the words of Qiskit's XXPlusYYGate and XXMinusYYGate."""
    xx, yy, xy, yx = (np.kron(p, q) for p, q in ((X, X), (Y, Y), (X, Y), (Y, X)))
    return expm(-0.25j * a * (np.cos(b) * (xx + sign * yy) + np.sin(b) * (xy - sign * yx)))


def margolus() -> np.ndarray:
    """The relative-phase Toffoli gate gate by gate, as qelib1.inc defines rccx: u2(0, pi) is H, u1(pi/4) is T."""
    h, t, cnot = u3(np.pi / 2, 0, np.pi), np.diag([1, np.exp(0.25j * np.pi)]), permutation(0, 1, 3, 2)
    steps = [(h, (2,)), (t, (2,)), (cnot, (1, 2)), (t.conj(), (2,)), (cnot, (0, 2)), (t, (2,)), (cnot, (1, 2)),
             (t.conj(), (2,)), (h, (2,))]  # fmt: skip
    out = np.eye(8, dtype=complex)
    for matrix, qubits in steps:
        out = embed(matrix, qubits, 3) @ out
    return out


TRUTH: dict[str, Callable[..., np.ndarray]] = {
    "global_phase": lambda a: np.array([[np.exp(1j * a)]]),
    "id": lambda: I2,
    "x": lambda: X,
    "y": lambda: Y,
    "z": lambda: Z,
    "h": lambda: H,
    "s": lambda: np.diag([1, 1j]),
    "sdg": lambda: np.diag([1, -1j]),
    "t": lambda: np.diag([1, (1 + 1j) / 2**0.5]),
    "tdg": lambda: np.diag([1, (1 - 1j) / 2**0.5]),
    "sx": lambda: np.array([[1 + 1j, 1 - 1j], [1 - 1j, 1 + 1j]]) / 2,
    "sxdg": lambda: np.array([[1 - 1j, 1 + 1j], [1 + 1j, 1 - 1j]]) / 2,
    "rx": lambda a: expm(-0.5j * a * X),
    "ry": lambda a: expm(-0.5j * a * Y),
    "rz": lambda a: expm(-0.5j * a * Z),
    "p": lambda a: np.diag([1, np.exp(1j * a)]),
    "r": lambda a, b: expm(-0.5j * a * (np.cos(b) * X + np.sin(b) * Y)),
    "u2": lambda p, l: np.array([[1, -np.exp(1j * l)], [np.exp(1j * p), np.exp(1j * (p + l))]]) / 2**0.5,
    "u": u3,
    "rot": lambda a, b, c: expm(-0.5j * c * Z) @ expm(-0.5j * b * Y) @ expm(-0.5j * a * Z),
    "cx": lambda: permutation(0, 1, 3, 2),
    "cy": lambda: np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, -1j], [0, 0, 1j, 0]]),
    "cz": lambda: np.diag([1, 1, 1, -1]),
    "ch": lambda: controlled(H),
    "cs": lambda: np.diag([1, 1, 1, 1j]),
    "csdg": lambda: np.diag([1, 1, 1, -1j]),
    "csx": lambda: controlled(np.array([[1 + 1j, 1 - 1j], [1 - 1j, 1 + 1j]]) / 2),
    "dcx": lambda: embed(permutation(0, 1, 3, 2), (1, 0), 2) @ permutation(0, 1, 3, 2),
    "dcxdg": lambda: permutation(0, 1, 3, 2) @ embed(permutation(0, 1, 3, 2), (1, 0), 2),
    "swap": lambda: permutation(0, 2, 1, 3),
    "iswap": lambda: np.array([[1, 0, 0, 0], [0, 0, 1j, 0], [0, 1j, 0, 0], [0, 0, 0, 1]]),
    "ecr": lambda: np.array([[0, 0, 1, 1j], [0, 0, 1j, 1], [1, -1j, 0, 0], [-1j, 1, 0, 0]]) / 2**0.5,
    "crx": lambda a: controlled(expm(-0.5j * a * X)),
    "cry": lambda a: controlled(expm(-0.5j * a * Y)),
    "crz": lambda a: controlled(expm(-0.5j * a * Z)),
    "cp": lambda a: np.diag([1, 1, 1, np.exp(1j * a)]),
    "cu": lambda t, p, l, g: controlled(np.exp(1j * g) * u3(t, p, l)),
    "rxx": lambda a: expm(-0.5j * a * np.kron(X, X)),
    "ryy": lambda a: expm(-0.5j * a * np.kron(Y, Y)),
    "rzz": lambda a: expm(-0.5j * a * np.kron(Z, Z)),
    "rzx": lambda a: expm(-0.5j * a * np.kron(Z, X)),
    "xy": lambda a: expm(0.25j * a * (np.kron(X, X) + np.kron(Y, Y))),
    "givens": lambda a: block_diag(1, [[np.cos(a / 2), -np.sin(a / 2)], [np.sin(a / 2), np.cos(a / 2)]], 1),
    "xx_plus_yy": lambda a, b: exchange(a, b, 1),
    "xx_minus_yy": lambda a, b: exchange(a, b, -1),
    "ccx": lambda: permutation(0, 1, 2, 3, 4, 5, 7, 6),
    "cswap": lambda: permutation(0, 1, 2, 3, 4, 6, 5, 7),
    "ccz": lambda: np.diag([1, 1, 1, 1, 1, 1, 1, -1]),
    "rccx": margolus,
    "c3sx": lambda: controlled(controlled(controlled(np.array([[1 + 1j, 1 - 1j], [1 - 1j, 1 + 1j]]) / 2))),
}
# Gates of qelib1.inc, the library of OpenQASM 2 as Qiskit ships it.
QELIB1 = """
    u3 u2 u1 cx id u0 u p x y z h s sdg t tdg rx ry rz sx sxdg cz cy swap ch ccx cswap crx cry crz cu1 cp cu3
    csx cu rxx rzz rccx rc3x c3x c3sqrtx c4x
""".split()  # noqa: SIM905
MADE = (
    pauli_rotation_gate("XZY"),
    pauli_rotation_gate("I"),
    pauli_rotation_gate("II"),
    unitary_gate(random_unitary(4, 1)),
    diagonal_gate(np.array([0.1, -2.0, 3.0, 0.7])),
)
UNITARY = [gate for gate in GATES.values() if gate.is_unitary]
ALL = [*UNITARY, *MADE]


def names(gate: Gate) -> str:
    return gate.name if gate.data is None else f"{gate.name}-{gate.n_qubits}"


def some_angles(gate: Gate, seed: int = 0) -> list[float]:
    return np.random.default_rng(seed).uniform(-6, 6, gate.n_angles).tolist()


def expansion_matrix(expansion: Expansion, n_qubits: int, weights: Sequence[float] = ()) -> np.ndarray:
    out = np.eye(2**n_qubits, dtype=complex)
    for letters, angle in expansion.rotations:
        assert len(letters) == n_qubits
        out = rotation_matrix(letters, angle_value(angle, (), weights)) @ out
    return out * np.exp(1j * sum(angle_value(phase, (), weights) for phase in expansion.phases))


def test_truth_covers_the_table() -> None:
    assert set(TRUTH) == {gate.name for gate in UNITARY}


@pytest.mark.parametrize("name", TRUTH)
@pytest.mark.parametrize("seed", [0, 1])
def test_matrix_is_the_textbook_one(name: str, seed: int) -> None:
    angles = some_angles(GATES[name], seed)
    np.testing.assert_allclose(GATES[name].matrix(*angles), TRUTH[name](*angles), atol=1e-12)


@pytest.mark.parametrize("gate", ALL, ids=names)
class TestEveryGate:
    def test_matrix_is_unitary_and_of_its_size(self, gate: Gate) -> None:
        matrix = gate.matrix(*some_angles(gate))
        assert matrix.shape == (2**gate.n_qubits, 2**gate.n_qubits)
        np.testing.assert_allclose(matrix.conj().T @ matrix, np.eye(len(matrix)), atol=1e-12)

    def test_expansion_is_the_matrix(self, gate: Gate) -> None:
        angles = some_angles(gate)
        product = expansion_matrix(gate.expansion(*angles), gate.n_qubits)
        np.testing.assert_allclose(product, gate.matrix(*angles), atol=1e-10)

    def test_expansion_takes_slots(self, gate: Gate) -> None:
        values = some_angles(gate)
        slots = [0.5 * Angle("weight", k) + 0.2 for k in range(gate.n_angles)]
        weights = [(value - 0.2) / 0.5 for value in values]
        product = expansion_matrix(gate.expansion(*slots), gate.n_qubits, weights)
        np.testing.assert_allclose(product, gate.matrix(*values), atol=1e-10)

    def test_inverse_undoes(self, gate: Gate) -> None:
        angles = some_angles(gate)
        inverse, inverse_angles = gate.inverted(angles)
        product = inverse.matrix(*inverse_angles) @ gate.matrix(*angles)
        np.testing.assert_allclose(product, np.eye(len(product)), atol=1e-12)

    def test_controlled_twice(self, gate: Gate) -> None:
        angles, matrix = some_angles(gate), gate.matrix(*some_angles(gate))
        for _ in range(2):
            gate, matrix = controlled_gate(gate), controlled(matrix)
            np.testing.assert_allclose(gate.matrix(*angles), matrix, atol=1e-12)
            np.testing.assert_allclose(expansion_matrix(gate.expansion(*angles), gate.n_qubits), matrix, atol=1e-10)
            inverse, inverse_angles = gate.inverted(angles)
            np.testing.assert_allclose(inverse.matrix(*inverse_angles), matrix.conj().T, atol=1e-12)

    def test_has_one_line_of_documentation(self, gate: Gate) -> None:
        assert gate.doc
        assert "\n" not in gate.doc


@pytest.mark.parametrize("name", GATES)
def test_method_of_the_circuit(name: str) -> None:
    gate, circuit = GATES[name], Circuit(4)
    angles = [0.3, 0.25, 0.2, 0.1][: gate.n_angles] if gate.rates else some_angles(gate)
    qubits = (2, 0, 3, 1)[: gate.n_qubits]
    given = (angles, *qubits) if name == "pauli_channel" else (*angles, *qubits)
    assert getattr(circuit, name)(*given) is circuit
    (op,) = circuit.operations
    assert (op.gate, op.qubits, [a.offset for a in op.angles]) == (gate, qubits, angles)
    if name not in ("pauli_channel", "depolarizing"):  # written out, since they take qubits in a way of their own
        assert getattr(Circuit, name).__doc__.lower().startswith(gate.doc.lower())


def test_openqasm_names_are_of_its_library() -> None:
    for gate in GATES.values():
        assert gate.qasm is None or (gate.qasm in QELIB1 and gate.qasm == gate.name)


def test_controlled_gate_is_the_tables_own_where_there_is_one() -> None:
    pairs = {"x": "cx", "cx": "ccx", "z": "cz", "swap": "cswap", "rx": "crx", "p": "cp", "s": "cs", "h": "ch",
             "sx": "csx", "sdg": "csdg", "cz": "ccz"}  # fmt: skip
    for inner, outer in pairs.items():
        assert controlled_gate(GATES[inner]) is GATES[outer]
    assert controlled_gate(GATES["u"]).name == "controlled"
    assert controlled_gate(GATES["t"]).n_qubits == 2


def test_made_gates_are_equal_by_content() -> None:
    assert pauli_rotation_gate("XZ") == pauli_rotation_gate("XZ") != pauli_rotation_gate("ZX")
    assert unitary_gate(X) == unitary_gate(X) != unitary_gate(Y)
    assert controlled_gate(GATES["t"]) == controlled_gate(GATES["t"]) != controlled_gate(GATES["tdg"])
    assert len({diagonal_gate(np.zeros(2)), diagonal_gate(np.zeros(2)), diagonal_gate(np.ones(2))}) == 2


@pytest.mark.parametrize("letters", ["", "XQ", "x", "X Z"])
def test_pauli_rotation_of_no_word(letters: str) -> None:
    with pytest.raises(CircuitError, match=r"Pauli word .* expected letters I, X, Y, Z"):
        pauli_rotation_gate(letters)


def test_unknown_gate() -> None:
    with pytest.raises(CircuitError, match="unknown gate 'cnnx'; did you mean 'cx'"):
        find_gate("cnnx")
    with pytest.raises(CircuitError, match="unknown gate 'QQQ'; known gates: global_phase id x y"):
        find_gate("QQQ")


def test_cx_has_its_control_first() -> None:
    """|10> -> |11>, and on three qubits cx(2, 0): |001> -> |101>."""
    assert GATES["cx"].matrix()[0b11, 0b10] == 1
    assert embed(GATES["cx"].matrix(), (2, 0), 3)[0b101, 0b001] == 1


def test_a_global_phase_turns_the_state_and_nothing_else() -> None:
    """Alone, by a weight, controlled (where it is p) and in a circuit's parts, picture and file."""
    circuit = Circuit(2)
    (w,) = circuit.weights(1)
    circuit.h(0).global_phase(w).rx(0.3, 1).global_phase(0.5)
    plain = Circuit(2).h(0).rx(0.3, 1)
    for engine in (ql.engines.StatevectorEngine(), ql.engines.ReferenceEngine()):
        turned = ql.state(circuit, None, [0.7], engine=engine)
        np.testing.assert_allclose(turned, np.exp(1.2j) * ql.state(plain), atol=1e-14)
        np.testing.assert_allclose(
            ql.expectation(circuit, None, None, [0.7], engine=engine), [0, np.cos(0.3)], atol=1e-14
        )
    phase = Circuit(1).global_phase(0.7)
    np.testing.assert_allclose(
        ql.state(Circuit(2).h(0) + phase.controlled()), np.array([1, 0, np.exp(0.7j), 0]) / 2**0.5, atol=1e-14
    )
    first, second = circuit.components()
    np.testing.assert_allclose(
        np.kron(ql.state(first, None, [0.7]), ql.state(second, None, [0.7])), ql.state(circuit, None, [0.7]), atol=1e-14
    )
    assert (phase.depth(), circuit.depth(), len(circuit.without_entanglers())) == (0, 1, 4)
    assert "Phase(w[0])" in circuit.draw().split("\n")[0]
    assert Circuit.from_json(circuit.to_json()) == circuit
    np.testing.assert_allclose(ql.state(circuit + circuit.inverse(), None, [0.7, 0.7]), [1, 0, 0, 0], atol=1e-14)
