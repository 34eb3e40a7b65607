"""Contracts: what a newcomer's gate, engine, differentiator, encoder, ansatz or problem is run through."""

from qloom.testing.circuits import check_ansatz, check_encoder
from qloom.testing.differentiators import check_differentiator
from qloom.testing.engines import EngineContract, check_engine
from qloom.testing.gates import check_gate, expansion_matrix
from qloom.testing.problems import check_problem

__all__ = [
    "EngineContract",
    "check_ansatz",
    "check_differentiator",
    "check_encoder",
    "check_engine",
    "check_gate",
    "check_problem",
    "expansion_matrix",
]
