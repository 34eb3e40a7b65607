"""A relaxed solution: each spin anywhere between -1 and 1, for a warm start."""

from __future__ import annotations

import numpy as np

from qloom.combinatorial.quadratic import Quadratic
from qloom.errors import ProblemError


def relax(function: Quadratic) -> np.ndarray:
    """The least of the function's convex form, as values from 0 to 1 of the variables x, (N,).

    s' J s - smallest eigenvalue of J * sum (s_i^2 - 1) agrees with s' J s where s_i = +-1 and is convex, so that its
    least over -1 <= s <= 1 is found for certain. Without linear terms that is 0, in the middle.

    Raises:
        ProblemError: for a function without variables.

    Source: Hammer, Rubin 1970, RAIRO 4, 67; Egger, Marecek, Woerner 2021, Quantum 5, 479, section 2.
    """
    from scipy.optimize import minimize

    if not function.n:
        raise ProblemError("the function has no variables, expected at least one")
    spins = function.as_spins()
    matrix = spins.matrix()
    matrix = matrix - np.linalg.eigvalsh(matrix)[0] * np.eye(spins.n)

    def convex(s: np.ndarray) -> tuple[float, np.ndarray]:
        pull = matrix @ s
        return float(s @ pull + spins.linear @ s), 2 * pull + spins.linear

    found = minimize(convex, np.zeros(spins.n), jac=True, method="L-BFGS-B", bounds=[(-1, 1)] * spins.n)
    return np.clip((found.x + 1) / 2, 0, 1)
