"""OpenQASM read: what each statement means, where SDKs disagree, and what is refused with its line."""

from __future__ import annotations

import re

import numpy as np
import pytest

import qloom as ql
from qloom.circuits import Circuit
from qloom.circuits.qasm import QasmError

PAPER, STANDARD = 'OPENQASM 2.0;\ninclude "qelib1.inc";\n', 'OPENQASM 3.0;\ninclude "stdgates.inc";\n'


def two(body: str, n: int = 3) -> Circuit:
    return ql.from_qasm(f"{PAPER}qreg q[{n}];\ncreg c[{n}];\n{body}")


def three(body: str, n: int = 3) -> Circuit:
    return ql.from_qasm(f"{STANDARD}qubit[{n}] q;\n{body}")


def angles(circuit: Circuit) -> list[float]:
    return [angle.offset for op in circuit.operations for angle in op.angles]


def unitary(circuit: Circuit) -> np.ndarray:
    """With its phase: columns are the images of basis states."""
    columns = []
    for k in range(2**circuit.n_qubits):
        start = Circuit(circuit.n_qubits).prepare_basis([k >> q & 1 for q in reversed(range(circuit.n_qubits))])
        columns.append(ql.state(start + circuit))
    return np.array(columns).T


@pytest.mark.parametrize(
    ("version", "text", "value"),
    [
        (2, "2^3^2", 512.0), (2, "-2^2", -4.0), (2, "-pi^2/2", -(np.pi**2) / 2), (2, "7/2", 3.5), (2, "1.e-05", 1e-5),
        (2, "sin(pi/2)+ln(exp(2))-sqrt(9)", 0.0), (2, "3-2-1", 0.0), (2, "-(1+2)*3", -9.0), (2, ".5", 0.5),
        (3, "2**3**2", 512.0), (3, "-2**2", -4.0), (3, "7/2", 3.0), (3, "7./2", 3.5), (3, "-7/2", -3.0),
        (3, "0x10 + 0b11", 19.0), (3, "1_000", 1000.0), (3, "π/2", np.pi / 2), (3, "5 % 3", 2.0),
        (3, "int(3.9)", 3.0), (3, "arccos(0)", np.pi / 2), (3, "3 << 2", 12.0), (3, "6 & 3 | 8", 10.0),
        (3, "popcount(7)", 3.0), (3, "mod(5.5, 2)", 1.5), (3, "float(1)/2", 0.5), (3, "(1 == 1) + 1", 2.0),
    ],
)  # fmt: skip
def test_expressions(version, text, value):
    """Powers from the right and before signs; whole numbers divide as such in version 3, outside of gates."""
    read = two if version == 2 else three
    assert angles(read(f"rx({text}) q[0];")) == pytest.approx([value], abs=1e-12)


def test_bodies_of_the_file_win_over_known_names():
    """What Qiskit writes for gates that the paper's file has not; a name of the file itself is not defined again."""
    circuit = ql.from_qasm(PAPER + "gate rzz(a) x,y { h x; }\nqreg q[2];\nrzz(0.3) q[0],q[1];")
    assert circuit.gate_counts() == {"h": 1}
    late = ql.from_qasm(PAPER + "qreg q[1];\nsx q[0];\ngate sx a { y a; }\nsx q[0];")
    assert late.gate_counts() == {"sx": 1, "y": 1}
    with pytest.raises(QasmError, match=r"line 3, column 6: gate h is defined before"):
        ql.from_qasm(PAPER + "gate h a { x a; }")
    with pytest.raises(QasmError, match="gate mine is defined before"):
        ql.from_qasm(PAPER + "gate mine a { x a; }\ngate mine a { y a; }")
    with pytest.raises(QasmError, match=r"qelib1.inc defines h, which is defined before"):
        ql.from_qasm('OPENQASM 2.0; gate h a { U(0,0,0) a; } include "qelib1.inc";')


def test_gate_bodies_take_their_parameters_as_angles():
    body = "gate half(a) x { rz(a/2) x; rx(1/2) x; ry(-a^2) x; }\n"
    assert angles(ql.from_qasm(PAPER + body + "qreg q[1];\nhalf(3) q[0];")) == pytest.approx([1.5, 0.5, -9])
    in_three = "gate half(a) x { rz(a/2) x; rx(1/2) x; }\nqubit q;\nhalf(3) q;"
    assert angles(ql.from_qasm(STANDARD + in_three)) == pytest.approx([1.5, 0.5])


def test_broadcasts():
    circuit = two("qreg r[3]; cx q[0], r; h q; cx q, r; barrier; barrier q[0],r; measure q -> c;")
    pairs = [op.qubits for op in circuit.operations if op.gate.name == "cx"]
    assert pairs == [(0, 3), (0, 4), (0, 5), (0, 3), (1, 4), (2, 5)]
    assert [(op.qubits[0], op.gate.data) for op in circuit.operations if op.gate.name == "measure"] == [
        (0, 0), (1, 1), (2, 2),
    ]  # fmt: skip


def test_registers_keep_their_order_of_declaration():
    text = PAPER + "qreg b[1]; qreg a[1]; creg z[1]; creg y[2]; x a[0]; measure a[0] -> y[1];"
    assert ql.distribution(ql.from_qasm(text)) == {"001": pytest.approx(1)}


def test_conditions_of_version_2_count_the_first_bit_as_the_lowest():
    for value, turned in ((1, "1"), (2, "0")):
        circuit = two(f"x q[0]; measure q[0] -> c[0]; if (c == {value}) x q[2]; measure q[2] -> c[2];")
        assert ql.distribution(circuit) == {f"10{turned}": pytest.approx(1)}


def test_conditions_of_version_3():
    circuit = three(
        "bit[3] c; h q[0]; h q[1]; c[0] = measure q[0]; c[1] = measure q[1];"
        "if (c[0] && !c[1]) { x q[2]; } else { z q[2]; } if (c == 3) x q[2]; c[2] = measure q[2];"
    )
    assert ql.distribution(circuit) == pytest.approx({"000": 0.25, "010": 0.25, "101": 0.25, "111": 0.25})
    switched = three(
        "bit[2] c; h q; c[0] = measure q[0]; c[1] = measure q[1]; reset q[2];"
        "switch (int(c)) { case 1, 2 { x q[2]; } case 3 { x q[2]; x q[2]; } default { x q[2]; } }"
        "bit d; d = measure q[2];"
    )
    assert ql.distribution(switched) == pytest.approx({"001": 0.25, "011": 0.25, "101": 0.25, "110": 0.25})


def test_nested_conditions_and_measurements_under_them():
    circuit = three(
        "bit[3] c; h q[0]; c[0] = measure q[0]; if (c[0]) { h q[1]; c[1] = measure q[1]; if (c[1]) x q[2]; }"
        "c[2] = measure q[2];"
    )
    assert ql.distribution(circuit) == pytest.approx({"000": 0.5, "100": 0.25, "111": 0.25})


def test_modifiers():
    """Against matrices: controls come first, the nearest modifier acts first, powers are principal."""
    x, s = np.array([[0, 1], [1, 0]]), np.diag([1, 1j])
    controlled = np.kron(np.diag([1, 0]), np.eye(2)) + np.kron(np.diag([0, 1]), x)
    on_zero = np.kron(np.diag([0, 1]), np.eye(2)) + np.kron(np.diag([1, 0]), x)
    root = np.array([[1 + 1j, 1 - 1j], [1 - 1j, 1 + 1j]]) / 2
    for text, n, expected in (
        ("ctrl @ x q[0], q[1];", 2, controlled), ("negctrl @ x q[0], q[1];", 2, on_zero),
        ("inv @ s q[0];", 1, s.conj()), ("pow(1/2.) @ x q[0];", 1, root), ("pow(-2) @ s q[0];", 1, np.diag([1, -1])),
        ("inv @ pow(0.5) @ x q[0];", 1, root.conj()), ("ctrl @ gphase(pi/2) q[0];", 1, s), ("gphase(0.3);", 1,
                                                                                             np.exp(0.3j) * np.eye(2)),
        ("ctrl @ inv @ s q[0], q[1];", 2, np.diag([1, 1, 1, -1j])),
        ("ctrl(2) @ s q[0], q[1], q[2];", 3, np.diag([1] * 7 + [1j])),
    ):  # fmt: skip
        np.testing.assert_allclose(unitary(three(text, n)), expected, atol=1e-12, err_msg=text)


def test_modifiers_of_defined_gates_keep_phases():
    """Statement by statement this is right only with the phase in the body under the control."""
    text = STANDARD + "gate g(a) x { gphase(a); rx(a) x; }\nqubit[2] q;\nctrl @ g(0.7) q[0], q[1];"
    rx = unitary(Circuit(1).rx(0.7, 0)) * np.exp(0.7j)
    expected = np.kron(np.diag([1, 0]), np.eye(2)) + np.kron(np.diag([0, 1]), rx)
    np.testing.assert_allclose(unitary(ql.from_qasm(text)), expected, atol=1e-12)


def test_phases_of_u_and_its_kin():
    u = lambda t, p, l: np.array(  # noqa: E731
        [
            [np.cos(t / 2), -np.exp(1j * l) * np.sin(t / 2)],
            [np.exp(1j * p) * np.sin(t / 2), np.exp(1j * (p + l)) * np.cos(t / 2)],
        ]
    )
    np.testing.assert_allclose(unitary(three("U(0.3, 0.5, 0.7) q[0];", 1)), u(0.3, 0.5, 0.7), atol=1e-12)
    np.testing.assert_allclose(unitary(two("u3(0.3, 0.5, 0.7) q[0];", 1)), u(0.3, 0.5, 0.7), atol=1e-12)
    np.testing.assert_allclose(unitary(two("u2(0.5, 0.7) q[0];", 1)), u(np.pi / 2, 0.5, 0.7), atol=1e-12)
    np.testing.assert_allclose(unitary(two("u1(0.5) q[0];", 1)), np.diag([1, np.exp(0.5j)]), atol=1e-12)
    cu3 = np.kron(np.diag([1, 0]), np.eye(2)) + np.kron(np.diag([0, 1]), u(-0.3, 7.5, 0.7))
    np.testing.assert_allclose(unitary(two("cu3(-0.3, 7.5, 0.7) q[0],q[1];", 2)), cu3, atol=1e-12)


def test_loops_constants_and_subroutines():
    circuit = three(
        "const float t = pi / 4; for int i in [0:2] { rx(t * i) q[i]; } for int j in {2, 0} h q[j];"
        "int k = 0; while (k < 2) { k += 1; if (k == 2) continue; ry(k) q[k]; }"
        "def turn(qubit a, float b) { rz(b) a; if (b > 1) { return; } rz(2 * b) a; } turn(q[0], 0.4); turn(q[1], 1.5);"
        "let part = q[0:2:2] ++ q[1:1]; x part; array[float, 2] v = {0.1, 0.2}; rx(v[1]) q[0];"
    )
    assert [op.qubits[0] for op in circuit.operations if op.gate.name == "x"] == [0, 2, 1]
    assert angles(circuit) == pytest.approx([0, np.pi / 4, np.pi / 2, 1, 0.4, 0.8, 1.5, 0.2])


def test_input_parameters_are_slots_by_name():
    text = (
        STANDARD
        + "input float theta;\ninput array[float[64], 2] x;\nqubit[2] q;\n"
        + ("gate turned(a) b { ry(a/2 + 1) b; }\nrx(2*theta - 0.5) q[0];\nturned(x[1]) q[1];\nrz(-x[0]) q[0];")
    )
    circuit = ql.from_qasm(text, inputs=("x",))
    assert (circuit.n_weights, circuit.n_inputs) == (1, 2)
    assert [block.name for block in circuit.input_slots] == ["x"]
    expected = Circuit(2)
    theta, x = expected.weights(1), expected.inputs(2)
    expected.rx(2 * theta[0] - 0.5, 0).ry(x[1] / 2 + 1, 1).rz(-x[0], 0)
    assert circuit == expected
    with pytest.raises(QasmError, match=r"line 5, column 4: an input parameter in sin"):
        ql.from_qasm(STANDARD + "input float a;\nqubit q;\nrx(sin(a)) q;")
    with pytest.raises(QasmError, match="input bit b"):
        ql.from_qasm(STANDARD + "input bit b;\nqubit q;")


def test_the_quick_way_and_the_slow_one_read_alike():
    """Comments keep statements from the quick way."""
    random = np.random.default_rng(0)
    lines = []
    for _ in range(300):
        a, b = random.permutation(3)[:2]
        value = ["0.5", "-pi/2", "3*pi/4", "1e-3", f"{random.normal()}", "2"][random.integers(6)]
        lines.append([f"rz({value}) q[{a}];", f"cx q[{a}], q[{b}];", f"u3({value},pi,-{value[-1]}) q[{b}];",
                      f"h  q [ {a} ] ;"][random.integers(4)])  # fmt: skip
    assert two("\n".join(lines)) == two("\n".join("/* slow */" + line for line in lines))


ERRORS = {
    "qreg q[2];\ncx q[0];": "line 4, column 1: cx on 1 operands, expected 2",
    "qreg q[2];\ncx q[0], q[0];": "line 4, column 1: cx acts on one qubit twice",
    "qreg q[2];\nh r[0];": "line 4, column 3: r is not declared",
    "qreg q[2];\nh q[2];": "line 4, column 4: index 2, expected 0 to 1",
    "qreg q[2];\nhh q[0];": "line 4, column 1: unknown gate hh, did you mean",
    "qreg q[2];\nrx(1/0) q[0];": "line 4, column 5: a division by zero",
    "qreg q[2];\nrx(0.1, 0.2) q[0];": "line 4, column 1: rx got 2 angles, expected 1",
    "qreg q[2];\nrx(ln(-1)) q[0];": "line 4, column 4: ln(-1) has no value",
    "gate g a { g a; }\nqreg q[1];\ng q[0];": "line 3, column 12: unknown gate g",
    "gate g a { h b; }\n": "line 3, column 14: gate g acts on what is none of its qubits",
    "gate g a { measure a -> a; }": "in gate g, expected gates alone",
    'include "mine.inc";': "line 3, column 1: include 'mine.inc', expected one of qelib1.inc, stdgates.inc",
    "qreg q[2];\nqreg q[1];": "line 4, column 1: q is declared twice",
    "qreg q[2];\nh q[0]": "the text ends",
    "qreg q[2]; creg c[1];\nmeasure q -> c;": "line 4, column 1: measure of 2 qubits into 1 bits",
    "qreg q[2]; qreg r[3];\ncx q, r;": "line 4, column 1: registers of 2, 3 qubits, expected one size",
    "opaque magic a;\nqreg q[1];\nmagic q[0];": "line 5, column 1: magic is opaque",
    "qreg q[0];": "a size of 0",
    "qreg q[1];\nh q[0]; § ": "is no part of OpenQASM",
    "creg c[1];": "no qubits are declared",
    "qreg q[1];\n/* never": "a comment that does not end",
}  # fmt: skip


@pytest.mark.parametrize("body", ERRORS)
def test_errors_of_version_2_name_their_line(body):
    with pytest.raises(QasmError, match=re.escape(ERRORS[body])):
        ql.from_qasm(PAPER + body)


ERRORS_3 = {
    "bit b; b = measure q[0]; while (b) { x q[0]; }": "while on measured bits",
    "bit b; b = measure q[0]; int i = 0; if (b) { i = 1; }": "an assignment under a condition on measured bits",
    "bit b; b = measure q[0]; if (b) { b = measure q[1]; x q[0]; }": "whose bits were measured into since",
    "bit b; b = measure q[0]; rx(b) q[0];": "an angle of a measured value",
    "bit b; b = measure q[0]; b = 1;": "a value in a bit that was measured",
    "delay[100ns] q[0];": "delay is a delay, which no circuit here has",
    "defcal x $0 {}": "defcal is pulses",
    "for int i in [0:10000000] { x q[0]; }": "loops take more than",
    "pow(0.5) @ undefined q[0];": "unknown gate undefined",
    "if (q[0]) x q[0];": "a condition on qubits",
    "rx(2 ** 100000) q[0];": "more than 4096 bits",
    "x q[0:5];": "index 3, expected 0 to 2",
    "break;": "break outside of a loop",
    "def f(qubit a) { f(a); } f(q[0]);": "calls within each other",
    "#pragma braket noise bit_flip(0.1) q[0]\n": "is a pragma that no circuit here has",
    "rx(" + "(" * 300 + "1" + ")" * 300 + ") q[0];": "more than 50 parentheses",
}  # fmt: skip


@pytest.mark.parametrize("body", ERRORS_3)
def test_errors_of_version_3_say_what_no_circuit_has(body, monkeypatch):
    monkeypatch.setattr("qloom.circuits.qasm.program.MOST_ROUNDS", 1000)
    with pytest.raises(QasmError, match=re.escape(ERRORS_3[body])):
        three(body)


def outcome(body: str) -> dict[str, float]:
    return ql.distribution(three(body))


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("bit c; c = measure q[0]; bit d; switch (c) { case 1 { c = measure q[0]; } } if (c) x q[1]; d = measure q[1];",
         {"00": 1}),
        ("bit[2] c; x q[1]; c[0] = measure q[0]; c[1] = measure q[1]; bool k = c; if (k == true) x q[2];"
         "bit d; d = measure q[2];", {"011": 1}),
        ("bit[2] c; x q[0]; c[0] = measure q[0]; c[1] = measure q[1]; if (float(c)/2 == 0.5) x q[2];"
         "bit d; d = measure q[2];", {"101": 1}),
        ("bit[2] c; x q[1]; c[0] = measure q[0]; c[1] = measure q[1]; uint[1] k = c; if (k) x q[2];"
         "bit d; d = measure q[2];", {"010": 1}),
        ('bit d; bit[2] c = "10"; if (c == 2) x q[1]; d = measure q[1];', {"1": 1}),
        ("bit c; c = measure q[0]; bit b = c; if (b) x q[1]; bit d; d = measure q[1];", {"00": 1}),
    ],
)  # fmt: skip
def test_measured_values_are_what_they_are_cast_to(body, found):
    assert outcome(body) == pytest.approx(found)


def test_a_register_half_measured_is_true_where_its_known_bits_are():
    """The bit that is known is 1: whatever is measured beside it, the register is not 0."""
    body = 'bit d; bit[2] c = "10"; c[0] = measure q[0]; if (c) x q[1]; d = measure q[1];'
    assert outcome(body) == {"10": pytest.approx(1)}
    body = 'bit[2] b = "10"; bit d; if (b) x q[1]; d = measure q[1];'
    assert outcome(body) == {"1": pytest.approx(1)}


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("array[float, 2] v = {1, 3}; rx(v[0]/2) q[0];", [0.5]),
        ("array[float,2] v = {1,3}; array[float,2] w = v; w[0] = 9; rx(v[0]) q[0]; rx(w[0]) q[0];", [1, 9]),
        ("array[int,2] v = {1,3}; v[0] = 2.9; rx(v[0]) q[0];", [2]),
        ("uint[4] a = 15; a += 1; rx(a) q[0]; int[4] b = 7; b += 1; rx(b) q[0];", [0, -8]),
        ("rx(-7 % 3) q[0]; rx(-7 / 2) q[0];", [-1, -3]),
        ("array[float,2,3] v; rx(sizeof(v)) q[0]; rx(sizeof(v, 1)) q[0]; rx(sizeof(q)) q[0];", [2, 3, 3]),
        ('def f(bit b) { b = 1; } bit d = "0"; f(d); rx(int(d)) q[0];', [0]),
        ("pow(0.5) @ gphase(1);", [0.5]),
    ],
)
def test_values_keep_to_their_types(body, found):
    assert angles(three(body)) == pytest.approx(found)


ODD = {
    "bit c; bit d; c = measure q[0]; if (c) { if (c) { c = measure q[1]; } x q[2]; }": "measured into since",
    "bit c; c = measure q[0]; bit b = c; c = measure q[0]; if (b) x q[1];": "after its bit was measured into again",
    "bit c; c = measure q[0]; bit b = c; b = measure q[1];": "a copy of a measured one",
    "x q[-5:1];": "a range from -2 to 1",
    "input float a; if (!a) x q[0];": "! of qubits, an array or an input parameter",
    "input float a; input float a;": "a is declared twice",
    "bit c; c = measure q[0]; if (1/c == 1) x q[1];": "a condition on measured bits has no value",
    "rx(-q) q[0];": "- of qubits",
    "pow(q) @ x q[0];": "pow(...) of what is no finite number",
    "pow(2**2000) @ x q[0];": "pow(...) of what is no finite number",
    "rx(sizeof()) q[0];": "sizeof takes a register",
    "rx(" + "1" * 5000 + ") q[0];": "a number of 5000 digits",
    "def f(mutable array[float,1] v) { v[0] = 1; }": "changes an array of its caller",
    "pow(4096) @ pow(4096) @ pow(4096) @ x q[0];": "expected at most 4096, and fewer gates",
    "array[int,100000,100000] v;": "an array of 10000000000 values",
    "int a = 3; for int i in [0:40] { a = a * a; } rx(a) q[0];": "more than 4096 bits",
    "rx({1,2} * 2000000000) q[0];": "* of qubits or arrays",
    "let a0 = q;" + "".join(f"let a{k + 1} = a{k} ++ a{k};" for k in range(34)): "++ to more than",
    "gate g0 a { x a; }" + "".join(f"gate g{k + 1} a {{ g{k} a; g{k} a; }}" for k in range(30)) + "g30 q[0];":
        "comes to more than",
}  # fmt: skip


@pytest.mark.parametrize("body", ODD)
def test_odd_programs_are_refused_with_their_line(body):
    with pytest.raises(QasmError, match=rf"^line \d+, column \d+: .*{re.escape(ODD[body])}"):
        three(body)


def test_functions_of_measured_bits_are_worked_out_once():
    """x doubled thirty times is 2^30 times the bit, and texts that begin with blanks are read at once."""
    text = "bit c; x q[0]; c = measure q[0]; int x = c; for int i in [0:29] { x = x + x; } if (x == 1073741824) x q[1];"
    assert outcome(text + "bit d; d = measure q[1];") == {"11": pytest.approx(1)}
    assert ql.from_qasm(" " * 5000 + "qubit q; h q;").gate_counts() == {"h": 1}


@pytest.mark.parametrize("gate", ["h q[0];", "/* slow */ h q[0];", "for int i in [0:0] { h q[0]; }"])
def test_texts_of_too_many_gates_are_refused_at_the_one_too_many(gate, monkeypatch):
    for module in ("program", "quick"):
        monkeypatch.setattr(f"qloom.circuits.qasm.{module}.MOST_GATES", 100)
    assert len(three("\n".join([gate] * 100))) == 100
    with pytest.raises(QasmError, match=r"^line 104, column \d+: more than 100 gates"):
        three("\n".join([gate] * 101))


def test_versions_and_types_of_texts():
    with pytest.raises(QasmError, match="OpenQASM 4, expected version 2 or 3"):
        ql.from_qasm("OPENQASM 4;")
    with pytest.raises(QasmError, match="text is a bytes"):
        ql.from_qasm(b"OPENQASM 2.0;")
    assert ql.from_qasm("// a comment\nOPENQASM 2.0; qreg q[1]; U(0,0,0) q[0];").gate_counts() == {"u": 1}
    assert ql.from_qasm("qubit q; h q;").gate_counts() == {"h": 1}
