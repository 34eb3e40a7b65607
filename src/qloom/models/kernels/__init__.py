"""Quantum kernels: matrices, alignment, landmarks, and the machines that learn with them."""
