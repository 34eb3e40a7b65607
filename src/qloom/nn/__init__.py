"""torch modules made of circuits."""

from qloom.nn.attention import QuantumAttention
from qloom.nn.circuit_data import CircuitDataset, collate_circuits
from qloom.nn.circuit_layer import CircuitLayer
from qloom.nn.convolution import QuantumConv2d
from qloom.nn.entangling import EntanglingLayer
from qloom.nn.head import QuantumHead
from qloom.nn.imported import from_pennylane, from_qiskit, from_torchquantum
from qloom.nn.layer import QuantumLayer
from qloom.nn.linear import QuantumLinear
from qloom.nn.partial import stages, train_only
from qloom.nn.qcnn import QCNN
from qloom.nn.recurrent import QuantumGRU, QuantumLSTM
from qloom.nn.replacement import replace

__all__ = [
    "QCNN",
    "CircuitDataset",
    "CircuitLayer",
    "EntanglingLayer",
    "QuantumAttention",
    "QuantumConv2d",
    "QuantumGRU",
    "QuantumHead",
    "QuantumLSTM",
    "QuantumLayer",
    "QuantumLinear",
    "collate_circuits",
    "from_pennylane",
    "from_qiskit",
    "from_torchquantum",
    "replace",
    "stages",
    "train_only",
]
