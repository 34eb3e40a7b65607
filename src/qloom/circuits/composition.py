"""Circuits from circuits; the functions are methods of `Circuit`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from qloom.checks import as_tuple, checked_count, checked_places
from qloom.circuits.gate import Scalar
from qloom.circuits.gates import controlled_gate
from qloom.circuits.kinds import check_kinds
from qloom.circuits.operations import Operation
from qloom.circuits.parameters import as_angle
from qloom.errors import CircuitError

if TYPE_CHECKING:
    from qloom.circuits.circuit import Circuit


def compose(circuit: Circuit, other: Circuit, qubits: Sequence[int] | None = None) -> Circuit:
    """A new circuit: this one, then `other` on the given qubits (all by default).

    Its inputs and weights come after those of this one; classical bits with one number are one. A block whose name is
    taken is counted on: "w" becomes "w_2".

    Args:
        other: of as many qubits as are given.
        qubits: of this circuit, one for each of the other's, in its order.

    Raises:
        CircuitError: for qubits that do not fit, or a second circuit that starts from given amplitudes behind gates.
    """
    from qloom.circuits.circuit import Circuit  # which has this function as a method

    if not isinstance(other, Circuit):
        raise CircuitError(f"cannot compose a circuit with a {type(other).__name__}, expected a Circuit")
    given = as_tuple("compose", range(other.n_qubits) if qubits is None else qubits)
    if len(given) != other.n_qubits or other.n_qubits > circuit.n_qubits:
        raise CircuitError(
            f"composed circuit has {other.n_qubits} qubits, put on {len(given)} of {circuit.n_qubits}; "
            "give one qubit of the first circuit for each of the second"
        )
    out, places = circuit.copy(), checked_places("compose", given, circuit.n_qubits)
    if other.initial is not None:
        if circuit.operations or circuit.initial or places != tuple(range(circuit.n_qubits)):
            raise CircuitError("the second circuit prepares amplitudes, expected it first in a composition")
        out.initial = other.initial.shifted(circuit.n_inputs)
    for op in other.operations:
        angles = tuple(angle.shifted(circuit.n_inputs, circuit.n_weights) for angle in op.angles)
        out.operations.append(Operation(op.gate, tuple(places[q] for q in op.qubits), angles))
    out.n_bits = max(out.n_bits, other.n_bits)
    out.input_slots.extend(other.input_slots)
    out.weight_slots.extend(other.weight_slots)
    return out


def place(
    circuit: Circuit,
    block: Circuit,
    qubits: Sequence[int],
    weights: Iterable[Scalar] = (),
    inputs: Iterable[Scalar] = (),
) -> Circuit:
    """Add a block's gates on the given qubits, with these angles for its weights and inputs; returns this circuit.

    Angles given twice are shared: a convolution places one block with the same weights on many pairs.

    Shapes: qubits (k,), weights (W,), inputs (I,) of the block, numbers or slots of this circuit.

    Raises:
        CircuitError: for other numbers of qubits or angles than the block has, or a block that starts from given
            amplitudes.
    """
    _require_no_amplitudes(block, "place")
    places = checked_places("place", as_tuple("place", qubits), circuit.n_qubits)
    given = {"weight": tuple(map(as_angle, weights)), "input": tuple(map(as_angle, inputs))}
    expected = (block.n_qubits, block.n_weights, block.n_inputs)
    if (len(places), len(given["weight"]), len(given["input"])) != expected:
        raise CircuitError(
            f"block placed on {len(places)} qubits with {len(given['weight'])} weights and {len(given['input'])} "
            f"inputs, expected {expected[0]}, {expected[1]} and {expected[2]}"
        )
    for op in block.operations:
        angles = [a if a.is_number else given[a.source][a.index] * a.scale + a.offset for a in op.angles]
        circuit.append(op.gate, angles, [places[q] for q in op.qubits])
    return circuit


def inverse(circuit: Circuit) -> Circuit:
    """The circuit undone: inverse gates in reverse order, same slots.

    Raises:
        UnsupportedError: for gates that are not unitary.
        CircuitError: for a circuit that starts from given amplitudes.
    """
    _require_no_amplitudes(circuit, "inverse")
    check_kinds(circuit, "inverse", "invert what stands before and behind it apart")
    out = _empty_like(circuit)
    for op in reversed(circuit.operations):
        gate, angles = op.gate.inverted(op.angles)
        out.append(gate, angles, op.qubits)
    return out


def repeat(circuit: Circuit, times: int) -> Circuit:
    """The circuit `times` times over with new weights each time and the same inputs (data re-uploading).

    Weights "w" of the second time are "w_2", and so on.

    Raises:
        CircuitError: for `times` below 1, or a circuit that starts from given amplitudes.
    """
    times = checked_count("times", times)
    if times > 1:
        _require_no_amplitudes(circuit, "repeat")
    out = circuit.copy()
    for k in range(1, times):
        for op in circuit.operations:
            angles = tuple(angle.shifted(0, k * circuit.n_weights) for angle in op.angles)
            out.operations.append(replace(op, angles=angles))
        out.weight_slots.extend(circuit.weight_slots)
    return out


def controlled(circuit: Circuit) -> Circuit:
    """Every gate controlled by one more qubit, which becomes qubit 0; the others move up by one.

    Raises:
        UnsupportedError: for gates that are not unitary.
        CircuitError: for a circuit that starts from given amplitudes.
    """
    _require_no_amplitudes(circuit, "controlled")
    check_kinds(circuit, "controlled", "put it on its qubit beside the controlled gates")
    out = _empty_like(circuit, circuit.n_qubits + 1)
    for op in circuit.operations:
        out.append(controlled_gate(op.gate), op.angles, (0, *(q + 1 for q in op.qubits)))
    return out


def components(circuit: Circuit) -> list[Circuit]:
    """The circuit as independent ones, each on qubits that gates connect, in order of their first qubit.

    The state is their product. They keep all slots. One that starts from given amplitudes is one component.
    """
    if circuit.initial is not None:
        return [circuit.copy()]
    parts = []
    for qubits in connected_qubits(circuit):
        part = _empty_like(circuit, len(qubits))
        for op in circuit.operations:
            if (op.qubits[0] if op.qubits else 0) in qubits:
                part.operations.append(replace(op, qubits=tuple(qubits.index(q) for q in op.qubits)))
        parts.append(part)
    return parts


def connected_qubits(circuit: Circuit) -> list[list[int]]:
    """Qubits that gates connect, or a start from given amplitudes, in order of their first."""
    group = [0] * circuit.n_qubits if circuit.initial is not None else list(range(circuit.n_qubits))
    for op in circuit.operations:
        joined = {group[q] for q in op.qubits}
        group = [min(joined) if g in joined else g for g in group]
    return [[q for q, g in enumerate(group) if g == first] for first in sorted(set(group))]


def without_entanglers(circuit: Circuit) -> Circuit:
    """The circuit without its gates on two or more qubits, slots kept: separable unless it starts entangled."""
    out = circuit.copy()
    out.operations = [op for op in circuit.operations if op.gate.n_qubits <= 1]
    return out


def _empty_like(circuit: Circuit, n_qubits: int | None = None) -> Circuit:
    out = type(circuit)(n_qubits or circuit.n_qubits)
    out.input_slots, out.weight_slots = circuit.input_slots.copy(), circuit.weight_slots.copy()
    return out


def _require_no_amplitudes(circuit: Circuit, what: str) -> None:
    if circuit.initial is not None:
        raise CircuitError(f"{what} of a circuit that starts from given amplitudes, expected one that starts in |0>")
