"""Circuits from OriginQ's QPanda3 (pyqpanda3) and to it.

Its first qubit is the least significant bit of a matrix, and its programs have numbers alone. Programs hand out their
gates flat, under the controls and daggers of the circuits they came in; circuits by themselves do not say that they
are daggered. Where measurements go is not on their nodes but in a list of the program, and what conditions are on in
its text alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from qloom.circuits.channels import kraus_gate
from qloom.circuits.circuit import Circuit
from qloom.circuits.conditions import Condition, bits_written, condition_on, measured_gate
from qloom.circuits.exchange.gate_names import meanings, written_names
from qloom.circuits.gates import GATES
from qloom.circuits.operations import Operation
from qloom.circuits.parts import (
    MOST_MATRIX_QUBITS,
    Part,
    alone,
    check_condition_stays,
    checked_circuit,
    conditional_part,
    controlled_part,
    finished,
    inverted_part,
    kraus_of,
    matrix_part,
    numbers_of,
    placed,
    refused,
    simpler,
    split_conditions,
    split_controls,
    values_of,
    with_start,
)
from qloom.errors import CircuitError, UnsupportedError
from qloom.extras import package

π = np.pi
# What does nothing to a state: waiting, and bounds for compilers.
_WAITS = {"BARRIER", "IDLE", "ECHO"}


def from_qpanda(program: Any) -> Circuit:
    """The circuit of a `pyqpanda3.core.QProg` or `QCircuit`.

    Qubit k becomes qubit k, classical bit k bit k, up to the last that occurs. Conditions (`qif`) hold where all their
    bits are 1. Kraus channels are read; barriers and waits are left out. Global phases are kept.

    Raises:
        ExtraError: without pyqpanda3.
        CircuitError: for what is no program or circuit, such as a VQCircuit, whose numbers are not set.
        UnsupportedError: for loops (`qwhile`), and for what has no meaning here, by its name.
    """
    core = package("pyqpanda3.core", "from_qpanda", "exchange")
    if not isinstance(program, (core.QProg, core.QCircuit)):
        raise CircuitError(
            f"from_qpanda got a {type(program).__name__}, expected a pyqpanda3.core.QProg or QCircuit with its numbers"
        )
    whole = program if isinstance(program, core.QProg) else core.QProg(program)
    reader = _Reader(core, whole)
    part = reader.program_part(whole)
    out = Circuit(max(1, whole.qubits_num()))
    if reader.bits:
        out.bits(max(reader.bits) + 1)
    return finished(out, part)


class _Reader:
    def __init__(self, core: Any, whole: Any):
        self.core = core
        self.bits = set[int]()
        self.measured = iter(
            [(qubit.get_qubit_addr(), bit.get_cbit_addr()) for qubit, bit in whole.get_measure_qubits_cbits()]
        )

    def program_part(self, program: Any) -> Part:
        if _is_condition(program):
            return self.branches_part(program)
        return [op for node in program.operations() for op in self.node_part(node)]

    def node_part(self, node: Any) -> Part:
        core = self.core
        if isinstance(node, core.QGate):
            return self.gate_part(node)
        if isinstance(node, core.MeasureNode):
            qubit, bit = next(self.measured)
            self.bits.add(bit)
            return alone(measured_gate(bit), (qubit,))
        if isinstance(node, core.Karus):
            return alone(kraus_gate(_unflattened(node.karus_matrices())), node.qubits()[::-1])
        if isinstance(node, core.QProg):
            return self.program_part(node)
        raise UnsupportedError(f"QPanda's {type(node).__name__} has no gate here; take it out first")

    def gate_part(self, gate: Any) -> Part:
        name, targets = gate.name(), gate.target_qubits()
        if name in _WAITS:
            return []
        if name == "RESET":
            return alone("reset", targets)
        if name == "ORACLE":  # its matrix has the dagger in it
            part = matrix_part(gate.matrix(), targets[::-1], name)
        elif name in meanings("QPanda"):
            part = placed(meanings("QPanda")[name](*gate.parameters()), targets)
            part = inverted_part(part, name) if gate.is_dagger() else part
        else:
            raise UnsupportedError(f"QPanda's {name} has no gate here; replace it")
        controls = gate.control_qubits()
        return controlled_part(part, controls, [1] * len(controls), name)

    def branches_part(self, node: Any) -> Part:
        """What `qif`, `qelseif` and `qelse` do: each where its own bits are 1 and no earlier condition holds."""
        part, before, branches, text = Part(), list[Condition](), node.operations(), _text(node)
        for k, branch in enumerate(branches):
            head, _, text = text.partition("\n")
            own = [condition_on(bits, (1 << len(bits)) - 1) for bits in self.bits_of(head)]
            inner = self.program_part(branch)
            for condition in [*own, *before]:
                check_condition_stays(inner, condition, "QPanda's qif", is_followed=k + 1 < len(branches))
                inner = conditional_part(inner, condition, "QPanda's qif")
            before += [replace(condition, negated=True) for condition in own]
            text = text[len(_text(branch)) :]
            part += inner
        return part

    def bits_of(self, head: str) -> list[list[int]]:
        """Those of a condition, or none of `qelse`, by its line in the text: nodes do not say their bits."""
        name, _, bits = head.partition(" ")
        if name == "QELSE":
            return []
        if name not in ("QIF", "QELSEIF"):
            raise UnsupportedError(f"QPanda's {name} is a loop, expected conditions alone; write its rounds out")
        found = sorted({int(bit) for bit in re.findall(r"c\[(\d+)\]", bits)})
        self.bits |= set(found)
        return [found]


def _text(program: Any) -> str:
    """OriginIR without its first two lines, which count qubits and bits."""
    return str(program.originir().split("\n", 2)[2])


def _is_condition(program: Any) -> bool:
    """Whether it is one, and not a program that has it inside: then its text is more than that of its first part."""
    parts = program.operations()
    if not parts or not all(isinstance(part, type(program)) for part in parts):
        return False
    first = _text(parts[0])
    return not first or not _text(program).startswith(first)


def _unflattened(matrices: Sequence[Sequence[complex]]) -> list[np.ndarray]:
    """Kraus operators of a node: column by column, as its simulators take them, not row by row, as it is said."""
    side = 1 << ((len(matrices[0]).bit_length() - 1) // 2)
    return [np.reshape(one, (side, side)).T for one in matrices]


# -- writing


def to_qpanda(circuit: Circuit) -> Any:
    """The circuit as a `pyqpanda3.core.QProg`.

    Gates without a name in QPanda are oracles of their matrices, daggers, controlled gates, or products of Pauli
    rotations; channels are Kraus operators, which its density matrix simulator alone runs. A condition that holds for
    several values is one `qif` for each; bits that are to be 0 are its `qelse`. The global phase is one U4 at the end.

    Raises:
        ExtraError: without pyqpanda3.
        UnsupportedError: for slots, since programs have numbers alone, measurements without a bit, readout errors,
            and amplitudes that are inputs.
    """
    core = package("pyqpanda3.core", "to_qpanda", "exchange")
    part = with_start(checked_circuit(circuit, "to_qpanda"), "to_qpanda")
    writer = _Writer(core)
    program = core.QProg(circuit.n_qubits)
    for op in part:
        writer.write(op, program)
    if writer.phase:
        program << core.U4(0, writer.phase, 0.0, 0.0, 0.0)
    return program


class _Writer:
    def __init__(self, core: Any):
        self.core, self.phase = core, 0.0

    def write(self, op: Operation, program: Any) -> None:
        inner, condition = split_conditions(op)
        if condition is None:
            self.write_one(inner, program)
            return
        phase, values = self.phase, values_of(condition)
        changed = set(bits_written(inner.gate)) & set(condition.bits)
        if changed and len(values) > 1:
            raise UnsupportedError(
                f"to_qpanda got a measurement into bit {min(changed)} under a condition on it of {len(values)} values; "
                "measure into another bit"
            )
        for value in values:
            body = self.core.QProg()
            self.write_one(inner, body)
            program.append(self.under(condition, value, body))
        self.phase = phase  # branches of different bits never meet again

    def under(self, condition: Condition, value: int, body: Any) -> Any:
        """A program where the bits have a value: in `qelse` of those that are 0, in `qif` of all that are 1."""
        core = self.core
        ones = [bit for k, bit in enumerate(condition.bits) if value >> k & 1]
        for bit in sorted(set(condition.bits) - set(ones)):
            body = core.qif([bit]).then(core.QProg()).qelse(body)
        return core.qif(ones).then(body).qendif() if ones else body

    def write_one(self, op: Operation, program: Any) -> None:
        core, kind = self.core, op.gate.kind
        bits = bits_written(op.gate)
        if bits:
            program.append(core.measure(op.qubits[0], bits[0]))
        elif kind == "reset":
            program.append(core.RESET(op.qubits[0]))
        elif kind == "channel":
            operators = [one.T.reshape(-1).tolist() for one in kraus_of(op, "to_qpanda")]
            program.append(core.Karus(op.qubits[::-1], operators))
        elif kind != "unitary":
            raise refused(op, "QPanda")
        elif op.gate.name == "global_phase":
            self.phase += numbers_of(op, "to_qpanda")[0]
        else:
            self.write_gate(op, program)

    def write_gate(self, op: Operation, program: Any) -> None:
        gate = self.gate(op)
        if gate is not None:
            program.append(gate)
            return
        for each in simpler(op):
            self.write_one(each, program)

    def gate(self, op: Operation) -> Any:
        """QPanda's gate, or None where there is none."""
        core, name, qubits = self.core, op.gate.name, op.qubits
        angles = numbers_of(op, "to_qpanda")
        if name in written_names("QPanda"):
            return getattr(core, written_names("QPanda")[name])(*qubits, *angles)
        if name in _WRITTEN:
            return _WRITTEN[name](core, *qubits, *angles)
        if name in _CONTROLLED:
            return self.gate(Operation(GATES[name[1:]], qubits[1:], op.angles)).control(qubits[0])
        if name in ("unitary", "diagonal") and len(qubits) <= MOST_MATRIX_QUBITS:
            return core.Oracle(qubits[::-1], np.asarray(op.gate.matrix(), complex))
        if name == "controlled":
            count, inner = split_controls(op)
            if not inner.gate.n_qubits:  # a phase, of the last control
                count, inner = count - 1, Operation(GATES["p"], qubits[-1:], op.angles)
            gate = self.gate(inner)
            return gate if gate is None or not count else gate.control(list(qubits[:count]))
        return None


_CONTROLLED = {"cy", "ch", "cs", "csdg", "csx", "ccz", "cswap"}
# Gates under another name, or other angles: U4(q, a, b, c, d) is exp(i a) RZ(b) RY(c) RZ(d).
_WRITTEN: dict[str, Callable[..., Any]] = {
    "sdg": lambda core, q: core.S(q).dagger(),
    "tdg": lambda core, q: core.T(q).dagger(),
    "sx": lambda core, q: core.U4(q, π / 4, -π / 2, π / 2, π / 2),
    "sxdg": lambda core, q: core.U4(q, π / 4, -π / 2, π / 2, π / 2).dagger(),
    "rot": lambda core, q, a, b, c: core.U4(q, 0.0, c, b, a),
    "cu": lambda core, p, q, t, f, l, g: core.CU(p, q, g + (f + l) / 2, f, t, l),
}
