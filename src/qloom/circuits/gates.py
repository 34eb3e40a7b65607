"""The gate table: one entry a gate, carrying all that is known of it.

Every gate is a product of Pauli rotations exp(-i a P / 2), in the order given, times a phase exp(i sum(phases)).
A gate without angles whose rotations all are multiples of pi/2 is a Clifford gate; lowering finds that out by itself.
`matrix` is the textbook matrix, written independently of the expansion: tests hold the two against each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from qloom.circuits.parameters import Angle
from qloom.errors import CircuitError

Scalar = float | Angle
Matrix = np.ndarray

π = np.pi


@dataclass(frozen=True)
class Expansion:
    """A gate as Pauli rotations.

    Args:
        rotations: (letters, angle) pairs, letters over the gate's qubits, applied first to last.
        phases: the product is multiplied by exp(i * sum(phases)).
    """

    rotations: tuple[tuple[str, Scalar], ...] = ()
    phases: tuple[Scalar, ...] = ()


@dataclass(frozen=True, eq=False)
class Gate:
    """One gate. Gates are equal if their names and data are; without data, if they are one entry.

    Args:
        name: method of `Circuit` and name in files.
        n_qubits, n_angles: how many it takes; angles come first in the call.
        doc: one line.
        matrix: angles -> (2^k, 2^k) complex matrix, the first qubit the most significant bit.
        expansion: angles (numbers or slots) -> `Expansion`.
        inverse: angles -> (name or gate, angles) of the inverse.
        qasm: name in OpenQASM 3's stdgates.inc or OpenQASM 2's qelib1.inc, None where it is in neither.
        data: what a gate made on the fly carries besides angles: letters, numbers or the gate it controls.
    """

    name: str
    n_qubits: int
    n_angles: int
    doc: str
    matrix: Callable[..., Matrix]
    expansion: Callable[..., Expansion]
    inverse: Callable[..., tuple[str | Gate, tuple[Scalar, ...]]]
    qasm: str | None = None
    data: Any = None

    def _identity(self) -> tuple[Any, ...]:
        return self.name, self.n_qubits, self.n_angles, self.expansion if self.data is None else self.data

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Gate) and (self is other or self._identity() == other._identity())

    def __hash__(self) -> int:
        return hash(self._identity())

    def inverted(self, angles: Sequence[Scalar]) -> tuple[Gate, tuple[Scalar, ...]]:
        """The inverse gate and its angles."""
        gate, inverse_angles = self.inverse(*angles)
        return (GATES[gate] if isinstance(gate, str) else gate), inverse_angles


GATES: dict[str, Gate] = {}

_I2 = np.eye(2)
_X = np.array([[0, 1], [1, 0]], complex)
_Y = np.array([[0, -1j], [1j, 0]])
_Z = np.diag([1.0 + 0j, -1])
_H = np.array([[1, 1], [1, -1]]) / np.sqrt(2)
_SX = 0.5 * np.array([[1 + 1j, 1 - 1j], [1 - 1j, 1 + 1j]])
_SWAP = np.eye(4)[[0, 2, 1, 3]].astype(complex)
_DCX = np.eye(4)[[0, 2, 3, 1]].astype(complex)
_RCCX = np.diag([1, 1, 1, 1, 1, -1, 0, 0]).astype(complex)
_RCCX[6:, 6:] = _Y
_ECR = np.array([[0, 0, 1, 1j], [0, 0, 1j, 1], [1, -1j, 0, 0], [-1j, 1, 0, 0]]) / np.sqrt(2)


def _rx(a: float) -> Matrix:
    return np.cos(a / 2) * _I2 - 1j * np.sin(a / 2) * _X


def _ry(a: float) -> Matrix:
    return np.cos(a / 2) * _I2 - 1j * np.sin(a / 2) * _Y


def _rz(a: float) -> Matrix:
    return np.diag(np.exp([-0.5j * a, 0.5j * a]))


def _p(a: float) -> Matrix:
    return np.diag([1, np.exp(1j * a)])


def _u(theta: float, phi: float, lam: float) -> Matrix:
    c, s = np.cos(theta / 2), np.sin(theta / 2)
    return np.array([[c, -np.exp(1j * lam) * s], [np.exp(1j * phi) * s, np.exp(1j * (phi + lam)) * c]])


def _two_qubit_rotation(a: np.ndarray, b: np.ndarray) -> Callable[[float], Matrix]:
    word = np.kron(a, b)
    return lambda angle: np.cos(angle / 2) * np.eye(4) - 1j * np.sin(angle / 2) * word


def _exchange(phase: complex) -> Callable[[float], Matrix]:
    """Mixes |01> and |10>: cos on the diagonal, `phase` and -conj(phase) times sin off it."""

    def matrix(a: float) -> Matrix:
        m = np.eye(4, dtype=complex)
        c, s = np.cos(a / 2), np.sin(a / 2)
        m[1:3, 1:3] = [[c, -np.conj(phase) * s], [phase * s, c]]
        return m

    return matrix


def controlled_matrix(matrix: Matrix) -> Matrix:
    """The matrix acting where one more qubit, put first, is 1."""
    size = len(matrix)
    out = np.eye(2 * size, dtype=complex)
    out[size:, size:] = matrix
    return out


def _controlled_by(matrix: Callable[..., Matrix]) -> Callable[..., Matrix]:
    return lambda *angles: controlled_matrix(matrix(*angles))


def _phased_exchange(phase: float, first: int, second: int) -> Callable[[float, float], Matrix]:
    """Mixes two of the four basis states: cos on the diagonal, -i exp(+-i beta) sin off it."""

    def matrix(theta: float, beta: float) -> Matrix:
        m = np.eye(4, dtype=complex)
        c, s = np.cos(theta / 2), -1j * np.sin(theta / 2)
        m[[first, first, second, second], [first, second, first, second]] = (
            c, np.exp(1j * phase * beta) * s, np.exp(-1j * phase * beta) * s, c
        )  # fmt: skip
        return m

    return matrix


def _constant(matrix: Matrix) -> Callable[[], Matrix]:
    return lambda: matrix.astype(complex)


def _rotations(*pairs: tuple[str, Scalar], phases: tuple[Scalar, ...] = ()) -> Expansion:
    return Expansion(pairs, phases)


def controlled_expansion(expansion: Expansion, n_qubits: int) -> Expansion:
    """A gate's expansion controlled by one more qubit, put first.

    Each rotation becomes two commuting ones of half angle; phases turn the control.
    """
    rotations: list[tuple[str, Scalar]] = []
    for letters, angle in expansion.rotations:
        rotations += [("I" + letters, angle / 2), ("Z" + letters, -angle / 2)]
    rotations += [("Z" + "I" * n_qubits, phase) for phase in expansion.phases]
    return Expansion(tuple(rotations), tuple(phase / 2 for phase in expansion.phases))


def _expand(name: str, *angles: Scalar) -> Expansion:
    return GATES[name].expansion(*angles)


def _reversed(name: str) -> Expansion:
    """A gate without angles on its qubits in reverse order."""
    expansion = _expand(name)
    return Expansion(tuple((letters[::-1], angle) for letters, angle in expansion.rotations), expansion.phases)


def _gate(
    name: str,
    n_qubits: int,
    n_angles: int,
    doc: str,
    matrix: Callable[..., Matrix],
    expansion: Callable[..., Expansion],
    inverse: str | Callable[..., tuple[str | Gate, tuple[Scalar, ...]]] = "",
    qasm: str | None = "same",
) -> None:
    """Enter a gate; `inverse` is a name, empty for the same gate with negated angles, or a function of the angles."""
    if isinstance(inverse, str):
        other = inverse or name

        def inverse_of(*angles: Scalar) -> tuple[str | Gate, tuple[Scalar, ...]]:
            return other, tuple(-angle for angle in angles)
    else:
        inverse_of = inverse  # type: ignore[assignment]
    GATES[name] = Gate(name, n_qubits, n_angles, doc, matrix, expansion, inverse_of, name if qasm == "same" else qasm)


# fmt: off
# No qubit.
_gate("global_phase", 0, 1, "phase of the whole state", lambda a: np.array([[np.exp(1j * a)]]),
      lambda a: Expansion((), (a,)), qasm=None)

# One qubit, no angle.
_gate("id", 1, 0, "identity", _constant(_I2), lambda: Expansion())
_gate("x", 1, 0, "Pauli X (NOT)", _constant(_X), lambda: _rotations(("X", π), phases=(π / 2,)))
_gate("y", 1, 0, "Pauli Y", _constant(_Y), lambda: _rotations(("Y", π), phases=(π / 2,)))
_gate("z", 1, 0, "Pauli Z", _constant(_Z), lambda: _rotations(("Z", π), phases=(π / 2,)))
_gate("h", 1, 0, "Hadamard", _constant(_H), lambda: _rotations(("Y", π / 2), ("X", π), phases=(π / 2,)))
_gate("s", 1, 0, "square root of Z", _constant(np.diag([1, 1j])),
      lambda: _rotations(("Z", π / 2), phases=(π / 4,)), "sdg")
_gate("sdg", 1, 0, "inverse of S", _constant(np.diag([1, -1j])),
      lambda: _rotations(("Z", -π / 2), phases=(-π / 4,)), "s")
_gate("t", 1, 0, "fourth root of Z", _constant(_p(π / 4)), lambda: _rotations(("Z", π / 4), phases=(π / 8,)), "tdg")
_gate("tdg", 1, 0, "inverse of T", _constant(_p(-π / 4)), lambda: _rotations(("Z", -π / 4), phases=(-π / 8,)), "t")
_gate("sx", 1, 0, "square root of X", _constant(_SX), lambda: _rotations(("X", π / 2), phases=(π / 4,)), "sxdg")
_gate("sxdg", 1, 0, "inverse of SX", _constant(_SX.conj().T),
      lambda: _rotations(("X", -π / 2), phases=(-π / 4,)), "sx", qasm=None)

# One qubit, with angles.
_gate("rx", 1, 1, "rotation about X", _rx, lambda a: _rotations(("X", a)))
_gate("ry", 1, 1, "rotation about Y", _ry, lambda a: _rotations(("Y", a)))
_gate("rz", 1, 1, "rotation about Z", _rz, lambda a: _rotations(("Z", a)))
_gate("p", 1, 1, "phase of |1>", _p, lambda a: _rotations(("Z", a), phases=(a / 2,)))
_gate("r", 1, 2, "rotation by the first angle about cos(b) X + sin(b) Y",
      lambda a, b: _rz(b) @ _rx(a) @ _rz(-b),
      lambda a, b: _rotations(("Z", -b), ("X", a), ("Z", b)), lambda a, b: ("r", (-a, b)), qasm=None)
_gate(
    "u2", 1, 2, "half-turn family u(pi/2, phi, lambda) of OpenQASM 2",
    lambda p, l: _u(π / 2, p, l),
    lambda p, l: _expand("u", π / 2, p, l),
    lambda p, l: ("u2", (-l - π, π - p)),
)
_gate(
    "u", 1, 3, "any one-qubit gate: theta, phi, lambda of OpenQASM",
    _u,
    lambda t, p, l: _rotations(("Z", l), ("Y", t), ("Z", p), phases=(p / 2, l / 2)),
    lambda t, p, l: ("u", (-t, -l, -p)),
)
_gate(
    "rot", 1, 3, "RZ, RY, RZ in the order of the angles",
    lambda a, b, c: _rz(c) @ _ry(b) @ _rz(a),
    lambda a, b, c: _rotations(("Z", a), ("Y", b), ("Z", c)),
    lambda a, b, c: ("rot", (-c, -b, -a)),
    qasm=None,
)

# Two qubits, no angle.
_gate(
    "cx", 2, 0, "controlled X (CNOT)", _constant(controlled_matrix(_X)), lambda: controlled_expansion(_expand("x"), 1)
)
_gate("cy", 2, 0, "controlled Y", _constant(controlled_matrix(_Y)), lambda: controlled_expansion(_expand("y"), 1))
_gate("cz", 2, 0, "controlled Z", _constant(controlled_matrix(_Z)), lambda: controlled_expansion(_expand("z"), 1))
_gate(
    "ch", 2, 0, "controlled Hadamard", _constant(controlled_matrix(_H)),
    lambda: Expansion(
        (("IY", -π / 4), *_expand("cz").rotations, ("IY", π / 4)), _expand("cz").phases
    ),
)
_gate("cs", 2, 0, "controlled S", _constant(np.diag([1, 1, 1, 1j])), lambda: _expand("cp", π / 2),
      "csdg", qasm=None)
_gate("csdg", 2, 0, "controlled inverse of S", _constant(np.diag([1, 1, 1, -1j])), lambda: _expand("cp", -π / 2),
      "cs", qasm=None)
_gate("csx", 2, 0, "controlled square root of X", _constant(controlled_matrix(_SX)),
      lambda: controlled_expansion(_expand("sx"), 1), lambda: (controlled_gate(GATES["sxdg"]), ()))
_gate("dcx", 2, 0, "CNOT one way, then the other", _constant(_DCX),
      lambda: _rotations(*_expand("cx").rotations, *_reversed("cx").rotations, phases=(π / 2,)), "dcxdg", qasm=None)
_gate("dcxdg", 2, 0, "inverse of DCX", _constant(_DCX.T),
      lambda: _rotations(*_reversed("cx").rotations, *_expand("cx").rotations, phases=(π / 2,)), "dcx", qasm=None)
_gate(
    "swap", 2, 0, "exchange of two qubits", _constant(_SWAP),
    lambda: _rotations(("XX", π / 2), ("YY", π / 2), ("ZZ", π / 2), phases=(π / 4,)),
)
_gate(
    "iswap", 2, 0, "exchange of two qubits with a factor i on |01> and |10>",
    _constant(np.diag([1, 0, 0, 1]) + 1j * (np.kron(_X, _X) + np.kron(_Y, _Y)) / 2),
    lambda: _rotations(("XX", -π / 2), ("YY", -π / 2)),
    lambda: ("xy", (-π,)),
    qasm=None,
)
_gate("ecr", 2, 0, "echoed cross resonance, (IX - XY)/sqrt(2) in words read from the last qubit",
      _constant(_ECR), lambda: _rotations(("ZX", π / 2), ("XI", π), phases=(π / 2,)), qasm=None)

# Two qubits, with angles.
for _axis, _single in (("x", _rx), ("y", _ry), ("z", _rz)):
    _gate(f"cr{_axis}", 2, 1, f"controlled rotation about {_axis.upper()}", _controlled_by(_single),
          lambda a, name=f"r{_axis}": controlled_expansion(_expand(name, a), 1))
_gate("cp", 2, 1, "phase of |11>", _controlled_by(_p), lambda a: controlled_expansion(_expand("p", a), 1))
_gate(
    "cu", 2, 4, "controlled u(theta, phi, lambda) with a phase gamma of the controlled gate",
    lambda t, p, l, g: controlled_matrix(np.exp(1j * g) * _u(t, p, l)),
    lambda t, p, l, g: controlled_expansion(
        Expansion(_expand("u", t, p, l).rotations, (p / 2, l / 2, g)), 1
    ),
    lambda t, p, l, g: ("cu", (-t, -l, -p, -g)),
)
_gate("rxx", 2, 1, "rotation about XX", _two_qubit_rotation(_X, _X), lambda a: _rotations(("XX", a)), qasm="rxx")
_gate("ryy", 2, 1, "rotation about YY", _two_qubit_rotation(_Y, _Y), lambda a: _rotations(("YY", a)), qasm=None)
_gate("rzz", 2, 1, "rotation about ZZ", _two_qubit_rotation(_Z, _Z), lambda a: _rotations(("ZZ", a)), qasm="rzz")
_gate("rzx", 2, 1, "rotation about ZX", _two_qubit_rotation(_Z, _X), lambda a: _rotations(("ZX", a)), qasm=None)
_gate("xy", 2, 1, "partial exchange exp(i a (XX + YY) / 4)", _exchange(1j),
      lambda a: _rotations(("XX", -a / 2), ("YY", -a / 2)), qasm=None)
_gate("givens", 2, 1, "real rotation in the span of |01> and |10> (single excitation)", _exchange(1),
      lambda a: _rotations(("XY", -a / 2), ("YX", a / 2)), qasm=None)
for _sign, _name, _states in ((1, "plus", (1, 2)), (-1, "minus", (0, 3))):
    _gate(f"xx_{_name}_yy", 2, 2,
          f"partial exchange exp(-i a (XX {'+-'[_sign < 0]} YY) / 4), its phases turned by b",
          _phased_exchange(_sign, *_states),
          lambda a, b, sign=_sign: _rotations(
              ("ZI", sign * b), ("XX", a / 2), ("YY", sign * a / 2), ("ZI", -sign * b)),
          lambda a, b, name=f"xx_{_name}_yy": (name, (-a, b)), qasm=None)

# Three qubits and more.
_gate(
    "ccx", 3, 0, "Toffoli: X on the last qubit where the first two are 1",
    _constant(controlled_matrix(controlled_matrix(_X))),
    lambda: controlled_expansion(_expand("cx"), 2),
)
_gate("cswap", 3, 0, "Fredkin: exchange of the last two qubits where the first is 1",
      _constant(controlled_matrix(_SWAP)), lambda: controlled_expansion(_expand("swap"), 2))
_gate("ccz", 3, 0, "Z where three qubits are 1", _constant(np.diag([1, 1, 1, 1, 1, 1, 1, -1])),
      lambda: controlled_expansion(_expand("cz"), 2), qasm=None)
_gate(
    "rccx", 3, 0, "Toffoli up to phases: Z on the last qubit after 10 on the first two, Y after 11 (Margolus)",
    _constant(_RCCX),
    lambda: Expansion(
        (("IIX", π / 4), ("IZX", -π / 4), ("ZZX", π / 4), ("ZIX", -π / 4), ("IIZ", π / 2), ("ZIZ", -π / 2),
         ("ZII", π / 2)), (π / 4,)
    ),
)
_gate("c3sx", 4, 0, "square root of X on the last qubit where the first three are 1",
      _constant(controlled_matrix(controlled_matrix(controlled_matrix(_SX)))),
      lambda: controlled_expansion(controlled_expansion(_expand("csx"), 2), 3),
      lambda: (controlled_gate(controlled_gate(controlled_gate(GATES["sxdg"]))), ()), qasm=None)

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
    single: Mapping[str, np.ndarray] = {"I": _I2, "X": _X, "Y": _Y, "Z": _Z}

    def matrix(a: float) -> Matrix:
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
    known = f"c{gate.name}"
    if known in GATES and (GATES[known].n_qubits, GATES[known].n_angles) == (gate.n_qubits + 1, gate.n_angles):
        return GATES[known]

    def inverse(*angles: Scalar) -> tuple[str | Gate, tuple[Scalar, ...]]:
        inner, inner_angles = gate.inverted(angles)
        return controlled_gate(inner), inner_angles

    def expansion(*angles: Scalar) -> Expansion:
        return controlled_expansion(gate.expansion(*angles), gate.n_qubits)

    return Gate(
        "controlled",
        gate.n_qubits + 1,
        gate.n_angles,
        f"controlled {gate.doc}",
        _controlled_by(gate.matrix),
        expansion,
        inverse,
        data=gate,
    )
