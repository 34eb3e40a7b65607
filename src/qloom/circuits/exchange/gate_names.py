"""What the gates of other packages mean: their names, and those that differ from ours in angles, order or phase.

`SAME` has the gates that are equal: same matrix with its phase, same order of angles and qubits. `DIFFERENT` has the
others as gates of ours on qubits 0, 1, ... of the foreign gate. All angles are radians: readers have scaled them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from qloom.circuits.gate import Scalar
from qloom.circuits.gates import GATES, controlled_gate, find_gate, pauli_rotation_gate
from qloom.circuits.parts import Step

π = np.pi
Meaning = Callable[..., list[Step]]

SAME = """
ours         Qiskit        PennyLane             Braket       pytket   QPanda
id           id            Identity              I            noop     I
x            x             PauliX                X            X        X
y            y             PauliY                Y            Y        Y
z            z             PauliZ                Z            Z        Z
h            h             Hadamard              H            H        H
s            s             S                     S            S        S
sdg          sdg           Adjoint(S)            Si           Sdg      -
t            t             T                     T            T        T
tdg          tdg           Adjoint(T)            Ti           Tdg      -
sx           sx            SX                    V            SX       -
sxdg         sxdg          Adjoint(SX)           Vi           SXdg     -
rx           rx            RX                    Rx           Rx       RX
ry           ry            RY                    Ry           Ry       RY
rz           rz            RZ                    Rz           Rz       RZ
p            p             PhaseShift            PhaseShift   U1       P
r            r             -                     PRx          PhasedX  RPHI
u2           u2            U2                    -            U2       U2
u            u             U3                    U            U3       U3
rot          -             Rot                   -            -        -
cx           cx            CNOT                  CNot         CX       CNOT
cy           cy            CY                    CY           CY       -
cz           cz            CZ                    CZ           CZ       CZ
ch           ch            CH                    -            CH       -
cs           cs            -                     -            CS       -
csdg         csdg          -                     -            CSdg     -
csx          csx           -                     CV           CSX      -
dcx          dcx           -                     -            -        -
swap         swap          SWAP                  Swap         SWAP     SWAP
iswap        iswap         ISWAP                 ISwap        ISWAPMax ISWAP
ecr          ecr           ECR                   ECR          ECR      -
crx          crx           CRX                   -            CRx      CRX
cry          cry           CRY                   -            CRy      CRY
crz          crz           CRZ                   -            CRz      CRZ
cp           cp            ControlledPhaseShift  CPhaseShift  CU1      CP
cu           cu            -                     -            -        -
rxx          rxx           IsingXX               XX           XXPhase  RXX
ryy          ryy           IsingYY               YY           YYPhase  RYY
rzz          rzz           IsingZZ               ZZ           ZZPhase  RZZ
rzx          rzx           -                     -            -        RZX
xy           -             IsingXY               XY           -        -
givens       -             SingleExcitation      -            -        -
xx_plus_yy   xx_plus_yy    -                     -            -        -
xx_minus_yy  xx_minus_yy   -                     -            -        -
ccx          ccx           Toffoli               CCNot        CCX      TOFFOLI
cswap        cswap         CSWAP                 CSwap        CSWAP    -
ccz          ccz           CCZ                   -            -        -
rccx         rccx          -                     -            -        -
c3sx         c3sx          -                     -            -        -
global_phase global_phase  -                     GPhase       Phase    -
"""


@cache
def written_names(package: str) -> dict[str, str]:
    """Gate of ours -> its name in a package, where they are equal."""
    head, *rows = (line.split() for line in SAME.strip().splitlines())
    column = head.index(package)
    return {row[0]: row[column] for row in rows if row[column] != "-"}


@cache
def meanings(package: str) -> dict[str, Meaning]:
    """Foreign name -> angles in radians -> gates of ours."""
    same = {theirs: _alone(ours) for ours, theirs in written_names(package).items()}
    return same | DIFFERENT[package]


def _alone(name: str) -> Meaning:
    return lambda *angles: [(name, angles, range(find_gate(name).n_qubits))]


def _fixed(name: str, *angles: float) -> Meaning:
    return lambda: [(name, angles, range(GATES[name].n_qubits))]


def _times(name: str, factor: float) -> Meaning:
    return lambda *angles: [(name, [factor * a for a in angles], range(GATES[name].n_qubits))]


def _controlled(name: str) -> Meaning:
    return lambda *angles: [(controlled_gate(GATES[name]), angles, range(GATES[name].n_qubits + 1))]


def _phase_of(bits: str) -> Meaning:
    """exp(i a) on one basis state of two qubits, by X beside cp."""
    flips: list[Step] = [("x", (), (q,)) for q, bit in enumerate(bits) if bit == "0"]
    return lambda a: [*flips, ("cp", (a,), (0, 1)), *flips]


def rotations(*words: tuple[str, Scalar], phase: Scalar | None = None) -> list[Step]:
    """exp(-i a P / 2) for each word, first to last, times exp(i phase)."""
    steps: list[Step] = [(pauli_rotation_gate(w), (a,), range(len(w))) for w, a in words]
    return steps if phase is None else [*steps, ("global_phase", (phase,), ())]


def _gpi(a: Scalar) -> list[Step]:
    return [("rz", (-2 * a,), (0,)), ("x", (), (0,))]


def _ms(a: Scalar, b: Scalar, c: Scalar = π / 2) -> list[Step]:
    """exp(-i c / 2 of (cos a X + sin a Y) (cos b X + sin b Y))."""
    return [
        ("rz", (-a,), (0,)), ("rz", (-b,), (1,)), ("rxx", (c,), (0, 1)), ("rz", (a,), (0,)), ("rz", (b,), (1,)),
    ]  # fmt: skip


def fsim(theta: Scalar, phi: Scalar) -> list[Step]:
    """exp(-i theta (XX + YY) / 2) and exp(-i phi) on |11>."""
    return [("xy", (-2 * theta,), (0, 1)), ("cp", (-phi,), (0, 1))]


def _pswap(a: Scalar) -> list[Step]:
    """Exchange with exp(i a) on |01> and |10>."""
    return [("swap", (), (0, 1)), ("rzz", (a,), (0, 1)), ("global_phase", (a / 2,), ())]


def _excitation(sign: int) -> Meaning:
    """A single excitation with exp(sign i a / 2) on |00> and |11>: these are even under ZZ."""
    return lambda a: [
        ("givens", (a,), (0, 1)), ("rzz", (-sign * a / 2,), (0, 1)), ("global_phase", (sign * a / 4,), ()),
    ]  # fmt: skip


def _fermionic_swap(a: Scalar) -> list[Step]:
    return [("xy", (-a,), (0, 1)), ("p", (a / 2,), (0,)), ("p", (a / 2,), (1,))]


def _excitation_of_two(a: Scalar) -> list[Step]:
    """A rotation in the span of |0011> and |1100>: all others stay."""
    words = {"XXXY": -1, "XXYX": -1, "XYXX": 1, "YXXX": 1, "XYYY": -1, "YXYY": -1, "YYXY": 1, "YYYX": 1}
    return rotations(*((word, sign * a / 8) for word, sign in words.items()))


def _tk1(a: Scalar, b: Scalar, c: Scalar) -> list[Step]:
    return [("rz", (c,), (0,)), ("rx", (b,), (0,)), ("rz", (a,), (0,))]


def _tk2(a: Scalar, b: Scalar, c: Scalar) -> list[Step]:
    return [("rxx", (a,), (0, 1)), ("ryy", (b,), (0, 1)), ("rzz", (c,), (0, 1))]


def phased_iswap(p: Scalar, t: Scalar) -> list[Step]:
    """An iswap power by t / pi between opposite turns of the two qubits."""
    return [("rz", (p,), (0,)), ("rz", (-p,), (1,)), ("xy", (t,), (0, 1)), ("rz", (-p,), (0,)),
            ("rz", (p,), (1,))]  # fmt: skip


DIFFERENT: dict[str, dict[str, Meaning]] = {
    "Qiskit": {
        "u1": _alone("p"),
        "u3": _alone("u"),
        "cu1": _alone("cp"),
        "cu3": lambda t, p, l: [("cu", (t, p, l, 0.0), (0, 1))],
    },
    "PennyLane": {
        "U1": _alone("p"),
        # exp(-i phi), the opposite of everyone's sign.
        "GlobalPhase": _times("global_phase", -1),
        "Adjoint(ISWAP)": _fixed("xy", -π),
        "SISWAP": _fixed("xy", π / 2),
        "CRot": _controlled("rot"),
        "PSWAP": _pswap,
        "CPhaseShift00": _phase_of("00"),
        "CPhaseShift01": _phase_of("01"),
        "CPhaseShift10": _phase_of("10"),
        "SingleExcitationPlus": _excitation(1),
        "SingleExcitationMinus": _excitation(-1),
        "DoubleExcitation": _excitation_of_two,
        "FermionicSWAP": _fermionic_swap,
    },
    "Braket": {
        "CPhaseShift00": _phase_of("00"),
        "CPhaseShift01": _phase_of("01"),
        "CPhaseShift10": _phase_of("10"),
        "PSwap": _pswap,
        "GPi": _gpi,
        "GPi2": lambda a: [("r", (π / 2, a), (0,))],
        "MS": _ms,
    },
    "pytket": {
        "V": _fixed("rx", π / 2),
        "Vdg": _fixed("rx", -π / 2),
        "GPI": _gpi,
        "GPI2": lambda a: [("r", (π / 2, a), (0,))],
        "AAMS": lambda a, b, c: _ms(b, c, a),
        "TK1": _tk1,
        "TK2": _tk2,
        "CV": lambda: [("crx", (π / 2,), (0, 1))],
        "CVdg": lambda: [("crx", (-π / 2,), (0, 1))],
        "CSXdg": lambda: [(controlled_gate(GATES["sxdg"]), (), (0, 1))],
        "CU3": _controlled("u"),
        "ISWAP": _alone("xy"),
        "ZZMax": _fixed("rzz", π / 2),
        "PhasedISWAP": phased_iswap,
        "FSim": fsim,
        "ESWAP": lambda a: [*_tk2(a / 2, a / 2, a / 2), ("global_phase", (-a / 4,), ())],
        "XXPhase3": lambda a: [("rxx", (a,), pair) for pair in ((0, 1), (1, 2), (0, 2))],
        "BRIDGE": lambda: [("cx", (), (0, 2))],
        "Sycamore": lambda: fsim(π / 2, π / 6),
    },
    "QPanda": {
        "X1": _fixed("rx", π / 2),
        "Y1": _fixed("ry", π / 2),
        "Z1": _fixed("rz", π / 2),
        "U1": _alone("p"),
        # A phase, then the angles of RZ, RY and RZ, the last of which acts first: its documentation calls them others.
        "U4": lambda a, b, c, d: [("rot", (d, c, b), (0,)), ("global_phase", (a,), ())],
        "CU": lambda a, b, c, d: [(controlled_gate(GATES["rot"]), (d, c, b), (0, 1)), ("p", (a,), (0,))],
        "SQISWAP": _fixed("xy", π / 2),
        "MS": _fixed("rxx", π / 2),
    },
}
