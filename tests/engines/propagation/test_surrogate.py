"""Values over words that were found once, against the engine that finds them anew, and against exact values."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import qloom as ql
from qloom.circuits import Circuit
from qloom.engines import DensityEngine, Engine, PropagationEngine, ReferenceEngine, Surrogate, make_batch
from qloom.errors import ArtifactError, ShapeError, UnsupportedError
from tests.engines.propagation.circuits import arrays_of, random_circuit
from tests.engines.propagation.test_propagation import CUTS, observables_of


@pytest.mark.parametrize("seed", range(24))
def test_without_cuts_it_is_exact_at_any_angles(seed):
    random = np.random.default_rng(seed)
    n, own, noisy = 1 + seed % 6, bool(seed % 2), seed % 3 > 0
    circuit, words = random_circuit(n, 18, random, noisy), observables_of(n)
    surrogate = PropagationEngine(threads=1).surrogate(circuit, words, *arrays_of(random, 1, own=False))
    assert surrogate.is_exact
    batch = make_batch(circuit, *arrays_of(random, 11, own))
    evaluator = surrogate.prepare(circuit, words)
    truth = ReferenceEngine().prepare(circuit, words).values(batch)
    np.testing.assert_allclose(evaluator.values(batch), truth, rtol=0, atol=1e-11)
    cotangents = random.normal(size=(11, 3))
    right = DensityEngine(1).prepare(circuit, words).backward(batch, cotangents, None, (True, True))
    values, kept = evaluator.forward(batch, keep=True)
    np.testing.assert_array_equal(values, evaluator.values(batch))
    for _ in range(2):  # with what was kept, and again without
        found = evaluator.backward(batch, cotangents, kept, (True, True))
        for mine, expected in zip(found, right, strict=True):
            np.testing.assert_allclose(mine, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("cuts", CUTS, ids=lambda cuts: ", ".join(cuts))
def test_at_its_samples_it_is_the_engine_and_elsewhere_within_its_bound(cuts):
    off, n_apart = [], 0
    for seed in range(60):
        random = np.random.default_rng(seed)
        n = 2 + seed % 4
        circuit, words = random_circuit(n, 25, random, noisy=bool(seed % 2)), observables_of(2 + seed % 4)
        arrays = arrays_of(random, 3, own=False)
        engine = PropagationEngine(**cuts)
        surrogate = engine.surrogate(circuit, words, *arrays)
        here = make_batch(circuit, *arrays)
        mine, walked = (one.prepare(circuit, words).estimate(here) for one in (surrogate, engine))
        np.testing.assert_allclose(mine.values, walked.values, rtol=0, atol=1e-12)
        np.testing.assert_allclose(mine.bounds, walked.bounds, rtol=0, atol=1e-12)
        np.testing.assert_allclose(mine.typical, walked.typical, rtol=0, atol=1e-12)
        there = make_batch(circuit, *arrays_of(random, 3, own=True))
        estimate = surrogate.prepare(circuit, words).estimate(there)
        truth = ReferenceEngine().prepare(circuit, words).values(there)
        off.append(np.abs(estimate.values - truth).ravel())
        assert (off[-1] <= estimate.bounds.ravel() + 1e-12).all(), seed
        n_apart += bool(np.abs(estimate.bounds - walked.bounds).max() > 1e-3)
    assert np.concatenate(off).max() > 1e-3
    assert n_apart > 20


def layered(n: int) -> Circuit:
    circuit = Circuit(n)
    x, w = circuit.inputs(n), circuit.weights(2, 2, n)
    for q in range(n):
        circuit.ry(x[q], q)
    for layer in w:
        for q in range(n):
            circuit.ry(layer[0][q], q)
        for q in range(n - 1):
            circuit.rzz(layer[1][q], q, q + 1)
        for q in range(n):
            circuit.rx(layer[1][q], q)
    return circuit


def recorded(n: int = 40, **cuts: float) -> Surrogate:
    circuit = layered(n)
    random = np.random.default_rng(0)
    inputs, weights = random.uniform(-0.5, 0.5, (4, n)), random.uniform(-0.3, 0.3, circuit.n_weights)
    return PropagationEngine(**cuts).surrogate(circuit, [ql.Z(3), ql.X(7) @ ql.Z(8)], inputs, weights)


def test_a_layer_trains_on_it_and_threads_change_no_bit():
    surrogate = recorded(max_weight=40)  # no word is heavier
    assert not surrogate.is_exact
    asked = surrogate.circuit, surrogate.observables
    layers = [
        ql.nn.QuantumLayer(*asked, engine=engine, dtype=torch.float64, init="small", seed=1)
        for engine in (surrogate, PropagationEngine())
    ]
    x = torch.from_numpy(np.random.default_rng(1).uniform(-0.5, 0.5, (300, 40)))
    values = [layer(x) for layer in layers]
    assert float((values[0] - values[1]).detach().abs().max()) < 1e-12
    for value in values:
        value.square().mean().backward()
    slopes = [layer.weights.grad for layer in layers]
    assert float(slopes[1].abs().max()) > 1e-3
    assert float((slopes[0] - slopes[1]).abs().max()) < 1e-12
    batch = make_batch(surrogate.circuit, x.numpy(), layers[0].weights.detach().numpy())
    found = []
    for threads in (1, 2):
        surrogate.threads = threads
        evaluator = surrogate.prepare(surrogate.circuit, surrogate.observables)
        found.append((evaluator.values(batch), *evaluator.backward(batch, np.ones((300, 2)), None, (True, True))))
    for mine, other in zip(*found, strict=True):
        np.testing.assert_array_equal(mine, other)


def test_it_is_saved_and_read_again(tmp_path):
    surrogate = recorded(min_coefficient=1e-3)
    path = surrogate.save(tmp_path / "wide.safetensors")
    again = Surrogate.load(path, tolerance=1.0)
    assert (again.circuit, again.observables, again.n_slots) == (
        surrogate.circuit, surrogate.observables, surrogate.n_slots,
    )  # fmt: skip
    assert (again.tolerance, again.is_exact) == (1.0, False)
    random = np.random.default_rng(2)
    weights = random.uniform(-0.1, 0.1, again.circuit.n_weights)
    batch = make_batch(again.circuit, random.uniform(-1, 1, (5, 40)), weights)
    for mine, other in zip(*(_estimate(one, batch) for one in (surrogate, again)), strict=True):
        np.testing.assert_array_equal(mine, other)


def _estimate(engine: Engine, batch: ql.engines.Batch) -> tuple[np.ndarray, ...]:
    assert isinstance(engine, Surrogate)
    found = engine.prepare(engine.circuit, engine.observables).estimate(batch)
    assert found.bounds is not None
    return found.values, found.bounds


def test_damaged_files_and_other_circuits_are_refused(tmp_path):
    surrogate = recorded(10)
    path = surrogate.save(tmp_path / "wide.safetensors")
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    (tmp_path / "changed").write_bytes(content)
    with pytest.raises(ArtifactError, match="sha256 differs"):
        Surrogate.load(tmp_path / "changed")
    (tmp_path / "none").write_bytes(b"no tensors")
    with pytest.raises(ArtifactError, match="no safetensors file"):
        Surrogate.load(tmp_path / "none")
    with pytest.raises(ArtifactError, match="cannot be read"):
        Surrogate.load(tmp_path / "missing")
    with pytest.raises(UnsupportedError, match="another circuit"):
        surrogate.prepare(layered(10), [ql.Z(0)])
    with pytest.raises(ShapeError, match="0 rows"):
        PropagationEngine().surrogate(layered(10), [ql.Z(0)], np.zeros((0, 10)), np.zeros(40))


def test_operands_that_fit_no_circuit_are_refused():
    """What native code is to trust is looked at when it is read."""
    surrogate = recorded(10)
    native, program = surrogate.recorded.native, surrogate.recorded
    slots, *arrays = native.arrays(0)
    names = ("given", "coefficients", "moments", "operands", "read", "ends", "letters")
    for name, place, value in (
        ("given", 0, 10**6), ("operands", 0, 10**6), ("operands", -1, 10**6), ("read", 0, 10**6), ("ends", -1, 3),
        ("moments", 0, 10**6), ("moments", 1, 10**6), ("letters", 0, 4 * 10 + 1), ("moments", 5, 2**31),
    ):  # fmt: skip
        damaged = [array.copy() for array in arrays]
        damaged[names.index(name)][place] = value
        with pytest.raises(ValueError, match=r"^(an? |its |steps )"):
            program.append(slots, *damaged)
    with pytest.raises(ValueError, match="none"):
        program.append(1, *arrays)


def test_a_tolerance_chooses_the_cut_and_refuses_later():
    circuit = layered(12)
    random = np.random.default_rng(0)
    weights = random.uniform(-0.2, 0.2, circuit.n_weights)
    surrogate = PropagationEngine(tolerance=0.01).surrogate(circuit, [ql.Z(3)], np.zeros((1, 12)), weights)
    layer = surrogate.prepare(circuit, [ql.Z(3)])
    assert layer.estimate(make_batch(circuit, np.zeros((1, 12)), weights)).bounds.max() <= 0.01
    with pytest.raises(UnsupportedError, match="above the tolerance"):
        layer.values(make_batch(circuit, random.uniform(-3, 3, (1, 12)), 10 * weights))
