"""The contracts of encoders and ansatze."""

from __future__ import annotations

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.engines.evaluation import probabilities, state


def check_encoder(circuit: Circuit, n_inputs: int) -> None:
    """An encoder has inputs and no weights, uses every one, and tells different samples apart.

    Args:
        circuit: under test.
        n_inputs: that it is to have.
    """
    assert (circuit.n_inputs, circuit.n_weights) == (n_inputs, 0)
    if circuit.initial is None:
        used = {angle.index for op in circuit.operations for angle in op.angles if angle.source == "input"}
        assert used == set(range(n_inputs)), f"inputs {set(range(n_inputs)) - used} are not used"
    x = np.random.default_rng(0).uniform(0.1, 1, (2, n_inputs))
    if circuit.initial is not None:
        x /= np.linalg.norm(x, axis=1, keepdims=True)
    a, b = state(circuit, x)
    assert abs(np.vdot(a, b)) < 1 - 1e-6, "two different samples give the same state"


def check_ansatz(circuit: Circuit, n_weights: int) -> None:
    """An ansatz has weights and no inputs, uses every one, and its text and inverse hold together.

    Args:
        circuit: under test.
        n_weights: that it is to have.
    """
    assert (circuit.n_inputs, circuit.n_weights) == (0, n_weights)
    used = {angle.index for op in circuit.operations for angle in op.angles if angle.source == "weight"}
    assert used == set(range(n_weights)), f"weights {set(range(n_weights)) - used} are not used"
    assert Circuit.from_json(circuit.to_json()) == circuit
    back = circuit.copy()
    back.operations += circuit.inverse().operations
    weights = np.random.default_rng(0).uniform(-3, 3, n_weights)
    assert abs(probabilities(back, weights=weights)[0] - 1) < 1e-10, "the inverse does not undo it"
