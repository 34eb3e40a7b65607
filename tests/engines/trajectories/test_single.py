"""One trajectory of every sample in one call each way: what trajectories give that are drawn apart."""

import numpy as np
import pytest
import torch

from qloom.circuits import Circuit
from qloom.engines import Probabilities, TrajectoryEngine, make_batch
from qloom.engines.streams import Stream
from qloom.errors import ShapeError
from qloom.nn import QuantumLayer
from qloom.observables import X, Z


def noisy(seed=0, n_qubits=5):
    """Numbers as rates, an input and a weight in several places."""
    random, circuit = np.random.default_rng(seed), Circuit(n_qubits)
    x, w = circuit.inputs(3), circuit.weights(8)
    for k in range(30):
        a, b = (int(q) for q in random.permutation(n_qubits)[:2])
        circuit.ry(x[k % 3], a).rz(0.7 * w[k % 8], b).cx(a, b).depolarizing(0.05, a).rx(w[(k + 3) % 8], b)
        circuit.depolarizing(0.04, a, b)
    return circuit


def arrays(circuit, own, dtype, size=21):
    random = np.random.default_rng(1)
    x = random.normal(size=(size, circuit.n_inputs)).astype(dtype)
    return x, random.normal(size=(size, circuit.n_weights) if own else circuit.n_weights).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("own", [False, True], ids=["shared", "own"])
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(
    "outputs", [(Z(0), X(1) @ Z(2) - 0.5 * Z(3)), Probabilities((3, 1))], ids=["words", "outcomes"]
)
def test_it_is_what_is_drawn_apart(outputs, threads, own, dtype):
    """The same random numbers, so the same trajectories: to the last bit."""
    circuit = noisy()
    x, w = arrays(circuit, own, dtype)
    stream = Stream(3)
    evaluator = TrajectoryEngine(1, stream, threads).prepare(circuit, outputs)
    assert evaluator.reads_tensors
    state, batch = stream.state, make_batch(circuit, x, w)
    cotangents = np.random.default_rng(2).normal(size=(len(x), evaluator.n_outputs)).astype(dtype)
    values, kept = evaluator.forward(batch, keep=True)
    d_x, d_w = evaluator.backward(batch, cotangents, kept, (True, True))
    stream.state = state
    mine = np.empty_like(values), np.empty_like(x), np.empty_like(w)
    kept = evaluator.forward_into(mine[0], x, w, keep=True)
    evaluator.backward_into(mine[1], mine[2], x, w, cotangents, kept)
    for found, right in zip(mine, (values, d_x, d_w), strict=True):
        np.testing.assert_array_equal(found, right)


def test_layers_take_it():
    """Values and slopes of a layer are those of its evaluator on arrays; frozen weights have none."""
    circuit = noisy()
    x, w = arrays(circuit, False, np.float32)
    layer = QuantumLayer(circuit, engine=TrajectoryEngine(1, seed=5), init=w)
    inputs = torch.tensor(x, requires_grad=True)
    values = layer(inputs)
    values.sum().backward()
    evaluator = TrajectoryEngine(1, seed=5).prepare(circuit)
    right, kept = evaluator.forward(batch := make_batch(circuit, x, w), keep=True)
    d_x, d_w = evaluator.backward(batch, np.ones_like(right), kept, (True, True))
    np.testing.assert_array_equal(values.detach().numpy(), right)
    np.testing.assert_array_equal(inputs.grad.numpy(), d_x)
    np.testing.assert_array_equal(layer.weights.grad.numpy(), d_w)


def test_a_second_walk_back_draws_anew():
    circuit = noisy()
    x, w = arrays(circuit, False, np.float64)
    evaluator = TrajectoryEngine(1, seed=5).prepare(circuit)
    found = [np.empty_like(w) for _ in range(2)]
    for d_w in found:
        evaluator.backward_into(None, d_w, x, w, np.ones((len(x), evaluator.n_outputs)), None)
    assert np.isfinite(found).all()
    assert (found[0] != found[1]).any()


def test_arrays_that_do_not_fit_are_refused():
    circuit = noisy()
    x, w = arrays(circuit, False, np.float64)
    evaluator = TrajectoryEngine(1, seed=5).prepare(circuit)
    with pytest.raises(ShapeError, match="inputs has shape"):
        evaluator.forward_into(np.empty((len(x), evaluator.n_outputs)), x[:, :2], w, keep=False)
    with pytest.raises(ShapeError, match="cotangents has shape"):
        evaluator.backward_into(None, None, x, w, np.ones((len(x), 1)), None)
