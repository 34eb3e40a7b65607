"""DeepQuantum: a QubitCircuit with its inputs encoded, torch autograd."""

import deepquantum
import torch
from systems.circuit import size_of
from systems.torch_autograd import TorchSystem


class System(TorchSystem):
    def __init__(self, problem, threads):
        super().__init__(problem, threads)
        n, _, n_layers = size_of(problem)
        self.circuit = deepquantum.QubitCircuit(n)
        self.circuit.rylayer(encode=True)
        for _ in range(n_layers):
            for q in range(n):
                self.circuit.rz(q)
                self.circuit.ry(q)
                self.circuit.rz(q)
            self.circuit.cnot_ring()
        for q in range(n):
            self.circuit.observable(q)
        self.parameters = [p for p in self.circuit.parameters() if p.requires_grad]
        with torch.no_grad():
            for parameter, value in zip(self.parameters, self.weights, strict=True):
                parameter.copy_(value.reshape(parameter.shape))

    def model(self, x, weights):
        self.circuit(data=x)
        return self.circuit.expectation()

    def step(self):
        self.circuit.zero_grad()
        loss, d_inputs, _ = super().step()
        return loss, d_inputs, torch.cat([parameter.grad.reshape(1) for parameter in self.parameters])
