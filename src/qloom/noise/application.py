"""A noise model put into a circuit."""

from __future__ import annotations

from collections.abc import Sequence

from qloom.circuits.circuit import Circuit
from qloom.circuits.gates import pauli_rotation_gate
from qloom.circuits.operations import Operation
from qloom.circuits.parameters import Angle, as_angle
from qloom.errors import CircuitError
from qloom.noise.model import NoiseModel
from qloom.noise.rules import Entry, OverRotation, Readout, Relaxation, Rule, last_duration
from qloom.noise.scaling import times

MOST_SHOWN = 6
# Two-qubit gates that are the same with their qubits exchanged.
EXCHANGEABLE = {"cz", "cs", "csdg", "cp", "swap", "iswap", "xy", "rxx", "ryy", "rzz", "xx_minus_yy"}


def apply(model: NoiseModel, circuit: Circuit) -> Circuit:
    """See `NoiseModel.apply`."""
    check_device(model, circuit)
    out = circuit.copy()
    out.operations = []
    clock = Clock(model, out)
    for op in circuit.operations:
        entries = [] if op.gate.name in model.free else model.index.entries(op)
        if not entries:
            check_order(model, op)
            check_free(model, op)
        clock.wait(op.qubits, last_duration(entries))
        _add(out, _noise(entries, op, True))
        out.operations += _turned(op, entries)
        _add(out, _noise(entries, op, False))
        if model.crosstalk is not None and op.gate.is_unitary and len(op.qubits) == 2:
            for pair in model.crosstalk.beside(op.qubits):
                if max(pair) < circuit.n_qubits:
                    out.append("rzz", (model.crosstalk.angle,), pair)
    clock.wait(range(circuit.n_qubits), 0.0)
    _add(out, [_placed(entry, places) for entry, places in readouts(model, circuit.n_qubits)])
    return out


def _noise(entries: Sequence[Entry], op: Operation, before: bool) -> list[Operation]:
    """What rules put in front of a gate, or behind it."""
    rules = [entry for entry in entries if isinstance(entry, Rule) and entry.precedes == before]
    return [added for rule in rules for added in rule.on(op.qubits)]


def _add(circuit: Circuit, operations: Sequence[Operation]) -> None:
    """Append with all checks: slots of a model may be none of this circuit's."""
    for op in operations:
        circuit.append(op.gate, op.angles, op.qubits)


def _placed(readout: Readout, places: Sequence[int]) -> Operation:
    return Operation(readout.operation.gate, tuple(places), readout.operation.angles)


def readouts(model: NoiseModel, n_qubits: int) -> list[tuple[Readout, tuple[int, ...]]]:
    """Each readout error with its qubits: those of one qubit, the general one for qubits without, then joint ones."""
    own = {entry.qubits: entry for entry in model.readouts if entry.qubits is not None and len(entry.qubits) == 1}
    general = next((entry for entry in model.readouts if entry.qubits is None), None)
    joint = [entry for entry in model.readouts if entry.qubits is not None and len(entry.qubits) > 1]
    covered = {q for entry in joint for q in entry.qubits or ()}
    found = []
    for q in range(n_qubits):
        entry = own.get((q,), None if q in covered else general)
        if entry is not None:
            found.append((entry, (q,)))
    return found + [(e, e.qubits) for e in joint if e.qubits is not None and max(e.qubits) < n_qubits]


def _turned(op: Operation, entries: Sequence[Entry]) -> list[Operation]:
    """A gate, or its rotations turned too far."""
    fractions = [entry.fraction for entry in entries if isinstance(entry, OverRotation)]
    if not fractions:
        return [op]
    out = []
    for letters, scalar in op.gate.expansion(*op.angles).rotations:
        angle = as_angle(scalar)
        for fraction in fractions:
            angle = angle + times(fraction, angle)
        out.append(_rotation(letters, angle, op.qubits))
    return out


def _rotation(letters: str, angle: Angle, qubits: Sequence[int]) -> Operation:
    kept = [k for k, letter in enumerate(letters) if letter != "I"]
    gate = pauli_rotation_gate("".join(letters[k] for k in kept))
    return Operation(gate, tuple(qubits[k] for k in kept), (angle,))


class Clock:
    """When each qubit is free again; a qubit that waits relaxes. Times count from a qubit's first gate."""

    def __init__(self, model: NoiseModel, circuit: Circuit):
        self._circuit = circuit
        self._own = {entry.qubit: entry for entry in model.relaxations}
        self._free: dict[int, float] = {}

    def wait(self, qubits: Sequence[int], time: float | None) -> None:
        """Let qubits wait for each other, then take a time."""
        if not self._own:
            return
        start = max((self._free.get(q, 0.0) for q in qubits), default=0.0)
        for q in qubits:
            self._relax(q, start - self._free.get(q, start))
        self._free.update(dict.fromkeys(qubits, start + (time or 0.0)))

    def _relax(self, qubit: int, waited: float) -> None:
        entry: Relaxation | None = self._own.get(qubit, self._own.get(None))
        if waited > 0 and entry is not None:
            self._circuit.thermal_relaxation(entry.t1, entry.t2, waited, entry.excited_population, qubit)


# -- what a device has no entry for is refused


def check_device(model: NoiseModel, circuit: Circuit) -> None:
    """Raise CircuitError for a circuit that is wider than the device, or starts from what no gate makes."""
    if not isinstance(circuit, Circuit):
        raise CircuitError(f"circuit is a {type(circuit).__name__}, expected a Circuit")
    if model.n_qubits is None:
        return
    if circuit.n_qubits > model.n_qubits:
        raise CircuitError(
            f"circuit has {circuit.n_qubits} qubits, {model.name} has {model.n_qubits}, expected no more; choose "
            "another device"
        )
    if circuit.initial is not None:
        raise CircuitError(
            f"circuit starts from given amplitudes, which no gate of {model.name} makes; prepare them by gates"
        )


def check_order(model: NoiseModel, op: Operation) -> None:
    """Raise CircuitError for a gate that has no entry where its qubits exchanged, the same gate, have one."""
    if op.gate.name not in EXCHANGEABLE or op.gate.name in model.free or model.is_strict:
        return
    turned = Operation(op.gate, op.qubits[::-1], op.angles)
    if model.index.entries(turned):
        name, who = op.gate.name, model.name or "the noise model"
        given, expected = (", ".join(map(str, each.qubits)) for each in (op, turned))
        raise CircuitError(
            f"{name} on qubits {given} has no entry in {who}, expected {name} on {expected}, the same gate, which has "
            "one; exchange its qubits, or give both orders an entry"
        )


def check_free(model: NoiseModel, op: Operation) -> None:
    """Raise CircuitError for a gate without an entry, where the model is strict."""
    gate = op.gate
    if not model.is_strict or gate.name in model.free or not gate.is_unitary or gate.n_qubits == 0:
        return
    who, places = model.name or "the noise model", ", ".join(map(str, op.qubits))
    names = list(dict.fromkeys(entry.gates for entry in model.entries))
    elsewhere = [entry.qubits for entry in model.entries if entry.gates == gate.name and entry.qubits is not None]
    if elsewhere:
        near = [e for e in dict.fromkeys(elsewhere) if set(e) & set(op.qubits)] or list(dict.fromkeys(elsewhere))
        shown = "; ".join(", ".join(map(str, entry)) for entry in near[:MOST_SHOWN])
        raise CircuitError(
            f"{gate.name} on qubits {places} has no entry in {who}, expected {gate.name} on {shown}"
            f"{' and others' * (len(near) > MOST_SHOWN)}; put the circuit on qubits that are joined, with model.on"
        )
    free = f", and without noise {', '.join(model.free)}" if model.free else ""
    raise CircuitError(
        f"{gate.name} on qubit{'s' * (len(op.qubits) > 1)} {places} has no entry in {who}, expected "
        f"{', '.join(names) or 'no gates'}{free}; write the circuit in these gates"
    )
