"""The gate table: one entry a gate, and gates made on the fly.

`matrix` is the textbook matrix, written independently of the expansion: tests hold the two against each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from qloom.circuits import matrices as m
from qloom.circuits.channels import CHANNELS
from qloom.circuits.gate import Expansion, Gate, Scalar, controlled_expansion
from qloom.errors import CircuitError, UnsupportedError

π = np.pi
GATES: dict[str, Gate] = {}
"""Gates, channels, measurement and reset by name, which is also their method of `Circuit` and their name in files."""


def _rotations(*pairs: tuple[str, Scalar], phases: tuple[Scalar, ...] = ()) -> Expansion:
    return Expansion(pairs, phases)


def _gate(
    name: str,
    n_qubits: int,
    n_angles: int,
    doc: str,
    matrix: Callable[..., m.Matrix],
    expansion: Callable[..., Expansion],
    inverse: str | Callable[..., tuple[str | Gate, tuple[Scalar, ...]]] = "",
    qasm: str | None = "same",
) -> None:
    """Enter a unitary gate; `inverse` is a name, empty for the same gate with negated angles, or a function of them."""

    def inverse_of(*angles: Scalar) -> tuple[Gate, tuple[Scalar, ...]]:
        if isinstance(inverse, str):
            return GATES[inverse or name], tuple(-angle for angle in angles)
        gate, inverse_angles = inverse(*angles)
        return GATES[gate] if isinstance(gate, str) else gate, inverse_angles

    GATES[name] = Gate(name, n_qubits, n_angles, doc, matrix, expansion, inverse_of, name if qasm == "same" else qasm)


def _expand(name: str, *angles: Scalar) -> Expansion:
    return GATES[name].expansion(*angles)


def _reversed(name: str) -> Expansion:
    """A gate without angles on its qubits in reverse order."""
    expansion = _expand(name)
    return Expansion(tuple((letters[::-1], angle) for letters, angle in expansion.rotations), expansion.phases)


# fmt: off
# No qubit.
_gate("global_phase", 0, 1, "phase of the whole state", lambda a: np.array([[np.exp(1j * a)]]),
      lambda a: Expansion((), (a,)), qasm=None)

# One qubit, no angle.
_gate("id", 1, 0, "identity", m.constant(m.I2), lambda: Expansion())
_gate("x", 1, 0, "Pauli X (NOT)", m.constant(m.X), lambda: _rotations(("X", π), phases=(π / 2,)))
_gate("y", 1, 0, "Pauli Y", m.constant(m.Y), lambda: _rotations(("Y", π), phases=(π / 2,)))
_gate("z", 1, 0, "Pauli Z", m.constant(m.Z), lambda: _rotations(("Z", π), phases=(π / 2,)))
_gate("h", 1, 0, "Hadamard", m.constant(m.H), lambda: _rotations(("Y", π / 2), ("X", π), phases=(π / 2,)))
_gate("s", 1, 0, "square root of Z", m.constant(np.diag([1, 1j])),
      lambda: _rotations(("Z", π / 2), phases=(π / 4,)), "sdg")
_gate("sdg", 1, 0, "inverse of S", m.constant(np.diag([1, -1j])),
      lambda: _rotations(("Z", -π / 2), phases=(-π / 4,)), "s")
_gate("t", 1, 0, "fourth root of Z", m.constant(m.p(π / 4)), lambda: _rotations(("Z", π / 4), phases=(π / 8,)), "tdg")
_gate("tdg", 1, 0, "inverse of T", m.constant(m.p(-π / 4)), lambda: _rotations(("Z", -π / 4), phases=(-π / 8,)), "t")
_gate("sx", 1, 0, "square root of X", m.constant(m.SX), lambda: _rotations(("X", π / 2), phases=(π / 4,)), "sxdg")
_gate("sxdg", 1, 0, "inverse of SX", m.constant(m.SX.conj().T),
      lambda: _rotations(("X", -π / 2), phases=(-π / 4,)), "sx", qasm=None)

# One qubit, with angles.
_gate("rx", 1, 1, "rotation about X", m.rx, lambda a: _rotations(("X", a)))
_gate("ry", 1, 1, "rotation about Y", m.ry, lambda a: _rotations(("Y", a)))
_gate("rz", 1, 1, "rotation about Z", m.rz, lambda a: _rotations(("Z", a)))
_gate("p", 1, 1, "phase of |1>", m.p, lambda a: _rotations(("Z", a), phases=(a / 2,)))
_gate("r", 1, 2, "rotation by the first angle about cos(b) X + sin(b) Y",
      lambda a, b: m.rz(b) @ m.rx(a) @ m.rz(-b),
      lambda a, b: _rotations(("Z", -b), ("X", a), ("Z", b)), lambda a, b: ("r", (-a, b)), qasm=None)
_gate(
    "u2", 1, 2, "half-turn family u(pi/2, phi, lambda) of OpenQASM 2",
    lambda p, l: m.u(π / 2, p, l),
    lambda p, l: _expand("u", π / 2, p, l),
    lambda p, l: ("u2", (-l - π, π - p)),
)
_gate(
    "u", 1, 3, "any one-qubit gate: theta, phi, lambda of OpenQASM",
    m.u,
    lambda t, p, l: _rotations(("Z", l), ("Y", t), ("Z", p), phases=(p / 2, l / 2)),
    lambda t, p, l: ("u", (-t, -l, -p)),
)
_gate(
    "rot", 1, 3, "RZ, RY, RZ in the order of the angles",
    lambda a, b, c: m.rz(c) @ m.ry(b) @ m.rz(a),
    lambda a, b, c: _rotations(("Z", a), ("Y", b), ("Z", c)),
    lambda a, b, c: ("rot", (-c, -b, -a)),
    qasm=None,
)

# Two qubits, no angle.
_gate("cx", 2, 0, "controlled X (CNOT)", m.constant(m.controlled_matrix(m.X)),
      lambda: controlled_expansion(_expand("x"), 1))
_gate("cy", 2, 0, "controlled Y", m.constant(m.controlled_matrix(m.Y)), lambda: controlled_expansion(_expand("y"), 1))
_gate("cz", 2, 0, "controlled Z", m.constant(m.controlled_matrix(m.Z)), lambda: controlled_expansion(_expand("z"), 1))
_gate(
    "ch", 2, 0, "controlled Hadamard", m.constant(m.controlled_matrix(m.H)),
    lambda: Expansion(
        (("IY", -π / 4), *_expand("cz").rotations, ("IY", π / 4)), _expand("cz").phases
    ),
)
_gate("cs", 2, 0, "controlled S", m.constant(np.diag([1, 1, 1, 1j])), lambda: _expand("cp", π / 2),
      "csdg", qasm=None)
_gate("csdg", 2, 0, "controlled inverse of S", m.constant(np.diag([1, 1, 1, -1j])), lambda: _expand("cp", -π / 2),
      "cs", qasm=None)
_gate("csx", 2, 0, "controlled square root of X", m.constant(m.controlled_matrix(m.SX)),
      lambda: controlled_expansion(_expand("sx"), 1), lambda: (controlled_gate(GATES["sxdg"]), ()))
_gate("dcx", 2, 0, "CNOT one way, then the other", m.constant(m.DCX),
      lambda: _rotations(*_expand("cx").rotations, *_reversed("cx").rotations, phases=(π / 2,)), "dcxdg", qasm=None)
_gate("dcxdg", 2, 0, "inverse of DCX", m.constant(m.DCX.T),
      lambda: _rotations(*_reversed("cx").rotations, *_expand("cx").rotations, phases=(π / 2,)), "dcx", qasm=None)
_gate(
    "swap", 2, 0, "exchange of two qubits", m.constant(m.SWAP),
    lambda: _rotations(("XX", π / 2), ("YY", π / 2), ("ZZ", π / 2), phases=(π / 4,)),
)
_gate(
    "iswap", 2, 0, "exchange of two qubits with a factor i on |01> and |10>",
    m.constant(np.diag([1, 0, 0, 1]) + 1j * (np.kron(m.X, m.X) + np.kron(m.Y, m.Y)) / 2),
    lambda: _rotations(("XX", -π / 2), ("YY", -π / 2)),
    lambda: ("xy", (-π,)),
    qasm=None,
)
_gate("ecr", 2, 0, "echoed cross resonance, (IX - XY)/sqrt(2) in words read from the last qubit",
      m.constant(m.ECR), lambda: _rotations(("ZX", π / 2), ("XI", π), phases=(π / 2,)), qasm=None)

# Two qubits, with angles.
for _axis, _single in (("x", m.rx), ("y", m.ry), ("z", m.rz)):
    _gate(f"cr{_axis}", 2, 1, f"controlled rotation about {_axis.upper()}", m.controlled_by(_single),
          lambda a, name=f"r{_axis}": controlled_expansion(_expand(name, a), 1))
_gate("cp", 2, 1, "phase of |11>", m.controlled_by(m.p), lambda a: controlled_expansion(_expand("p", a), 1))
_gate(
    "cu", 2, 4, "controlled u(theta, phi, lambda) with a phase gamma of the controlled gate",
    lambda t, p, l, g: m.controlled_matrix(np.exp(1j * g) * m.u(t, p, l)),
    lambda t, p, l, g: controlled_expansion(
        Expansion(_expand("u", t, p, l).rotations, (p / 2, l / 2, g)), 1
    ),
    lambda t, p, l, g: ("cu", (-t, -l, -p, -g)),
)
_gate("rxx", 2, 1, "rotation about XX", m.two_qubit_rotation(m.X, m.X), lambda a: _rotations(("XX", a)), qasm="rxx")
_gate("ryy", 2, 1, "rotation about YY", m.two_qubit_rotation(m.Y, m.Y), lambda a: _rotations(("YY", a)), qasm=None)
_gate("rzz", 2, 1, "rotation about ZZ", m.two_qubit_rotation(m.Z, m.Z), lambda a: _rotations(("ZZ", a)), qasm="rzz")
_gate("rzx", 2, 1, "rotation about ZX", m.two_qubit_rotation(m.Z, m.X), lambda a: _rotations(("ZX", a)), qasm=None)
_gate("xy", 2, 1, "partial exchange exp(i a (XX + YY) / 4)", m.exchange(1j),
      lambda a: _rotations(("XX", -a / 2), ("YY", -a / 2)), qasm=None)
_gate("givens", 2, 1, "real rotation in the span of |01> and |10> (single excitation)", m.exchange(1),
      lambda a: _rotations(("XY", -a / 2), ("YX", a / 2)), qasm=None)
for _sign, _name, _states in ((1, "plus", (1, 2)), (-1, "minus", (0, 3))):
    _gate(f"xx_{_name}_yy", 2, 2,
          f"partial exchange exp(-i a (XX {'+-'[_sign < 0]} YY) / 4), its phases turned by b",
          m.phased_exchange(_sign, *_states),
          lambda a, b, sign=_sign: _rotations(
              ("ZI", sign * b), ("XX", a / 2), ("YY", sign * a / 2), ("ZI", -sign * b)),
          lambda a, b, name=f"xx_{_name}_yy": (name, (-a, b)), qasm=None)

# Three qubits and more.
_gate(
    "ccx", 3, 0, "Toffoli: X on the last qubit where the first two are 1",
    m.constant(m.controlled_matrix(m.controlled_matrix(m.X))),
    lambda: controlled_expansion(_expand("cx"), 2),
)
_gate("cswap", 3, 0, "Fredkin: exchange of the last two qubits where the first is 1",
      m.constant(m.controlled_matrix(m.SWAP)), lambda: controlled_expansion(_expand("swap"), 2))
_gate("ccz", 3, 0, "Z where three qubits are 1", m.constant(np.diag([1, 1, 1, 1, 1, 1, 1, -1])),
      lambda: controlled_expansion(_expand("cz"), 2), qasm=None)
_gate(
    "rccx", 3, 0, "Toffoli up to phases: Z on the last qubit after 10 on the first two, Y after 11 (Margolus)",
    m.constant(m.RCCX),
    lambda: Expansion(
        (("IIX", π / 4), ("IZX", -π / 4), ("ZZX", π / 4), ("ZIX", -π / 4), ("IIZ", π / 2), ("ZIZ", -π / 2),
         ("ZII", π / 2)), (π / 4,)
    ),
)
_gate("c3sx", 4, 0, "square root of X on the last qubit where the first three are 1",
      m.constant(m.controlled_matrix(m.controlled_matrix(m.controlled_matrix(m.SX)))),
      lambda: controlled_expansion(controlled_expansion(_expand("csx"), 2), 3),
      lambda: (controlled_gate(controlled_gate(controlled_gate(GATES["sxdg"]))), ()), qasm=None)

# What is not unitary stands in a file of its own.
GATES |= CHANNELS

# fmt: on


def find_gate(name: str) -> Gate:
    """The table's entry of a name; CircuitError with the nearest name for an unknown one."""
    if name in GATES:
        return GATES[name]
    from difflib import get_close_matches

    near = get_close_matches(name, GATES, n=1)
    hint = f"did you mean {near[0]!r}?" if near else "known gates: " + " ".join(GATES)
    raise CircuitError(f"unknown gate {name!r}; {hint}")


def pauli_rotation_gate(letters: str) -> Gate:
    """exp(-i a P / 2) for the word P given as letters, e.g. "XZY"."""
    if not isinstance(letters, str) or not letters or set(letters) - set("IXYZ"):
        raise CircuitError(f"Pauli word {letters!r}, expected letters I, X, Y, Z such as 'XZY'")
    single: Mapping[str, np.ndarray] = {"I": m.I2, "X": m.X, "Y": m.Y, "Z": m.Z}

    def matrix(a: float) -> m.Matrix:
        word = np.eye(1)
        for letter in letters:
            word = np.kron(word, single[letter])
        return np.cos(a / 2) * np.eye(len(word)) - 1j * np.sin(a / 2) * word

    return Gate(
        "pauli_rotation",
        len(letters),
        1,
        f"rotation about {letters}",
        matrix,
        lambda a: _rotations((letters, a)),
        lambda a: (pauli_rotation_gate(letters), (-a,)),
        data=letters,
    )


def controlled_gate(gate: Gate) -> Gate:
    """The gate controlled by one more qubit, put first; the table's own entry where there is one."""
    if not gate.is_unitary:
        raise UnsupportedError(f"{gate.name} is a {gate.kind} and cannot be controlled, expected a unitary gate")
    known = f"c{gate.name}"
    if known in GATES and (GATES[known].n_qubits, GATES[known].n_angles) == (gate.n_qubits + 1, gate.n_angles):
        return GATES[known]

    def inverse(*angles: Scalar) -> tuple[Gate, tuple[Scalar, ...]]:
        inner, inner_angles = gate.inverted(angles)
        return controlled_gate(inner), inner_angles

    def expansion(*angles: Scalar) -> Expansion:
        return controlled_expansion(gate.expansion(*angles), gate.n_qubits)

    return Gate(
        "controlled",
        gate.n_qubits + 1,
        gate.n_angles,
        f"controlled {gate.doc}",
        m.controlled_by(gate.matrix),
        expansion,
        inverse,
        data=gate,
    )
