"""Trained layers of other packages, as layers of qloom with their weights: a file each, around what all share."""

from qloom.nn.imported.pennylane import from_pennylane
from qloom.nn.imported.qiskit import from_qiskit
from qloom.nn.imported.torchquantum import from_torchquantum

__all__ = ["from_pennylane", "from_qiskit", "from_torchquantum"]
