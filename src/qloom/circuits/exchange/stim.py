"""Circuits from Stim and to it: Clifford gates, measurements, resets, Pauli noise.

Stim has no global phase; its gates are read as the matrices that it documents, phase and all. Every measurement adds a
bit to its record, in order: record k is bit k here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import product
from typing import Any

import numpy as np

from qloom.circuits.channels import CHANNELS, depolarizing_gate, pauli_channel_gate
from qloom.circuits.circuit import Circuit
from qloom.circuits.conditions import Condition, bits_written, condition_on, measured_gate
from qloom.circuits.exchange.gate_names import Step, rotations
from qloom.circuits.gates import find_gate
from qloom.circuits.operations import Operation
from qloom.circuits.parameters import as_angle
from qloom.circuits.parts import (
    Part,
    alone,
    as_numbers,
    checked_circuit,
    checked_foreign,
    conditional_part,
    finished,
    inverted_part,
    part_matrix,
    placed,
    refused,
    split_conditions,
    values_of,
    with_start,
)
from qloom.circuits.transfer import words
from qloom.errors import UnsupportedError
from qloom.extras import package

π = np.pi
_SMALL = 1e-9
_NOTES = {"DETECTOR", "OBSERVABLE_INCLUDE", "QUBIT_COORDS", "SHIFT_COORDS", "TICK"}
_MOST_TABLEAU_QUBITS = 6


def from_stim(circuit: Any) -> Circuit:
    """The circuit of a `stim.Circuit`, its repetitions written out.

    Detectors, observables, coordinates and ticks are left out: they say what is made of the record. A measurement that
    reads wrongly with some probability is read where its qubit is not used afterwards, as a flip before it.

    Raises:
        ExtraError: without Stim.
        UnsupportedError: for an instruction that has no meaning here, by its name: sweep bits, heralded and correlated
            errors, wrong readings of qubits that are used afterwards.
    """
    stim = package("stim", "from_stim", "exchange")
    checked_foreign(circuit, stim.Circuit, "from_stim")
    out = Circuit(max(1, circuit.num_qubits))
    if circuit.num_measurements:
        out.bits(circuit.num_measurements)
    reader = _Reader(circuit.flattened())
    return finished(out, reader.part())


class _Reader:
    def __init__(self, circuit: Any):
        self.steps = [(one, group) for one in circuit if one.name not in _NOTES for group in one.target_groups()]
        self.n_bits = 0
        self.is_free = list[bool]()  # whether nothing, or a reset, follows a step on its qubits
        later: dict[int, bool] = {}
        for one, group in reversed(self.steps):
            qubits = [target.value for target in group if _is_qubit(target)]
            self.is_free.append(all(later.get(q, True) for q in qubits))
            later |= dict.fromkeys(qubits, one.name in _RESET_TO)
        self.is_free.reverse()

    def part(self) -> Part:
        steps = zip(self.steps, self.is_free, strict=True)
        return [op for (one, group), is_free in steps for op in self.group_part(one, group, is_free)]

    def group_part(self, instruction: Any, group: Sequence[Any], is_free: bool) -> Part:
        name, args = instruction.name, instruction.gate_args_copy()
        if name in ("SPP", "SPP_DAG"):
            return self.product_phase(name, group)
        if name in _MEASURED_WORDS or name == "MPP":
            return self.measurement_part(name, args, group, is_free)
        if name in _RESET_TO:
            return [*alone("reset", [group[0].value]), *_from_z(_RESET_TO[name], group[0].value)]
        if name == "MPAD":
            return self.padding(group[0].value)
        if name in _NOISE:
            return placed([_NOISE[name](*args)], [target.value for target in group])
        if name in ("I_ERROR", "II_ERROR"):
            return []
        if name in ("E", "CORRELATED_ERROR"):
            return self.correlated(args[0], group)
        if package("stim", "from_stim", "exchange").gate_data(name).is_unitary:
            return self.gate_part(name, group)
        raise UnsupportedError(f"Stim's {name} has no meaning here, expected Clifford gates, M, R and Pauli noise")

    def gate_part(self, name: str, group: Sequence[Any]) -> Part:
        """A gate, or a Pauli under a bit of the record: CX rec[-1] 5."""
        others = [target for target in group if not _is_qubit(target)]
        if not others:
            return placed(_meaning(name), [target.value for target in group])
        places = [target.value for target in group if _is_qubit(target)]
        if len(places) != 1 or not others[0].is_measurement_record_target:
            raise UnsupportedError(f"Stim's {name} has the target {others[0]}, expected qubits and records; bind it")
        letter = name.replace("C", "") if name in ("CX", "CY", "CZ") else {"XCZ": "X", "YCZ": "Y"}[name]
        condition = condition_on(self.n_bits + others[0].value)
        return conditional_part(alone(letter.lower(), places), condition, name)

    def product_phase(self, name: str, group: Sequence[Any]) -> Part:
        """The square root of a Pauli word: exp(i pi / 4 (1 - P))."""
        word, places, sign = _word(group)
        part = placed(rotations((word, sign * π / 2), phase=π / 4), places)
        return part if name == "SPP" else inverted_part(part, name)

    def measurement_part(self, name: str, args: Sequence[float], group: Sequence[Any], is_free: bool) -> Part:
        """A word measured on its last qubit, after a change of basis that is undone."""
        word = _MEASURED_WORDS.get(name)
        if word is None:
            word, places, sign = _word(group)
        else:
            places = [target.value for target in group]
            sign = -1 if sum(target.is_inverted_result_target for target in group) % 2 else 1
        there = [one for letter, q in zip(word, places, strict=True) for one in _to_z(letter, q)]
        there += [one for q in places[:-1] for one in alone("cx", (q, places[-1]))]
        flip = alone("x", places[-1:]) if sign < 0 else []
        part = [*there, *flip, *self.wrong_reading(name, args, places, is_free)]
        part += alone(measured_gate(self.n_bits), places[-1:])
        self.n_bits += 1
        back = inverted_part([*there, *flip], name)
        if name.startswith("MR"):
            return [*part, *alone("reset", places), *_from_z(word, places[0])]
        return [*part, *back]

    def wrong_reading(self, name: str, args: Sequence[float], places: Sequence[int], is_free: bool) -> Part:
        """The flip of what is read, which flips the qubit too: where nothing comes of that."""
        if not args or args[0] == 0:
            return []
        if len(places) > 1 or not (is_free or name.startswith("MR")):
            raise UnsupportedError(
                f"Stim's {name}({args[0]:g}) reads qubit {places[0]} wrongly, which is used afterwards; measure "
                "without an argument, or reset it then"
            )
        return alone("bit_flip", places, float(args[0]))

    def padding(self, value: int) -> Part:
        if value:
            raise UnsupportedError("Stim's MPAD 1 adds a bit that is 1 always, which has no meaning here; leave it out")
        self.n_bits += 1
        return []

    def correlated(self, p: float, group: Sequence[Any]) -> Part:
        word, places, _ = _word(group)
        if len(places) > 2:
            raise UnsupportedError(f"Stim's CORRELATED_ERROR is on {len(places)} qubits, expected one or two")
        rates = [p if one == word else 0.0 for one in words(len(places))[1:]]
        return alone(pauli_channel_gate(len(places)), places, *rates)


def _is_qubit(target: Any) -> bool:
    return target.is_qubit_target or target.pauli_type != "I"


def _word(group: Sequence[Any]) -> tuple[str, list[int], int]:
    """Letters, qubits and sign of a product of Pauli targets, equal qubits multiplied."""
    stim = package("stim", "from_stim", "exchange")
    size = 1 + max(target.value for target in group)
    whole = stim.PauliString(size)
    for target in group:
        whole *= stim.PauliString(f"{target.pauli_type}{target.value}")
        whole *= -1 if target.is_inverted_result_target else 1
    if whole.sign not in (1, -1):
        raise UnsupportedError(f"Stim's product {whole} is not Hermitian, expected one that is")
    places = [q for q in range(size) if whole[q]]
    return "".join("IXYZ"[whole[q]] for q in places), places, int(whole.sign.real)


def _to_z(letter: str, qubit: int) -> Part:
    """Gates that turn a letter to Z."""
    return {"Z": [], "X": alone("h", (qubit,)), "Y": alone("sx", (qubit,))}[letter]


def _from_z(letter: str, qubit: int) -> Part:
    return inverted_part(_to_z(letter, qubit), letter)


# -- what Stim's gates are

_MEASURED_WORDS = {
    "M": "Z", "MX": "X", "MY": "Y", "MR": "Z", "MRX": "X", "MRY": "Y", "MXX": "XX", "MYY": "YY", "MZZ": "ZZ",
}  # fmt: skip
_RESET_TO = {"R": "Z", "RX": "X", "RY": "Y"}
_SINGLE = {
    "I": "id", "X": "x", "Y": "y", "Z": "z", "H": "h", "S": "s", "S_DAG": "sdg", "SQRT_X": "sx", "SQRT_X_DAG": "sxdg",
}  # fmt: skip
_DOUBLE = {"CX": "cx", "CY": "cy", "CZ": "cz", "SWAP": "swap", "ISWAP": "iswap"}
_ALPHABET = ("h", "s", "sdg", "sx", "sxdg", "x", "y", "z")


_NOISE: dict[str, Callable[..., Step]] = {
    "X_ERROR": lambda p: ("bit_flip", (p,), (0,)),
    "Y_ERROR": lambda p: ("bit_phase_flip", (p,), (0,)),
    "Z_ERROR": lambda p: ("phase_flip", (p,), (0,)),
    "DEPOLARIZE1": lambda p: (CHANNELS["depolarizing"], (p,), (0,)),
    "DEPOLARIZE2": lambda p: (depolarizing_gate(2), (p,), (0, 1)),
    # In the order of our words: IX, IY, IZ, XI, ....
    "PAULI_CHANNEL_1": lambda *p: (pauli_channel_gate(1), p, (0,)),
    "PAULI_CHANNEL_2": lambda *p: (pauli_channel_gate(2), p, (0, 1)),
}


@cache
def _meaning(name: str) -> list[Step]:
    """A Clifford gate as gates of ours."""
    if name in _SINGLE:
        return [(_SINGLE[name], (), (0,))]
    if name in _DOUBLE:
        return [(_DOUBLE[name], (), (0, 1))]
    if name.startswith("SQRT_") and len(name.split("_")[1]) == 2:
        sign = -1 if name.endswith("_DAG") else 1
        return rotations((name.split("_")[1], sign * π / 2), phase=sign * π / 4)
    if name == "ISWAP_DAG":
        return [("xy", (-π,), (0, 1))]
    if name in ("CXSWAP", "CZSWAP"):
        return [(name[:2].lower(), (), (0, 1)), ("swap", (), (0, 1))]
    if name == "SWAPCX":
        return [("swap", (), (0, 1)), ("cx", (), (0, 1))]
    if name == "II":
        return [("id", (), (0,)), ("id", (), (1,))]
    if len(name) == 3 and name[1] == "C":
        return _controlled_pauli(name[0], name[2])
    return _single_clifford(name)


def _controlled_pauli(control: str, target: str) -> list[Step]:
    """The second letter where the first is -1: exp(i pi / 4 (1 - P)(1 - Q))."""
    words = ((control + "I", π / 2), ("I" + target, π / 2), (control + target, -π / 2))
    return rotations(*words, phase=π / 4)


def _single_clifford(name: str) -> list[Step]:
    """The shortest product of named gates that is the matrix up to its phase, and the phase."""
    matrix = package("stim", "from_stim", "exchange").gate_data(name).unitary_matrix
    for length in (1, 2, 3):
        for names in product(_ALPHABET, repeat=length):
            made = np.eye(2)
            for one in names:
                made = find_gate(one).matrix() @ made
            overlap = np.trace(made.conj().T @ matrix) / 2
            if abs(abs(overlap) - 1) < 1e-6:  # Stim's matrices are in single precision
                phase = round(np.angle(overlap) / (π / 4)) * π / 4
                steps: list[Step] = [(one, (), (0,)) for one in names]
                return [*steps, ("global_phase", (phase,), ())] if phase else steps
    raise UnsupportedError(f"Stim's {name} has no meaning here, expected a Clifford gate on one or two qubits")


# -- writing


def to_stim(circuit: Circuit) -> Any:
    """The circuit as a `stim.Circuit`, up to its global phase, which Stim has not.

    Rotations by multiples of pi/2 are Clifford gates. Measurements write bits 0, 1, ... in this order, as Stim's record
    does; one without a bit is the loss of phase that it is. X, Y and Z may be under a condition on one bit.

    Raises:
        ExtraError: without Stim.
        UnsupportedError: for a gate that is no Clifford gate, noise that is no Pauli noise on one or two qubits, slots,
            other conditions, bits in another order, by name.
    """
    stim = package("stim", "to_stim", "exchange")
    part = with_start(checked_circuit(circuit, "to_stim"), "to_stim")
    writer = _Writer(stim)
    for op in part:
        writer.write(op)
    if circuit.n_bits > writer.n_bits:  # bits that nothing writes are 0
        writer.circuit.append("MPAD", [0] * (circuit.n_bits - writer.n_bits))
    if circuit.n_qubits > writer.circuit.num_qubits:
        writer.circuit.append("I", [circuit.n_qubits - 1])
    return writer.circuit


class _Writer:
    def __init__(self, stim: Any):
        self.stim, self.circuit = stim, stim.Circuit()
        self.n_bits = 0

    def write(self, op: Operation) -> None:
        inner, condition = split_conditions(op)
        if condition is not None:
            self.write_conditional(inner, condition)
        elif inner.gate.kind == "measurement":
            self.write_measurement(inner)
        elif inner.gate.kind == "reset":
            self.circuit.append("R", inner.qubits)
        elif inner.gate.kind == "channel":
            self.write_noise(inner)
        elif inner.gate.is_unitary:
            self.write_gate(inner)
        else:
            raise refused(inner, "Stim")

    def write_conditional(self, op: Operation, condition: Condition) -> None:
        values = values_of(condition)
        if op.gate.name == "global_phase":
            return  # branches of different bits never meet again
        if op.gate.name not in ("x", "y", "z") or len(condition.bits) > 1 or len(values) != 1:
            raise UnsupportedError(
                f"to_stim got {op.gate.name} under a condition on bits {condition.bits}, expected x, y or z where one "
                "bit is 0 or 1"
            )
        letter = op.gate.name.upper()
        if values == [0]:
            self.circuit.append(letter, op.qubits)
        if condition.bits[0] < self.n_bits:
            self.circuit.append(f"C{letter}", [self.stim.target_rec(condition.bits[0] - self.n_bits), op.qubits[0]])

    def write_measurement(self, op: Operation) -> None:
        bits = bits_written(op.gate)
        if not bits:
            self.circuit.append("Z_ERROR", op.qubits, 0.5)
            return
        if bits[0] != self.n_bits:
            raise UnsupportedError(
                f"to_stim got a measurement into bit {bits[0]} as number {self.n_bits} of all, expected bits in the "
                "order of the record: 0, 1, ..."
            )
        self.n_bits += 1
        self.circuit.append("M", op.qubits)

    def write_noise(self, op: Operation) -> None:
        gate, width = op.gate, op.gate.n_qubits
        if gate.pauli is None or width > 2 or not as_numbers(op.angles):
            raise UnsupportedError(
                f"{gate.name} on qubits {op.qubits} is no Pauli noise of numbers on one or two qubits"
            )
        rates = [angle.offset for angle in op.angles]
        flips = {"bit_flip": "X_ERROR", "phase_flip": "Z_ERROR", "bit_phase_flip": "Y_ERROR"}
        if gate.name in flips:
            self.circuit.append(flips[gate.name], op.qubits, rates)
        elif gate.name == "depolarizing":
            self.circuit.append(f"DEPOLARIZE{width}", op.qubits, rates)
        else:
            found = np.asarray(gate.pauli(*rates), float)[1:]
            self.circuit.append(f"PAULI_CHANNEL_{width}", op.qubits, found.tolist())

    def write_gate(self, op: Operation) -> None:
        name = op.gate.name
        if name == "global_phase":
            return
        if not as_numbers(op.angles):
            raise UnsupportedError(
                f"{name} on qubits {op.qubits} has the slot {op.angles[0]!r}, which is no Clifford gate"
            )
        named = {ours: theirs for theirs, ours in (_SINGLE | _DOUBLE).items()}
        if name in named:
            self.circuit.append(named[name], op.qubits)
        elif not self.write_rotations(op) and not self.write_tableau(op):
            places = ", ".join(map(str, op.qubits))
            numbers = f" of {', '.join(map(repr, op.angles))}" if op.angles else ""
            raise UnsupportedError(
                f"{name}{numbers} on qubits {places} is no Clifford gate, which is all that Stim has"
            )

    def write_rotations(self, op: Operation) -> bool:
        """By rotations about words, where all are by multiples of pi/2; whether they were."""
        expansion = op.gate.expansion(*op.angles)
        found = []
        for word, angle in expansion.rotations:
            quarters = as_angle(angle).offset / (π / 2)
            if abs(quarters - round(quarters)) > _SMALL:
                return False
            found.append((word, round(quarters) % 4))
        for word, quarters in found:
            self.write_rotation(
                [(letter, q) for letter, q in zip(word, op.qubits, strict=True) if letter != "I"], quarters
            )
        return True

    def write_rotation(self, letters: Sequence[tuple[str, int]], quarters: int) -> None:
        if not quarters or not letters:
            return
        if quarters == 2:
            for letter, q in letters:
                self.circuit.append(letter, [q])
            return
        targets = [
            one for letter, q in letters for one in (self.stim.target_pauli(q, letter), self.stim.target_combiner())
        ]
        self.circuit.append("SPP" if quarters == 1 else "SPP_DAG", targets[:-1])

    def write_tableau(self, op: Operation) -> bool:
        """By the tableau of the gate's matrix, where that is a Clifford gate's; whether it was."""
        if not 1 <= len(op.qubits) <= _MOST_TABLEAU_QUBITS:
            return False
        matrix = op.gate.matrix(*(angle.offset for angle in op.angles))
        try:
            tableau = self.stim.Tableau.from_unitary_matrix(matrix, endian="big")
        except ValueError:
            return False
        found = tableau.to_circuit("elimination")
        made = part_matrix(_Reader(found).part(), range(len(op.qubits)), op.gate.name)
        # Stim takes what is nearly a Clifford gate's matrix for one.
        overlap = np.vdot(made, matrix)
        if np.abs(made * (overlap / abs(overlap)) - matrix).max() > _SMALL:
            return False
        for one in found:
            self.circuit.append(one.name, [op.qubits[target.value] for target in one.targets_copy()])
        return True
