"""Circuits as `many` writes them, made Cirq's: for the scripts of peers that build on it."""

import cirq
import numpy as np

FIXED = {"h": cirq.H, "cx": cirq.CNOT, "cz": cirq.CZ}
ROTATIONS = {"rx": cirq.rx, "ry": cirq.ry, "rz": cirq.rz}
POWERS = {"rxx": cirq.XXPowGate, "ryy": cirq.YYPowGate, "rzz": cirq.ZZPowGate}


def circuit_of(listed, qubits, symbols):
    """With an identity on each qubit without gates: TensorFlow Quantum measures qubits of the circuit alone."""
    made = cirq.Circuit(operation(*op, qubits, symbols) for op in listed)
    return made + cirq.Circuit(cirq.I(qubit) for qubit in qubits if qubit not in made.all_qubits())


def operation(name, places, angle, qubits, symbols):
    """Of a name, qubits and an angle: a number, [k, scale] for a multiple of weight k, or None."""
    on = [qubits[q] for q in places]
    if name in FIXED:
        return FIXED[name](*on)
    if isinstance(angle, list):
        place, scale = angle
        angle = symbols[place] if scale == 1 else scale * symbols[place]
    if name in POWERS:
        return POWERS[name](exponent=angle / np.pi, global_shift=-0.5)(*on)
    return ROTATIONS[name.removeprefix("c")](angle)(on[-1]).controlled_by(*on[:-1])
