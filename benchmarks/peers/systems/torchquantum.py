"""TorchQuantum: its functional gates on a batched device, torch autograd."""

import importlib.abc
import importlib.machinery
import sys
from unittest.mock import MagicMock


class Absent(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Stands in for packages that its data sets and hardware plugins import, and the circuits never use.

    The versions of qiskit it was written for do not install beside the torch of the other systems.
    """

    PACKAGES = ("qiskit", "qiskit_ibm_runtime", "qiskit_nature", "torchvision")

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in self.PACKAGES:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        return MagicMock(__spec__=spec, __path__=[], __all__=[], __file__=__file__)

    def exec_module(self, module):
        """Nothing to run."""


sys.meta_path.insert(0, Absent())

import torchquantum  # noqa: E402
import torchquantum.functional as gates  # noqa: E402
from systems.circuit import size_of  # noqa: E402
from systems.torch_autograd import TorchSystem  # noqa: E402


class System(TorchSystem):
    def __init__(self, problem, threads):
        super().__init__(problem, threads)
        self.n, self.batch, self.n_layers = size_of(problem)
        self.measure = torchquantum.MeasureAll(torchquantum.PauliZ)

    def model(self, x, weights):
        device = torchquantum.QuantumDevice(n_wires=self.n, bsz=self.batch)
        for q in range(self.n):
            gates.ry(device, wires=q, params=x[:, q])
        for layer in weights.reshape(self.n_layers, self.n, 3):
            for q in range(self.n):
                gates.rz(device, wires=q, params=layer[q, 0])
                gates.ry(device, wires=q, params=layer[q, 1])
                gates.rz(device, wires=q, params=layer[q, 2])
            for q in range(self.n):
                gates.cnot(device, wires=[q, (q + 1) % self.n])
        return self.measure(device)
