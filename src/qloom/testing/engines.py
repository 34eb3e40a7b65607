"""The contract of an engine: it gives what the reference engine gives."""

from __future__ import annotations

from typing import Any

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.engines import Engine, Probabilities, ReferenceEngine, make_batch
from qloom.errors import UnsupportedError

TOLERANCE = {np.dtype(np.float64): 1e-10, np.dtype(np.float32): 1e-5}


def check_engine(engine: Engine, circuit: Circuit, observables: Any, inputs: Any, weights: Any) -> None:
    """Values, probabilities and (where it keeps them) states equal the reference engine's.

    The tolerance is 1e-10 in float64 and 1e-5 in float32, relative to the sum of an observable's coefficients.

    Shapes: inputs (B, I), weights (W,) or (B, W).
    """
    batch, reference = make_batch(circuit, inputs, weights), ReferenceEngine()
    exact = make_batch(circuit, batch.inputs.astype(np.float64), batch.weights.astype(np.float64))
    tolerance = TOLERANCE[batch.dtype]
    scale = max([1.0, *(sum(map(abs, o.terms.values())) for o in observables)])
    pairs = [("values", observables, tolerance * scale)]
    pairs += [("probabilities", Probabilities(q), tolerance) for q in _subsets(circuit.n_qubits)]
    for what, outputs, bound in pairs:
        mine = engine.prepare(circuit, outputs).values(batch)
        assert mine.dtype == batch.dtype, f"{what} are {mine.dtype}, expected {batch.dtype}"
        truth = reference.prepare(circuit, outputs).values(exact)
        np.testing.assert_allclose(mine, truth, rtol=0, atol=bound, err_msg=what)
    try:
        states = engine.state(circuit, batch)
    except UnsupportedError:
        return
    np.testing.assert_allclose(states, reference.state(circuit, exact), rtol=0, atol=tolerance, err_msg="states")


def _subsets(n_qubits: int) -> list[tuple[int, ...]]:
    everything = tuple(range(n_qubits))
    return [everything, everything[::-1], everything[::2], everything[-1:]]
