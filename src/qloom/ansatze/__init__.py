"""Ansatze: trainable circuits. Each returns a Circuit whose weights it documents."""

from qloom.ansatze.basic_entangler import basic_entangler
from qloom.ansatze.hardware_efficient import hardware_efficient
from qloom.ansatze.strongly_entangling import strongly_entangling

__all__ = ["basic_entangler", "hardware_efficient", "strongly_entangling"]
