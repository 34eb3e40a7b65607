"""Small random models with every kind of variable, product and constraint."""

from __future__ import annotations

from itertools import product

import numpy as np

from qloom.combinatorial.model import Model


def random_model(seed: int) -> Model:
    """Whole coefficients; to be large if the seed is odd. Some values meet all constraints."""
    random, model = np.random.default_rng(seed), Model("max" if seed % 2 else "min")
    x, s, y = model.binary("x", 4), model.spin("s", 2), model.integer("y", -1, 2)
    choice = model.one_hot("choice", (), 2)
    model.add(1.5)
    for variables in (x, s, y, choice):
        model.add(random.integers(-5, 6, np.shape(variables)), variables)
    model.add(random.integers(-3, 4), y, y)
    model.add(random.integers(-3, 4, 4), x, x[::-1])
    model.add(random.integers(-3, 4), x[0], x[1], x[2])
    model.add(random.integers(-3, 4), x[0], s[0], y)
    model.add(random.integers(-3, 4), x[1], choice[1])
    model.constrain("weight", x, [2, 3, 1, 4], "<=", 6)
    model.constrain("sum", np.append(x, y), 1, "==", 2)
    model.constrain("spins", s, 1, ">=", 0)
    model.constrain("few", x[:3], 1, "<=", 1)
    return model


def every_value(model: Model) -> np.ndarray:
    """All values of the variables, int64 (K, N)."""
    steps = np.where(model.is_spin, 2, 1)
    return np.array(list(product(*map(range, model.lower, model.upper + 1, steps))))
