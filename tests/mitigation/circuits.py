"""Circuits and observables that the tests of mitigation share."""

from __future__ import annotations

import numpy as np

from qloom import Circuit
from qloom.observables import X, Z

OBSERVABLES = [Z(0) + 0.25, X(0) @ Z(1) - 0.5 * Z(1)]
INPUTS, WEIGHTS = np.array([[0.4], [1.1]]), np.array([0.5, -0.7])


def circuit():
    c = Circuit(2)
    x, w = c.inputs(1), c.weights(2)
    return c.ry(x[0], 0).rx(w[0], 1).cx(0, 1).ry(w[1], 0)
