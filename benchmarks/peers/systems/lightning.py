"""PennyLane lightning.qubit: adjoint differentiation through torch, RZ RY RZ as one qml.Rot."""

import numpy as np
import pennylane as qml
import torch
from systems.circuit import size_of
from systems.torch_autograd import TorchSystem

SHOTS = 1_000_000


class System(TorchSystem):
    def __init__(self, problem, threads):
        super().__init__(problem, threads)
        self.n, self.batch, self.n_layers = size_of(problem)
        self.numbers = problem["inputs"][0], problem["weights"]
        self.device = qml.device("lightning.qubit", wires=self.n, c_dtype=np.complex64)
        self.values = self._node(lambda: [qml.expval(qml.PauliZ(q)) for q in range(self.n)], "torch", "adjoint")

    def _node(self, measure, interface, method):
        @qml.qnode(self.device, interface=interface, diff_method=method)
        def node(x, weights):
            for q in range(self.n):
                qml.RY(x[..., q], wires=q)
            for layer in weights.reshape(self.n_layers, self.n, 3):
                for q in range(self.n):
                    qml.Rot(*layer[q], wires=q)
                for q in range(self.n):
                    qml.CNOT(wires=[q, (q + 1) % self.n])
            return measure()

        return node

    def model(self, x, weights):
        return torch.stack(self.values(x, weights), dim=-1)

    def forward(self):
        if self.batch > 1:
            return super().forward()
        node = self._node(lambda: [qml.expval(qml.PauliZ(q)) for q in range(self.n)], None, None)
        return (torch.tensor(np.array(node(*self.numbers))),)

    def probabilities(self):
        return (torch.tensor(self._node(lambda: qml.probs(wires=range(self.n)), None, None)(*self.numbers)),)

    def variance(self):
        total = qml.sum(*(qml.PauliZ(q) for q in range(self.n)))
        return (torch.tensor(self._node(lambda: qml.var(total), None, None)(*self.numbers)),)

    def samples(self):
        node = self._node(lambda: qml.sample(wires=range(self.n)), None, None)
        return (torch.tensor(np.asarray(qml.set_shots(node, SHOTS)(*self.numbers))),)

    def arrays(self, found):
        shots = [array.numpy() for array in found if array.shape == (SHOTS, self.n)]
        return [1 - 2.0 * array.mean(axis=0) for array in shots] or super().arrays(found)
