"""Circuits that words are run back through."""

from __future__ import annotations

import numpy as np

from qloom.circuits import Circuit

N_INPUTS, N_WEIGHTS = 2, 4


def random_circuit(n_qubits: int, n_gates: int, random: np.random.Generator, noisy: bool) -> Circuit:
    """Gates of every kind that steps are made of; angles and rates are numbers, inputs and weights."""
    circuit = Circuit(n_qubits)
    x, w = circuit.inputs(N_INPUTS), circuit.weights(N_WEIGHTS)
    angles = [0.3, np.pi / 2, x[0], 0.5 * x[1] + 0.2, w[0], -w[1], 2 * w[2] + 0.1]
    rates = [0.1, 0.05 * w[3] + 0.1, 0.02 * x[0] + 0.1]
    for _ in range(n_gates):
        q, angle, rate = int(random.integers(n_qubits)), angles[random.integers(7)], rates[random.integers(3)]
        other = (q + 1) % n_qubits
        one = [
            lambda q=q, a=angle: circuit.rx(a, q), lambda q=q, a=angle: circuit.ry(a, q),
            lambda q=q, a=angle: circuit.rz(a, q), lambda q=q: circuit.h(q), lambda q=q: circuit.s(q),
            lambda q=q: circuit.sxdg(q),
        ]  # fmt: skip
        two = [
            lambda q=q, o=other: circuit.cx(q, o), lambda q=q, o=other, a=angle: circuit.rzz(a, q, o),
            lambda q=q, o=other, a=angle: circuit.pauli_rotation(a, "XY", (q, o)),
            lambda q=q, o=other: circuit.swap(q, o),
        ]  # fmt: skip
        noise = [
            lambda q=q, r=rate: circuit.depolarizing(r, q), lambda q=q, r=rate: circuit.amplitude_damping(r, q),
            lambda q=q, r=rate: circuit.phase_damping(r, q), lambda q=q: circuit.measure(q),
            lambda q=q, r=rate: circuit.thermal_relaxation(1.0, 0.8, 0.1, r, q), lambda q=q: circuit.reset(q),
            lambda q=q, r=rate: circuit.generalized_amplitude_damping(r, 0.3, q),
            lambda q=q, r=rate: circuit.pauli_channel((r, 0.02, 0.05), q),
        ]  # fmt: skip
        if n_qubits > 1:
            noise.append(lambda q=q, o=other, r=rate: circuit.depolarizing(r, q, o))
        kinds = [one, two if n_qubits > 1 else one, noise if noisy else one]
        chosen = kinds[random.integers(3)]
        chosen[random.integers(len(chosen))]()
    return circuit


def arrays_of(random: np.random.Generator, size: int, own: bool) -> tuple[np.ndarray, np.ndarray]:
    weights = random.uniform(-1, 1, (size, N_WEIGHTS) if own else N_WEIGHTS)
    return random.uniform(-1, 1, (size, N_INPUTS)), weights


def ising_chain(n_qubits: int, n_steps: int, coupling: float, field: float, plus: bool = False) -> Circuit:
    """Trotter steps of rotations about ZZ on all bonds, then about X on all sites; from |+..+> where asked."""
    circuit = Circuit(n_qubits)
    for q in range(n_qubits if plus else 0):
        circuit.h(q)
    for _ in range(n_steps):
        for q in range(n_qubits - 1):
            circuit.rzz(coupling, q, q + 1)
        for q in range(n_qubits):
            circuit.rx(field, q)
    return circuit
