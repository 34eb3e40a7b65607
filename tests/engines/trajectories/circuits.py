"""Random noisy circuits for tests: channels of every kind, rates and angles that are numbers, inputs and weights."""

import numpy as np

from qloom.circuits import Circuit
from qloom.observables import PauliSum, X, Y, Z

PAULI = ["bit_flip", "phase_flip", "bit_phase_flip", "depolarizing", "phase_damping", "pauli_channel", "measure"]
OTHERS = ["amplitude_damping", "generalized_amplitude_damping", "reset_error", "thermal_relaxation", "reset"]


class RandomCircuit:
    """A circuit with numbers for its slots.

    Attributes:
        inputs, weights: (I,) and (W,).
    """

    def __init__(self, seed: int, channels: list[str], n_qubits: int = 3, n_gates: int = 12):
        self.random, self.circuit = np.random.default_rng(seed), Circuit(n_qubits)
        self._x, self._w = self.circuit.inputs(4), self.circuit.weights(6)
        self.inputs = np.concatenate([self.random.uniform(-3, 3, 2), self.random.uniform(0.05, 0.3, 2)])
        self.weights = np.concatenate([self.random.uniform(-3, 3, 3), self.random.uniform(0.05, 0.3, 3)])
        for q in range(n_qubits):
            self.circuit.ry(self._angle(), q)
        for _ in range(n_gates):
            self._add_gate()
            self._add_channel(str(self.random.choice(channels)))

    def observables(self) -> list[PauliSum]:
        a, b, c = self.random.permutation(self.circuit.n_qubits)[:3]
        return [Z(int(a)), X(int(a)) @ Y(int(b)) - 0.5 * Z(int(c)) + 0.25]

    def _qubits(self, count: int) -> list[int]:
        return [int(q) for q in self.random.permutation(self.circuit.n_qubits)[:count]]

    def _angle(self):
        kind = self.random.integers(4)
        if kind == 0:
            return float(self.random.uniform(-3, 3))
        return 0.7 * self._x[int(self.random.integers(2))] if kind == 1 else self._w[int(self.random.integers(3))] + 0.2

    def _rate(self):
        kind = self.random.integers(3)
        if kind == 0:
            return float(self.random.uniform(0.05, 0.3))
        slot = int(self.random.integers(2))
        return self._x[2 + slot] if kind == 1 else 0.8 * self._w[3 + int(self.random.integers(3))] + 0.02

    def _add_gate(self) -> None:
        name = str(self.random.choice(["rx", "ry", "rz", "rzz", "cx", "cz", "h", "s", "t", "crx"]))
        if name in ("rx", "ry", "rz"):
            getattr(self.circuit, name)(self._angle(), *self._qubits(1))
        elif name in ("rzz", "crx"):
            getattr(self.circuit, name)(self._angle(), *self._qubits(2))
        else:
            getattr(self.circuit, name)(*self._qubits(2 if name in ("cx", "cz") else 1))

    def _add_channel(self, name: str) -> None:
        add = getattr(self.circuit, name)
        if name in ("measure", "reset"):
            add(*self._qubits(1))
        elif name == "depolarizing":
            add(self._rate(), *self._qubits(int(self.random.integers(1, 3))))
        elif name == "pauli_channel" and self.random.random() < 0.5:
            add(self.random.dirichlet(np.ones(16))[1:].tolist(), tuple(self._qubits(2)))
        elif name == "pauli_channel":
            add((self._rate(), 0.1, self._rate()), *self._qubits(1))
        elif name in ("generalized_amplitude_damping", "reset_error"):
            add(self._rate(), self._rate(), *self._qubits(1))
        elif name == "thermal_relaxation":
            add(1.0, self._rate() + 0.8, 0.4, self._rate(), *self._qubits(1))
        else:
            add(self._rate(), *self._qubits(1))
