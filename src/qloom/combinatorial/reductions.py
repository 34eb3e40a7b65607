"""What is known of a quadratic function before any search: a bound, and variables that some minimum holds."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from qloom.combinatorial.certificates import Program, magnified, mccormick, run_highs
from qloom.combinatorial.quadratic import VALUES, Quadratic
from qloom.errors import ProblemError, QloomError

# How near to 0 or 1 a relaxed variable must be.
NEAR = 1e-6


class RoofDual(NamedTuple):
    """A bound below the function, and values that a minimum has, by variable."""

    bound: float
    fixed: dict[int, int]


def roof_dual(function: Quadratic, time_limit: float = 60.0) -> RoofDual:
    """By the linear relaxation: products become variables between their bounds.

    Its vertices hold 0, 1/2 and 1 alone, and a variable that is 0 or 1 there is so in some minimum of the function;
    values of the function that differ by less than 1e-12 of its largest coefficient count as equal.

    Args:
        function: to be small.
        time_limit: seconds, above 0.

    Raises:
        QloomError: if the time ends first.
        ProblemError: for a time that is not above 0.

    Source: Hammer, Hansen, Simeone 1984, Mathematical Programming 28, 121.
    """
    if not time_limit > 0:
        raise ProblemError(f"time_limit={time_limit}, expected seconds above 0")
    binary = function.as_binary()
    if not binary.n:
        return RoofDual(binary.constant, {})
    n, pairs = binary.n, np.column_stack([binary.first, binary.second])
    rows, most = mccormick({2: (pairs, binary.values)}, n)
    costs = np.concatenate([binary.linear, binary.values])
    nothing, ones = np.zeros(len(costs)), np.ones(len(costs))
    program, scale = magnified(Program(costs, 0.0, rows, np.full(len(most), -np.inf), most, nothing, ones, nothing))
    result = run_highs(program, time_limit)
    if result.x is None or result.value is None or result.status != "optimal":
        if result.status != "bounded":
            raise QloomError(f"the relaxation has no optimum: {result.status}")
        raise QloomError(f"the relaxation did not end within {time_limit:g} s, expected more time for {n} variables")
    x, low_high = result.x[:n], VALUES[function.kind]
    settled = np.flatnonzero((x < NEAR) | (x > 1 - NEAR))
    return RoofDual(result.value / scale + binary.constant, {int(i): low_high[int(x[i] > 0.5)] for i in settled})


def reduce_quadratic(function: Quadratic, time_limit: float = 60.0) -> tuple[Quadratic, np.ndarray, dict[int, int]]:
    """The function of the variables that the roof dual leaves open, their indices, and what is fixed.

    Fixing is repeated until nothing more is settled; a minimum of the rest with what is fixed is one of the whole.

    Args:
        function: to be small.
        time_limit: seconds.
    """
    left, rest, fixed = np.arange(function.n), function, dict[int, int]()
    while rest.n:
        found = roof_dual(rest, time_limit).fixed
        if not found:
            break
        fixed |= {int(left[i]): value for i, value in found.items()}
        rest, kept = rest.fix(found)
        left = left[kept]
    return rest, left, fixed
