"""Ansatze: trainable circuits. Each returns a Circuit whose weights it documents."""

from qloom.ansatze.basic_entangler import basic_entangler
from qloom.ansatze.blocks import BLOCKS, two_qubit_block
from qloom.ansatze.convolutional import convolutional, pooled_qubits
from qloom.ansatze.edge_entangler import edge_entangler
from qloom.ansatze.hardware_efficient import hardware_efficient
from qloom.ansatze.identity_blocks import identity_blocks, identity_weights
from qloom.ansatze.mera import mera
from qloom.ansatze.permutation_equivariant import permutation_equivariant
from qloom.ansatze.random_layers import random_layers
from qloom.ansatze.simplified_two_design import simplified_two_design
from qloom.ansatze.strongly_entangling import strongly_entangling
from qloom.ansatze.tree_tensor import tree_tensor

__all__ = [
    "BLOCKS",
    "basic_entangler",
    "convolutional",
    "edge_entangler",
    "hardware_efficient",
    "identity_blocks",
    "identity_weights",
    "mera",
    "permutation_equivariant",
    "pooled_qubits",
    "random_layers",
    "simplified_two_design",
    "strongly_entangling",
    "tree_tensor",
    "two_qubit_block",
]
