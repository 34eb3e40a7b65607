"""The engine on the very GPU: values and derivatives are those of the CPU's engine and of the reference."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import qloom as ql
from qloom.engines import Engine, Expectations, Outputs, Probabilities, Shots, StatevectorEngine, TrajectoryEngine
from qloom.engines.circuit_batch import CircuitBatch
from qloom.engines.gpu import GpuBatch, GpuEngine, launches
from qloom.errors import CircuitError, ShapeError, UnsupportedError
from qloom.gradients import prepare_gradient
from qloom.testing import EngineContract, check_engine
from tests.engines.gpu.device import DEVICE, device_engine, needs_gpu
from tests.engines.gpu.kernel_script import (
    KINDS,
    STARTS,
    arrays_of,
    check_results,
    circuit_of,
    cotangents_of,
    outputs_of,
    results,
    sum_of_many,
)

# What a version of torch says of its own is shown, and is no error.
pytestmark = [needs_gpu, pytest.mark.filterwarnings("default")]
DTYPES = {"f4": torch.float32, "f8": torch.float64}
SWEPT_FROM = 6  # states of more bits go through global memory, where a test says so
SIGMAS = 6


class TestWhole(EngineContract):
    def make_engine(self) -> Engine:
        return device_engine()


class TestSwept(EngineContract):
    """Seven qubits, of which six at most are in one block."""

    def make_engine(self) -> Engine:
        return device_engine(SWEPT_FROM)

    def circuit(self) -> ql.Circuit:
        return circuit_of(7, n_layers=1)

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        batch = arrays_of(self.circuit(), 3)
        return batch.inputs, batch.weights

    def outputs(self, engine: Engine) -> list[Outputs]:
        return [outputs_of(kind, 7) for kind in KINDS[:3]]


# -- sizes


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n_qubits", range(1, 11))
def test_values_are_the_references(n_qubits, dtype):
    circuit = circuit_of(n_qubits)
    batch = arrays_of(circuit, 5, dtype)
    observables = [*outputs_of("expectations", n_qubits).observables, sum_of_many(n_qubits)]
    check_engine(device_engine(), circuit, observables, batch.inputs, batch.weights)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n_qubits", range(1, 15))
def test_derivatives_are_those_of_the_cpu(n_qubits, dtype):
    circuit = circuit_of(n_qubits)
    for kind in KINDS:
        check_results(device_engine(), circuit, outputs_of(kind, n_qubits), arrays_of(circuit, 4, dtype))


@pytest.mark.parametrize(("n_qubits", "dtype"), [(16, "f4"), (16, "f8"), (18, "f4"), (20, "f4"), (20, "f8")])
def test_large_registers(n_qubits, dtype):
    circuit = circuit_of(n_qubits, n_layers=1)
    for kind in KINDS:
        check_results(device_engine(), circuit, outputs_of(kind, n_qubits), arrays_of(circuit, 2, dtype))


@pytest.mark.parametrize("n_samples", [0, 1, 33, 300, 5000])
@pytest.mark.parametrize("n_qubits", [2, 7, 9])
def test_batches_of_any_size(n_qubits, n_samples):
    """More than have a row of slopes of their own, too."""
    assert launches.MOST_ROWS < 5000
    circuit = circuit_of(n_qubits, n_layers=1)
    check_results(device_engine(), circuit, outputs_of("expectations", n_qubits), arrays_of(circuit, n_samples))


# -- outputs, starts and what is kept


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("real", [False, True])
@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("most_whole", "n_qubits"), [(None, 4), (SWEPT_FROM, 7)])
def test_every_output_from_every_start(most_whole, n_qubits, kind, start, real, dtype):
    circuit, outputs = circuit_of(n_qubits, start, real), outputs_of(kind, n_qubits, real)
    engine = device_engine(most_whole)
    assert engine.prepare(circuit, outputs).packed(DTYPES[dtype], True).is_whole == (most_whole is None)
    for own in (False, True):
        check_results(engine, circuit, outputs, arrays_of(circuit, 3, dtype, own))


@pytest.mark.parametrize("qubits", [(3,), (6, 0, 2), tuple(range(7))])
@pytest.mark.parametrize("most_whole", [None, SWEPT_FROM])
def test_probabilities_of_some_qubits(most_whole, qubits):
    circuit = circuit_of(7)
    check_results(device_engine(most_whole), circuit, Probabilities(qubits), arrays_of(circuit, 2))


@pytest.mark.parametrize(("most_whole", "n_qubits"), [(None, 8), (SWEPT_FROM, 7)])
def test_the_same_bits_every_time(most_whole, n_qubits):
    circuit, outputs = circuit_of(n_qubits), outputs_of("expectations", n_qubits)
    batch = arrays_of(circuit, 37, "f4")
    first = results(device_engine(most_whole), circuit, outputs, batch)
    for _ in range(5):
        for mine, right in zip(results(device_engine(most_whole), circuit, outputs, batch), first, strict=True):
            np.testing.assert_array_equal(mine, right)


@pytest.mark.parametrize(("most_whole", "n_qubits"), [(None, 5), (SWEPT_FROM, 7)])
def test_frozen_weights_and_what_is_not_wanted(most_whole, n_qubits):
    circuit, outputs = circuit_of(n_qubits), outputs_of("expectations", n_qubits)
    evaluator, batch = device_engine(most_whole).prepare(circuit, outputs), arrays_of(circuit, 3)
    cotangents = cotangents_of(batch, outputs.size)
    d_inputs, d_weights = evaluator.backward(batch, cotangents, None, (True, True))
    assert evaluator.backward(batch, cotangents, None, (True, False))[1] is None
    evaluator.trained = np.arange(circuit.n_weights) % 3 == 1
    again = evaluator.backward(batch, cotangents, None, (True, True))
    np.testing.assert_array_equal(again[0], d_inputs)
    np.testing.assert_array_equal(again[1], np.where(evaluator.trained, d_weights, 0))


@pytest.mark.parametrize(("most_whole", "n_qubits"), [(None, 3), (SWEPT_FROM, 7)])
def test_samples_of_another_norm_give_nothing(most_whole, n_qubits):
    circuit, outputs = circuit_of(n_qubits, "inputs"), outputs_of("expectations", n_qubits)
    batch = arrays_of(circuit, 3, own=True)
    batch.inputs[1] *= 1.01
    for array in results(device_engine(most_whole), circuit, outputs, batch):
        assert np.isnan(array[1]).any()
        assert np.isfinite(array[[0, 2]]).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("angle", [np.pi, 3.0, 1e6])
def test_angles_whose_tangents_have_no_bound(angle, dtype):
    circuit = circuit_of(6, n_layers=6)
    batch = arrays_of(circuit, 2, dtype)
    batch.inputs[...] = angle
    batch.weights[...] = angle
    near = {"f4": 1e-4, "f8": 1e-9}[dtype]
    check_results(device_engine(), circuit, outputs_of("expectations", 6), batch, near)


# -- different circuits in one launch


def different_circuits(count: int) -> list[ql.Circuit]:
    """Of 3 to 6 qubits, which share weights by name."""
    rng, made = np.random.default_rng(count), []
    for k in range(count):
        n = 3 + k % 4
        circuit = ql.Circuit(n)
        w = circuit.weights(5, name="w")
        for j in range(12):
            a, b = (int(q) for q in rng.choice(n, 2, replace=False))
            circuit.append(("rx", "ry", "rz")[j % 3], [w[int(rng.integers(5))] * float(rng.normal())], [a]).cx(a, b)
        made.append(circuit)
    return made


@pytest.mark.parametrize("count", [1, 7, 500, 5000])
@pytest.mark.parametrize("own", [False, True])
def test_different_circuits_in_one_launch(count, own):
    prepared = CircuitBatch(different_circuits(count)).prepare([ql.Z(0), ql.X(1) @ ql.Y(2)])
    rng = np.random.default_rng(1)
    weights = rng.normal(size=(count, 5) if own else 5)
    cotangents = rng.normal(size=(count, 2))
    right = prepared.derivatives(cotangents, None, weights)
    there = GpuBatch(prepared, device_engine().machine)
    inputs, w, g = (torch.tensor(a, device=DEVICE) for a in (np.empty((count, 0)), weights, cotangents))
    values, d_weights = g.new_empty(count, 2), torch.empty_like(w)
    kept = there.forward_into(values, inputs, w, keep=True)
    there.backward_into(None, d_weights, inputs, w, g, kept)
    np.testing.assert_allclose(values.cpu(), right[0], atol=1e-10)
    np.testing.assert_allclose(d_weights.cpu(), right[2], atol=1e-9)


# -- measurements and noise


def test_frequencies_are_the_probabilities():
    """Off by less than six standard errors: a false alarm in 500 million outcomes."""
    circuit, shots = circuit_of(4), 200_000
    batch = arrays_of(circuit, 3)
    outputs = Probabilities((0, 1, 2, 3))
    exact = StatevectorEngine().prepare(circuit, outputs).values(batch)
    found = Shots(device_engine(), shots, 7).prepare(circuit, outputs).values(batch)
    errors = np.sqrt(exact * (1 - exact) / shots)
    assert (np.abs(found - exact) <= SIGMAS * errors + 1e-9).all()


def test_bits_of_a_seed_are_the_same_bits():
    circuit = circuit_of(7)
    batch = arrays_of(circuit, 2)
    given = (circuit, 1000, batch.inputs, batch.weights)
    first = ql.sample(*given, seed=3, engine=device_engine())
    np.testing.assert_array_equal(ql.sample(*given, seed=3, engine=device_engine()), first)
    assert (ql.sample(*given, seed=4, engine=device_engine()) != first).any()


def noisy_circuit() -> ql.Circuit:
    circuit = circuit_of(5)
    for qubit in range(5):
        circuit.append("depolarizing", (0.1,), (qubit,))
    return circuit.ry(0.4, 1).cx(1, 3)


def device_trajectories(n_trajectories: int, seed: int) -> TrajectoryEngine:
    return TrajectoryEngine(n_trajectories, seed, device=str(DEVICE))


def test_trajectories_are_those_of_the_cpu_within_their_errors():
    circuit = noisy_circuit()
    batch, g = arrays_of(circuit, 4), np.ones((4, 5))
    here, there = (
        prepare_gradient(circuit, None, engine) for engine in (TrajectoryEngine(400, 1), device_trajectories(400, 2))
    )
    mine, right = there.estimate(batch), here.estimate(batch)
    assert (np.abs(mine.values - right.values) <= SIGMAS * np.hypot(mine.errors, right.errors)).all()
    # Errors that are drawn from the same numbers are the same.
    here, there = (
        prepare_gradient(circuit, None, engine) for engine in (TrajectoryEngine(50, 3), device_trajectories(50, 3))
    )
    np.testing.assert_allclose(there.values(batch), here.values(batch), atol=1e-10)
    for found, truth in zip(*(one.backward(batch, g, None, (True, True)) for one in (there, here)), strict=True):
        np.testing.assert_allclose(found, truth, atol=1e-8)


# -- what is refused


def test_what_is_no_such_device():
    with pytest.raises(UnsupportedError, match="no CUDA device 99, expected one of"):
        GpuEngine("cuda:99")
    with pytest.raises(CircuitError, match="on the CPU use StatevectorEngine"):
        GpuEngine("cpu")


def test_tensors_elsewhere_are_refused():
    circuit = circuit_of(3)
    evaluator = device_engine().prepare(circuit, Expectations((ql.Z(0),)))
    there = torch.zeros(2, circuit.n_weights, device=DEVICE)
    with pytest.raises(ShapeError, match=r"inputs is on .*, expected .*, where the engine runs"):
        evaluator.forward_into(there.new_empty(2, 1), torch.zeros(2, circuit.n_inputs), there, keep=False)
