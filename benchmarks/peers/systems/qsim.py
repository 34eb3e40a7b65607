"""qsim through Cirq: gates fused up to four qubits, one large state; no gradients."""

import cirq
import numpy as np
import qsimcirq
from systems.circuit import numbers, size_of

SHOTS = 1_000_000


class System:
    precision = "complex64"

    def __init__(self, problem, threads):
        self.n = size_of(problem)[0]
        self.qubits = cirq.LineQubit.range(self.n)
        makers = {"ry": cirq.ry, "rz": cirq.rz}
        self.circuit = cirq.Circuit()
        for name, places, angle in numbers(problem):
            gate = cirq.CNOT if angle is None else makers[name](angle)
            self.circuit.append(gate(*(self.qubits[q] for q in places)))
        self.measured = self.circuit + cirq.measure(*self.qubits, key="all")
        self.z = [cirq.PauliString(cirq.Z(qubit)) for qubit in self.qubits]
        self.simulator = qsimcirq.QSimSimulator(qsimcirq.QSimOptions(cpu_threads=threads, max_fused_gate_size=4))

    def forward(self):
        return (np.real(self.simulator.simulate_expectation_values(self.circuit, self.z)),)

    def samples(self):
        return (self.simulator.run(self.measured, repetitions=SHOTS).measurements["all"],)

    def arrays(self, found):
        return [1 - 2.0 * array.mean(axis=0) if array.shape == (SHOTS, self.n) else array for array in found]
