"""Adjoint differentiation: one walk back through the program gives all derivatives, the state undone on the way.

With lambda = sum_o g_o O_o psi at the end, dL/da = Im <lambda| P |psi> at each rotation exp(-i a P / 2).

Source: Jones, Gacon 2020, arXiv 2009.02823.
"""

from __future__ import annotations

from typing import Any

from qloom.circuits.circuit import Circuit
from qloom.engines.base import DifferentiableEvaluator, Engine
from qloom.gradients.base import Differentiator


class Adjoint(Differentiator):
    """Exact, at the cost of about three evaluations whatever the number of angles; needs an engine with a state.

    Source: Jones, Gacon 2020, arXiv 2009.02823.
    """

    walks_back = True

    def prepare(self, engine: Engine, circuit: Circuit, observables: Any = None) -> DifferentiableEvaluator:
        return engine.prepare_adjoint(circuit, observables)
