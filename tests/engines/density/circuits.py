"""Random noisy circuits of every gate and channel of the table."""

from __future__ import annotations

import numpy as np

from qloom.circuits import GATES, Circuit
from qloom.circuits.channels import kraus_gate
from qloom.circuits.gate import Gate

N_INPUTS, N_WEIGHTS = 3, 4
# As |x| <= 1, these are inside the range of every rate.
SMALL = 0.02


def random_circuit(n_qubits: int, depth: int, random: np.random.Generator, n_channels: int = 0) -> Circuit:
    """Gates and channels of the table at random, angles and rates numbers, inputs and weights."""
    circuit = Circuit(n_qubits)
    slots = [*circuit.inputs(N_INPUTS), *circuit.weights(N_WEIGHTS)]
    table = [gate for gate in GATES.values() if gate.n_qubits <= n_qubits and gate.kind != "readout"]
    table += [channel for channel in table if channel.kind == "channel"] * n_channels
    for _ in range(depth):
        gate = table[random.integers(len(table))]
        qubits = random.choice(n_qubits, gate.n_qubits, replace=False)
        circuit.append(gate, [_angle(gate, k, slots, random) for k in range(gate.n_angles)], qubits.tolist())
    return _with_made_gates(circuit, slots, random)


def _angle(gate: Gate, k: int, slots: list, random: np.random.Generator):
    slot = slots[random.integers(len(slots))] if random.random() < 0.7 else 0.0
    if not gate.rates:
        return random.normal() * slot + random.normal()
    most = 1.0 if np.isfinite(gate.rates[k].high) else 2.0
    return SMALL * slot + random.uniform(0.1, 0.2) * most if gate.n_angles < 3 else 0.01 * slot + 0.05 * (1 + k / 50)


def _with_made_gates(circuit: Circuit, slots: list, random: np.random.Generator) -> Circuit:
    """Some that are made on the fly: wide words, channels on several qubits, Kraus operators."""
    n = circuit.n_qubits
    order = random.permutation(n).tolist()
    circuit.pauli_rotation(slots[0] + 0.4, "".join(random.choice(list("XYZ"), n)), order)
    circuit.append(kraus_gate(random_operators(min(n, 2), random)), (), order[:2])
    if n > 1:
        circuit.depolarizing(SMALL * slots[1] + 0.1, *order[:3])
        circuit.pauli_channel([0.01 * slots[k % 5] + 0.02 for k in range(15)], order[:2])
    return circuit


def random_operators(n_qubits: int, random: np.random.Generator) -> np.ndarray:
    """Three Kraus operators (3, 2^k, 2^k) of a channel without symmetries."""
    size = 2**n_qubits
    matrix = random.normal(size=(3 * size, size)) + 1j * random.normal(size=(3 * size, size))
    return np.linalg.qr(matrix)[0].reshape(3, size, size)
