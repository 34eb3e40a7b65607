"""Circuits that TensorFlow Quantum wrote, and what they are by Cirq's matrices: run where these are installed.

    python tfq_writer.py 500                  # random circuits, a line of JSON each
    python tfq_writer.py > tfq_written.jsonl  # those that are kept, made by TensorFlow Quantum 0.7.6 with Cirq 1.5.0

A line has the bytes (base64 of zlib), numbers for the symbols, and the unitary, or with channels the density matrix, as
real and imaginary parts. Powers are multiples of 1/64, which the format holds exactly; circuits that are "loose" have
rx(a), which is X to the power 0.31831 a in it.
"""

import base64
import json
import os
import sys
import zlib

os.environ |= {"TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}

import cirq
import numpy as np
import sympy
import tensorflow_quantum as tfq

POWERS = [cirq.XPowGate, cirq.YPowGate, cirq.ZPowGate, cirq.HPowGate, cirq.XXPowGate, cirq.YYPowGate, cirq.ZZPowGate,
          cirq.CZPowGate, cirq.CNotPowGate, cirq.SwapPowGate, cirq.ISwapPowGate]  # fmt: skip
SYMBOLS = sympy.symbols("a b c d")


def share(random):
    return int(random.integers(1, 16)) / 64


def power(random):
    """A number, a symbol or a multiple of one."""
    number = int(random.integers(-128, 129)) / 64
    symbol = SYMBOLS[random.integers(len(SYMBOLS))]
    return [number, 1.0, symbol, number * symbol if number else -symbol][random.integers(4)]


ROTATIONS = [
    lambda random: random.choice([cirq.rx, cirq.ry, cirq.rz])(np.pi * int(random.integers(-128, 129)) / 64),
    lambda random: cirq.ms(np.pi / 2 * share(random)),
    lambda random: cirq.givens(np.pi / 2 * share(random)),
    lambda random: cirq.riswap(np.pi / 2 * share(random)),
]
OTHERS = [
    lambda random: cirq.PhasedXPowGate(exponent=power(random), phase_exponent=power(random), global_shift=0.25),
    lambda random: cirq.PhasedISwapPowGate(exponent=power(random), phase_exponent=power(random)),
    lambda random: cirq.FSimGate(power(random), power(random)),
    lambda random: cirq.I,
]
GATES = [
    *(lambda random, kind=kind: kind(exponent=power(random), global_shift=random.choice([0.0, share(random)]))
      for kind in POWERS),
    *OTHERS, *ROTATIONS,
]  # fmt: skip
CHANNELS = [
    lambda random: cirq.bit_flip(share(random)), lambda random: cirq.phase_flip(share(random)),
    lambda random: cirq.depolarize(share(random)), lambda random: cirq.depolarize(share(random), n_qubits=2),
    lambda random: cirq.asymmetric_depolarize(share(random), share(random), share(random)),
    lambda random: cirq.amplitude_damp(share(random)), lambda random: cirq.phase_damp(share(random)),
    lambda random: cirq.generalized_amplitude_damp(share(random), share(random)), lambda random: cirq.ResetChannel(),
]  # fmt: skip


def operation(random, make, qubits, most_controls):
    """On qubits at random, under controls that are 0 or 1."""
    gate = make(random)
    width = cirq.num_qubits(gate)
    on = [qubits[k] for k in random.permutation(len(qubits))]
    count = int(random.integers(min(most_controls, len(qubits) - width) + 1))
    op = gate(*on[:width])
    values = random.integers(2, size=count).tolist()
    return op.controlled_by(*on[width : width + count], control_values=values) if count else op


def is_written(op):
    """Toffoli and CCZ, which Cirq makes of controlled gates, have no form in TensorFlow Quantum."""
    return not isinstance(op.gate, cirq.CCXPowGate | cirq.CCZPowGate)


def some_qubits(random, count):
    """Of a grid, of a line or of both; with numbers below 0 and of two digits."""
    on_grid = random.random(count) < random.choice([0.0, 0.5, 1.0])
    numbers = random.permutation(24)[:count] - 4
    return [cirq.GridQubit(int(k) % 3, int(k)) if grid else cirq.LineQubit(int(k))
            for grid, k in zip(on_grid, numbers, strict=True)]  # fmt: skip


def random_circuit(seed):
    random = np.random.default_rng(seed)
    qubits = some_qubits(random, int(random.integers(2, 5)))
    makers = [GATES[k] for k in random.integers(len(GATES), size=8)]
    if seed % 3 == 0:
        makers = [*makers[:4], *(CHANNELS[k] for k in random.integers(len(CHANNELS), size=3)), *makers[4:]]
    ops = [operation(random, make, qubits, 2 if make in GATES else 0) for make in makers]
    if seed % 5 == 0:
        ops.append(cirq.rx(SYMBOLS[0])(qubits[0]))
    return cirq.Circuit(filter(is_written, ops))


def kept():
    """All gates on two qubits, symbols and controls on three of a grid and a line, all channels."""
    random = np.random.default_rng(1)
    pair, three = cirq.LineQubit.range(2), [cirq.LineQubit(0), cirq.GridQubit(1, 10), cirq.GridQubit(1, 2)]
    yield cirq.Circuit(operation(random, make, pair, 0) for make in GATES)
    chosen = [GATES[k] for k in (0, 3, 6, 8, 10, 11, 12, 13)]
    yield cirq.Circuit(filter(is_written, (operation(random, make, three, 2) for make in chosen)))
    turned = [cirq.ry(np.pi / 4)(pair[0]), cirq.rx(np.pi * 3 / 8)(pair[1])]
    noise = [[operation(random, make, pair, 0), cirq.CX(*pair), turned] for make in CHANNELS[::-1]]
    yield cirq.Circuit(turned, noise)


def row(circuit, random):
    values = {name: int(random.integers(-128, 129)) / 64 for name in sorted(cirq.parameter_names(circuit))}
    bound = cirq.resolve_parameters(circuit, values)
    if cirq.has_unitary(bound):
        name, matrix = "unitary", cirq.unitary(bound)
    else:
        name, matrix = "density", cirq.DensityMatrixSimulator(dtype=np.complex128).simulate(bound).final_density_matrix
    message = tfq.convert_to_tensor([circuit]).numpy()[0]
    parts = [np.round(part, 8).tolist() for part in (matrix.real, matrix.imag)]
    loose = any(op.gate == cirq.rx(SYMBOLS[0]) for op in circuit.all_operations())
    coded = base64.b64encode(zlib.compress(message, 9)).decode()
    return {"bytes": coded, "values": values, "loose": loose, name: parts}


if __name__ == "__main__":
    made = map(random_circuit, range(int(sys.argv[1]))) if len(sys.argv) > 1 else kept()
    for place, circuit in enumerate(made):
        print(json.dumps(row(circuit, np.random.default_rng(place))))
