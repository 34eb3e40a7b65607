"""Many different circuits in one launch each way: what the CPU's batches of circuits give."""

from __future__ import annotations

import pickle
from collections.abc import Sequence

import numpy as np
import pytest
import torch

import qloom as ql
from qloom.engines.circuit_batch import PreparedBatch
from qloom.engines.gpu import GpuBatch, many, packing
from qloom.errors import ShapeError, UnsupportedError
from tests.engines.gpu.host import HostMachine
from tests.engines.gpu.kernel_script import TOLERANCE, check_near, unit_vector

MACHINE = HostMachine()
WIDTHS = (3, 1, 5, 2, 7)


def circuit_of_numbers(n_qubits: int, rng: np.random.Generator, real: bool = False) -> ql.Circuit:
    """Its own numbers beside slots that all circuits of a batch share."""
    circuit = ql.Circuit(n_qubits)
    x, w = circuit.inputs(2, name="x"), circuit.weights(4, name="w")
    for layer in range(2):
        for q in range(n_qubits):
            circuit.ry(float(rng.normal()), q).ry(2 * w[(q + layer) % 4] - 0.1, q)
            (circuit.ry if real else circuit.rx)(0.5 * x[q % 2], q)
        for q in range(n_qubits - 1):
            circuit.cz(q, q + 1)
            circuit.rzz(w[q % 3], q, q + 1) if not real else circuit.cx(q, q + 1)
    return circuit


def prepared(widths: Sequence[int], n_each: int = 2, real: bool = False, started: bool = False) -> PreparedBatch:
    """Circuits of these widths, `n_each` of them alike but for numbers; the last ones start from amplitudes."""
    rng = np.random.default_rng(len(widths))
    made = [circuit_of_numbers(n, rng, real) for n in widths for _ in range(n_each)]
    if started:
        fixed, free = ql.Circuit(3), ql.Circuit(3)
        fixed.prepare_amplitudes(unit_vector(8, real))
        free.prepare_amplitudes(free.inputs(8, name="amplitudes"))
        made += [fixed + made[0], free + made[1], free + made[1]]
    odd = [] if real else [ql.Y(0) - 0.3 * ql.X(0)]
    words = [[ql.Z(0), ql.X(c.n_qubits - 1) - 0.5 * everywhere(c.n_qubits) + 0.2, *odd] for c in made]
    return ql.CircuitBatch(made).prepare(words)


def everywhere(n_qubits: int) -> ql.PauliSum:
    """A word that no qubit can be left out of."""
    return ql.pauli("Z" * n_qubits, range(n_qubits))


def arrays_of(batch: ql.CircuitBatch, dtype: str, own: bool, started: bool) -> list[np.ndarray]:
    """Inputs, weights and cotangents of three observables at most."""
    rng, size = np.random.default_rng(1), len(batch)
    inputs = rng.uniform(-3, 3, (size, batch.n_inputs))
    if started:  # what comes last
        inputs[:, -8:] /= np.linalg.norm(inputs[:, -8:], axis=1, keepdims=True)
    weights = rng.uniform(-3, 3, (size, batch.n_weights) if own else batch.n_weights)
    return [array.astype(dtype) for array in (inputs, weights, rng.normal(size=(size, 3)))]


def walk(gpu: GpuBatch, arrays: list[np.ndarray], keep: bool = True) -> list[np.ndarray]:
    """Values and both derivatives; what is filled holds NaN before."""
    inputs, weights, cotangents = (torch.from_numpy(np.ascontiguousarray(array)) for array in arrays)
    values, d_inputs, d_weights = (torch.full_like(tensor, torch.nan) for tensor in (cotangents, inputs, weights))
    kept = gpu.forward_into(values, inputs, weights, keep)
    assert (kept is not None) == keep
    gpu.backward_into(d_inputs, d_weights, inputs, weights, cotangents, kept)
    return [tensor.numpy() for tensor in (values, d_inputs, d_weights)]


def check(one: PreparedBatch, dtype: str, own: bool = False, started: bool = False) -> None:
    inputs, weights, cotangents = arrays_of(one.batch, dtype, own, started)
    cotangents = cotangents[:, : one.n_outputs]
    right = one.derivatives(*(array.astype("f8") for array in (cotangents, inputs, weights)))
    check_near(walk(GpuBatch(one, MACHINE), [inputs, weights, cotangents]), list(right), dtype)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("real", [False, True])
@pytest.mark.parametrize("started", [False, True])
def test_values_and_derivatives_are_the_cpus(dtype, own, real, started):
    one = prepared(WIDTHS, real=real, started=started)
    assert one.n_programs < len(one.batch)
    assert GpuBatch(one, MACHINE)._packed(torch.float64).variant.components == (1 if real else 2)
    check(one, dtype, own, started)


@pytest.mark.parametrize("widths", [(1,), (9,), (11, 1), (6, 6, 6)])
def test_batches_of_one_width_and_of_far_ones(widths):
    """Threads of a block are as many as the smallest circuit has work for, a warp at least where others fill one."""
    one = prepared(widths, n_each=1)
    packed = GpuBatch(one, MACHINE)._packed(torch.float32)
    most = max(3, *widths)
    assert (packed.least_bits, packed.most_bits) == (max(min(widths), min(8, most)), most)
    check(one, "f4")


def test_sixteen_amplitudes_a_thread(monkeypatch):
    for module in (packing, many):
        monkeypatch.setattr(module, "REGISTER_BITS", 4)
    one = prepared(WIDTHS, started=True)
    assert GpuBatch(one, MACHINE)._packed(torch.float64).variant.register_bits == 4
    for dtype in TOLERANCE:
        check(one, dtype, started=True)


@pytest.mark.parametrize("own", [False, True])
def test_more_circuits_than_rows_of_slopes(monkeypatch, own):
    one = prepared(WIDTHS)
    arrays = arrays_of(one.batch, "f8", own, False)
    together = walk(GpuBatch(one, MACHINE), arrays)
    monkeypatch.setattr(many, "MOST_ROWS", 3)
    check(one, "f8", own)
    for mine, theirs in zip(walk(GpuBatch(one, MACHINE), arrays)[: 3 if own else 2], together, strict=False):
        np.testing.assert_array_equal(mine, theirs)


def test_slopes_are_the_same_bits_whatever_is_kept_and_wanted():
    one = prepared(WIDTHS, started=True)
    arrays, gpu = arrays_of(one.batch, "f4", False, True), GpuBatch(one, MACHINE)
    values, d_inputs, d_weights = walk(gpu, arrays)
    for again, right in zip(walk(gpu, arrays, keep=False), (values, d_inputs, d_weights), strict=True):
        np.testing.assert_array_equal(again, right)
    inputs, weights, cotangents = map(torch.from_numpy, arrays)
    of_inputs, of_weights = torch.zeros_like(inputs), torch.zeros_like(weights)
    gpu.backward_into(of_inputs, None, inputs, weights, cotangents, None)
    gpu.backward_into(None, of_weights, inputs, weights, cotangents, None)
    np.testing.assert_array_equal(of_inputs, d_inputs)
    np.testing.assert_array_equal(of_weights, d_weights)


def test_circuits_do_not_depend_on_those_beside_them():
    one = prepared((4, 2, 5), n_each=1)
    arrays = arrays_of(one.batch, "f8", True, False)
    together = walk(GpuBatch(one, MACHINE), arrays)
    for row in range(3):
        alone = one.batch[[row]].prepare([ql.Z(0)])
        values = walk(
            GpuBatch(alone, MACHINE), [array[[row]][:, : 1 if k == 2 else None] for k, array in enumerate(arrays)]
        )
        np.testing.assert_allclose(values[0][0, 0], together[0][row, 0], rtol=0, atol=1e-14)


def test_amplitudes_of_another_norm_give_nothing():
    one = prepared((2,), started=True)
    arrays = arrays_of(one.batch, "f8", True, True)
    right = walk(GpuBatch(one, MACHINE), arrays)
    arrays[0][-1, -8:] *= 1.01
    for mine, truth in zip(walk(GpuBatch(one, MACHINE), arrays), right, strict=True):
        assert np.isnan(mine[-1][truth[-1] != 0]).all()
        np.testing.assert_array_equal(mine[:-1], truth[:-1])


def test_circuits_without_inputs_or_weights():
    check(ql.CircuitBatch([ql.Circuit(2).ry(0.3, 0).cx(0, 1), ql.Circuit(1).h(0)]).prepare([ql.Z(0)]), "f8")
    check(ql.CircuitBatch([ql.encoders.angle(2), ql.encoders.angle(2, "x")]).prepare(), "f4")
    check(ql.CircuitBatch([ql.Circuit(2), ql.Circuit(9)]).prepare([ql.Z(0), 0 * ql.Z(0) + 2.5]), "f8")


# -- what is refused


def refusal(one: PreparedBatch, dtype: str = "f4", most_shared: int = 232448) -> str:
    inputs, weights, cotangents = map(torch.from_numpy, arrays_of(one.batch, dtype, False, False))
    with pytest.raises(UnsupportedError) as raised:
        GpuBatch(one, HostMachine(most_shared=most_shared)).forward_into(cotangents, inputs, weights, False)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_circuits_larger_than_a_block():
    said = refusal(prepared((15, 2), n_each=1))
    assert said.startswith("a circuit's state has 15 bits, expected at most 14; evaluate such circuits one by one, or")
    assert refusal(prepared((13, 2), n_each=1), "f8") == (
        "a circuit's state has 13 bits, host has shared memory for 12; evaluate such circuits one by one, or on the CPU"
    )
    assert refusal(prepared((2,)), most_shared=1000).startswith("host gives a block 1,000 bytes of shared memory")


@pytest.mark.parametrize(("name", "change", "words"), [
    ("inputs", lambda t: t.to("meta"), r"inputs is on meta, expected cpu, where the engine runs; .*"),
    ("weights", lambda t: t.to("meta"), r"weights is on meta, .*"),
    ("cotangents", lambda t: t.to("meta"), r"cotangents is on meta, .*"),
    ("weights", lambda t: t.double(), r"inputs is torch.float32 and weights is torch.float64, expected one dtype; .*"),
    ("cotangents", lambda t: t.double(), r"inputs is torch.float32 and cotangents is torch.float64, .*"),
    ("inputs", lambda t: t.half(), r"inputs is torch.float16, expected torch.float32 or torch.float64; convert it"),
    ("inputs", lambda t: t[:2], r"inputs has shape \(2, 2\) and weights \(4,\), expected \(4, 2\) and \(4,\) or .*"),
    ("weights", lambda t: t[:3], r"inputs has shape \(4, 2\) and weights \(3,\), expected .*"),
    ("cotangents", lambda t: t[:, :2].contiguous(), r"cotangents has shape \(4, 2\), expected \(4, 3\)"),
])  # fmt: skip
def test_tensors_that_do_not_fit(name, change, words):
    one = prepared((2, 3))
    made = map(torch.from_numpy, arrays_of(one.batch, "f4", False, False))
    given = dict(zip(("inputs", "weights", "cotangents"), made, strict=True))
    given[name] = change(given[name])
    with pytest.raises(ShapeError, match=f"^{words}$"):
        GpuBatch(one, MACHINE).backward_into(None, None, **given, kept=None)
    if name == "cotangents":
        return
    with pytest.raises(ShapeError, match=f"^{words}$"):
        GpuBatch(one, MACHINE).forward_into(torch.zeros(4, 3), given["inputs"], given["weights"], False)


def test_batches_are_not_pickled():
    with pytest.raises(TypeError, match="a prepared batch is not pickled; pickle the circuits and prepare them again"):
        pickle.dumps(GpuBatch(prepared((2,)), MACHINE))
