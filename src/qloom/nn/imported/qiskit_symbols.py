"""Expressions of Qiskit's parameters that are polynomials of degree two in inputs."""

from __future__ import annotations

from typing import Any

import numpy as np

from qloom.circuits.exchange.symbols import Symbols, not_linear
from qloom.circuits.gate import Scalar
from qloom.errors import CircuitError
from qloom.nn.imported.polynomials import Polynomials


class PolynomialSymbols(Symbols):
    """Slots of a circuit by the names of parameters, and behind its inputs those for polynomials of them.

    Args:
        polynomials: get what is more than a * x + b of one parameter.
        arguments: of `Symbols`.
    """

    def __init__(self, polynomials: Polynomials, *arguments: Any):
        super().__init__(*arguments)
        self.polynomials = polynomials

    def angle(self, expression: Any, what: str) -> Scalar:
        terms = self.terms(expression, what)
        return terms[0] if len(terms) == 1 else self._polynomial(expression, not_linear(expression, what))

    def terms(self, expression: Any, what: str) -> list[Scalar]:
        try:
            return super().terms(expression, what)
        except CircuitError as error:
            return [self._polynomial(expression, error)]

    def _polynomial(self, expression: Any, error: CircuitError) -> Scalar:
        """The slot of a sympy expression whose second derivatives are numbers; the error of anything else."""
        import sympy

        symbols = sorted(getattr(expression, "free_symbols", ()), key=str)
        slots = [self.angles.get(symbol.name) for symbol in symbols]
        places = [slot.index for slot in slots if slot is not None and slot.source == "input"]
        if not symbols or len(places) < len(symbols):
            raise error
        expanded, at_zero = sympy.expand(expression), dict.fromkeys(symbols, 0)
        constant, second = expanded.subs(at_zero), sympy.hessian(expanded, symbols).applyfunc(sympy.expand)
        first = [sympy.diff(expanded, symbol).subs(at_zero) for symbol in symbols]
        if not all(number.is_number and number.is_real for number in [constant, *first, *second]):
            raise error
        return self.polynomials.angle(places, float(constant), np.array(first, float), np.array(second, float))
