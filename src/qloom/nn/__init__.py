"""torch modules made of circuits."""

from qloom.nn.layer import QuantumLayer

__all__ = ["QuantumLayer"]
