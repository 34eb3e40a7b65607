"""Circuits from Amazon Braket and to it.

Braket's circuits have measurements at their end alone and no resets or conditions. Its modifiers (controls, powers) are
taken on each gate; `control_state` says which values controls have.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from qloom.circuits.channels import CHANNELS, depolarizing_gate, kraus_gate, pauli_channel_gate
from qloom.circuits.circuit import Circuit
from qloom.circuits.conditions import bits_written, measured_gate
from qloom.circuits.exchange.gate_names import meanings, written_names
from qloom.circuits.exchange.symbols import Symbols, expression_of, slot_names
from qloom.circuits.operations import Operation
from qloom.circuits.parts import (
    Part,
    alone,
    as_numbers,
    checked_circuit,
    checked_foreign,
    controlled_part,
    finished,
    kraus_of,
    matrix_part,
    phase_part,
    placed,
    powered_part,
    refused,
    simpler,
    split_controls,
    with_start,
)
from qloom.circuits.transfer import words
from qloom.errors import UnsupportedError
from qloom.extras import package

_DIRECTIVES = {"StartVerbatimBox", "EndVerbatimBox", "Barrier"}


def from_braket(circuit: Any, inputs: Sequence[str] = ()) -> Circuit:
    """The circuit of a `braket.circuits.Circuit`.

    Its qubits in the order of their numbers become 0, 1, ...; those that do not occur do not exist. FreeParameters are
    weights in the order in which they occur. Measured qubits have bits in the order of Braket's results, and a circuit
    without a measurement none. Result types, boxes and barriers are left out. Global phases are kept.

    Args:
        circuit: Braket's.
        inputs: names of parameters that are inputs, one value a sample.

    Raises:
        ExtraError: without Braket.
        CircuitError: for an angle that is no a * x + b of one parameter.
        UnsupportedError: for an instruction that has no meaning here, by its name.
    """
    library = package("braket.circuits", "from_braket", "exchange", brought_by="amazon-braket-sdk")
    checked_foreign(circuit, library.Circuit, "from_braket")
    # Braket's own `qubits` lacks those that only control a GPhase that was added as an instruction.
    found = {int(q) for one in circuit.instructions for q in (*one.target, *one.control)}
    places = {q: k for k, q in enumerate(sorted(found))}
    out = Circuit(max(1, len(places)))
    symbols = Symbols(out, _names(circuit), inputs)
    n_measured = sum(one.operator.name == "Measure" for one in circuit.instructions)
    if n_measured:
        out.bits(n_measured)
    reader = _Reader(symbols)
    part = Part()
    for instruction in circuit.instructions:
        part += reader.instruction_part(instruction, [places[int(q)] for q in instruction.target], places)
    return finished(out, part)


def _names(circuit: Any) -> list[str]:
    """Of parameters, in the order in which they occur."""
    names = []
    for instruction in circuit.instructions:
        for value in getattr(instruction.operator, "parameters", ()):
            if hasattr(value, "expression"):
                names += sorted(str(symbol) for symbol in value.expression.free_symbols)
    return names


class _Reader:
    def __init__(self, symbols: Symbols):
        self.symbols = symbols
        self.n_bits = 0

    def instruction_part(self, instruction: Any, target: Sequence[int], places: dict[int, int]) -> Part:
        op, controls = instruction.operator, [places[int(q)] for q in instruction.control]
        if op.name in _DIRECTIVES:
            return []
        if op.name == "Measure":
            self.n_bits += 1
            return alone(measured_gate(self.n_bits - 1), target)
        part = self.operator_part(op, target)
        if instruction.power != 1:
            part = powered_part(part, instruction.power, target, op.name)
        if not controls:
            return part
        return controlled_part(part, controls, tuple(instruction.control_state), op.name)

    def operator_part(self, op: Any, target: Sequence[int]) -> Part:
        name = op.name
        if name == "GPhase":
            value = getattr(op.angle, "expression", op.angle)
            return phase_part(self.symbols.terms(value, "Braket's GPhase"))
        if name in meanings("Braket"):
            return placed(meanings("Braket")[name](*self.angles(op)), target)
        if name in _NOISE:
            return placed([_NOISE[name](*self.angles(op))], target)
        if name == "TwoQubitPauliChannel":
            rates = [float(op.probabilities.get(word, 0.0)) for word in words(2)[1:]]
            return alone(pauli_channel_gate(2), target, *rates)
        if name == "Kraus" or (hasattr(op, "to_matrix") and hasattr(op, "_probability") and not _is_open(op)):
            return alone(kraus_gate(op.to_matrix()), target)
        if hasattr(op, "to_matrix") and not _is_open(op):
            return matrix_part(op.to_matrix(), target, name)
        raise UnsupportedError(f"Braket's instruction {name} has no gate here and no matrix of numbers; replace it")

    def angles(self, op: Any) -> list[Any]:
        values = [getattr(value, "expression", value) for value in getattr(op, "parameters", ())]
        return [self.symbols.angle(value, f"Braket's {op.name}") for value in values]


def _is_open(op: Any) -> bool:
    """Whether it has parameters that are no numbers."""
    return any(hasattr(value, "expression") for value in getattr(op, "parameters", ()))


def _dephasing_of_two(p: Any) -> tuple[Any, tuple[Any, ...], Sequence[int]]:
    rates = {"IZ": p / 3, "ZI": p / 3, "ZZ": p / 3}
    return pauli_channel_gate(2), tuple(rates.get(word, 0.0) for word in words(2)[1:]), (0, 1)


_NOISE: dict[str, Any] = {
    "BitFlip": lambda p: ("bit_flip", (p,), (0,)),
    "PhaseFlip": lambda p: ("phase_flip", (p,), (0,)),
    "Depolarizing": lambda p: ("depolarizing", (p,), (0,)),
    "AmplitudeDamping": lambda g: ("amplitude_damping", (g,), (0,)),
    "PhaseDamping": lambda g: ("phase_damping", (g,), (0,)),
    # Braket's probability is the share that |0> has in the end.
    "GeneralizedAmplitudeDamping": lambda g, p: ("generalized_amplitude_damping", (g, 1 - p), (0,)),
    "PauliChannel": lambda x, y, z: (CHANNELS["pauli_channel"], (x, y, z), (0,)),
    "TwoQubitDepolarizing": lambda p: (depolarizing_gate(2), (p,), (0, 1)),
    "TwoQubitDephasing": _dephasing_of_two,
}


# -- writing


def to_braket(circuit: Circuit) -> Any:
    """The circuit as a `braket.circuits.Circuit`.

    Slots are FreeParameters of their blocks' names, elements "w_0", "w_1", ..., whose names Braket allows. Measurements
    come last, in the order of their bits. Qubits that nothing acts on have an identity. Gates without a name in Braket
    are matrices, controlled gates, or products of Pauli rotations; channels are Kraus operators. Global phases stay.

    Raises:
        ExtraError: without Braket.
        UnsupportedError: for resets, conditions, measurements that something follows, readout errors, channels whose
            rates are slots, amplitudes that are inputs.
    """
    library = package("braket.circuits", "to_braket", "exchange", brought_by="amazon-braket-sdk")
    part = with_start(checked_circuit(circuit, "to_braket"), "to_braket")
    out = library.Circuit()
    writer = _Writer(library, circuit)
    gates, measured = _measured_last(part)
    instructions = [one for op in gates for one in writer.instructions(op)]
    seen = {int(q) for one in instructions for q in (*one.target, *one.control)} | set(measured.values())
    for q in sorted(set(range(circuit.n_qubits)) - seen):
        out.i(q)
    for one in instructions:
        out.add_instruction(one)
    if writer.phases:
        out.gphase(sum(writer.phases[1:], writer.phases[0]))
    if measured:
        out.measure([measured[bit] for bit in sorted(measured)])
    return out


def _measured_last(part: Part) -> tuple[Part, dict[int, int]]:
    """Gates, and the qubit of each bit that is measured; raise where that is not at the end."""
    gates, measured = Part(), dict[int, int]()
    for op in part:
        busy = set(op.qubits) & set(measured.values())
        bits = bits_written(op.gate) if op.gate.kind == "measurement" else ()
        if busy or set(bits) & set(measured):
            raise UnsupportedError(
                f"to_braket got {op.gate.name} after a measurement of the same qubit or bit, which Braket has not; "
                "measure at the end"
            )
        if bits:
            measured[bits[0]] = op.qubits[0]
        else:
            gates.append(op)
    return gates, measured


class _Writer:
    def __init__(self, library: Any, circuit: Circuit):
        self.library = library
        self.phases: list[Any] = []  # one in all is written: of several, Braket keeps the last of a moment
        parametric = package("braket.parametric", "to_braket", "exchange", brought_by="amazon-braket-sdk")
        names = slot_names(circuit)
        self.parameters = {
            slot: parametric.FreeParameter(name if place is None else f"{name}_{place}")
            for slot, (name, place, _) in names.items()
        }
        written = [parameter.name for parameter in self.parameters.values()]
        if len(set(written)) != len(written):
            twice = next(name for name in written if written.count(name) > 1)
            raise UnsupportedError(f"two slots become Braket's parameter {twice!r}; rename a block")

    def instructions(self, op: Operation) -> list[Any]:
        library, name, kind = self.library, op.gate.name, op.gate.kind
        if kind == "channel" or (kind == "measurement" and not bits_written(op.gate)):
            return [library.Instruction(library.Noise.Kraus(list(kraus_of(op, "to_braket"))), op.qubits)]
        if kind != "unitary":
            raise refused(op, "Braket")
        if name == "global_phase":
            self.phases.append(expression_of(op.angles[0], self.parameters))
            return []
        # Braket's make_bound_circuit forgets the controls of gates with parameters: these are written without.
        if (name == "controlled" or name in ("crx", "cry", "crz", "ch")) and as_numbers(op.angles):
            count, inner = split_controls(op) if name == "controlled" else (1, _uncontrolled(op))
            gate = self.gate(inner) if inner.gate.n_qubits else None
            if gate is not None:
                return [library.Instruction(gate, op.qubits[count:], control=op.qubits[:count])]
        gate = self.gate(op)
        if gate is not None:
            return [library.Instruction(gate, op.qubits)]
        return [one for each in simpler(op) for one in self.instructions(each)]

    def gate(self, op: Operation) -> Any:
        """Braket's gate, or None where there is none."""
        names = written_names("Braket")
        if op.gate.name in names:
            angles = [expression_of(angle, self.parameters) for angle in op.angles]
            return getattr(self.library.Gate, names[op.gate.name])(*angles)
        if op.gate.name in ("unitary", "diagonal"):
            return self.library.Gate.Unitary(np.asarray(op.gate.matrix(), complex))
        return None


def _uncontrolled(op: Operation) -> Operation:
    from qloom.circuits.gates import GATES

    return Operation(GATES[op.gate.name[1:]], op.qubits[1:], op.angles)
