"""MindQuantum's state vector simulator: outputs and their Jacobian in one call, samples in parallel."""

import mindquantum
import numpy as np
from mindquantum.core.circuit import Circuit
from mindquantum.core.gates import RY, RZ, X
from mindquantum.core.operators import Hamiltonian, QubitOperator
from mindquantum.simulator import Simulator
from systems.circuit import gates, size_of


class System:
    precision = "complex64"

    def __init__(self, problem, threads):
        self.problem = problem
        self.n, self.batch, self.n_layers = size_of(problem)
        self.data = problem["inputs"].astype(np.float32), problem["weights"].astype(np.float32)
        self.z = [Hamiltonian(QubitOperator(f"Z{q}")).astype(mindquantum.complex64) for q in range(self.n)]
        self.simulator = Simulator("mqvector", self.n, dtype=mindquantum.complex64)
        encoder, ansatz = Circuit(), Circuit()
        makers = {"ry": RY, "rz": RZ}
        for name, qubits, angle in gates(self.n, self.n_layers):
            if angle is None:
                ansatz += X.on(qubits[1], qubits[0])
            else:
                part = encoder if angle[0] == "input" else ansatz
                part += makers[name](f"{angle[0]}{angle[1]}").on(qubits[0])
        self.circuit = encoder.as_encoder() + ansatz
        self.jacobian = self.simulator.get_expectation_with_grad(self.z, self.circuit, parallel_worker=threads)

    def step(self):
        outputs, d_inputs, d_weights = (array.real for array in self.jacobian(*self.data))
        difference = outputs - self.problem["targets"]
        cotangents = 2 * difference / self.batch
        loss = (difference**2).sum() / self.batch
        return (loss, np.einsum("bo,boi->bi", cotangents, d_inputs), np.einsum("bo,bow->w", cotangents, d_weights))

    def forward(self):
        return (np.array([self._values(sample) for sample in range(self.batch)]),)

    def _values(self, sample):
        names = self.circuit.encoder_params_name + self.circuit.ansatz_params_name
        numbers = np.concatenate([self.data[0][sample], self.data[1]]).tolist()
        self.simulator.reset()
        self.simulator.apply_circuit(self.circuit, dict(zip(names, numbers, strict=True)))
        return [self.simulator.get_expectation(z).real for z in self.z]

    def arrays(self, found):
        return found
