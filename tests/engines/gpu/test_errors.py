"""What cannot be run is refused in a line that says what to do, before a kernel reads a number."""

from __future__ import annotations

import pickle
import re
from typing import Any

import pytest
import torch
from torch import Tensor

import qloom as ql
from qloom.engines import Expectations, FinalState, make_batch
from qloom.engines.gpu import GpuEngine, memory
from qloom.engines.gpu.machine import Variant
from qloom.engines.gpu.shapes import shape_of
from qloom.errors import CircuitError, MemoryLimitError, ShapeError, UnsupportedError
from tests.engines.gpu.host_engine import HostEngine
from tests.engines.gpu.kernel_script import circuit_of, outputs_of

ENGINE, SWEPT = HostEngine(), HostEngine(most_whole=6)


def tensors(dtype: torch.dtype = torch.float32) -> dict[str, Tensor]:
    """That fit three samples of two qubits: what goes in and what is filled."""
    shapes = {"inputs": (3, 2), "weights": (4,), "values": (3, 2), "cotangents": (3, 2)}
    made = {name: torch.ones(shape, dtype=dtype) for name, shape in shapes.items()}
    return made | {"d_inputs": torch.ones(3, 2, dtype=dtype), "d_weights": torch.ones(4, dtype=dtype)}


def walk(engine: GpuEngine, given: dict[str, Tensor], flips: Tensor | None = None) -> None:
    evaluator: Any = engine.prepare(circuit_of(2))
    t = given
    kept = evaluator.forward_into(t["values"], t["inputs"], t["weights"], True, flips)
    evaluator.backward_into(t["d_inputs"], t["d_weights"], t["inputs"], t["weights"], t["cotangents"], kept, flips)


def refusal(error: type[Exception], call: Any, *args: Any) -> str:
    """The line that it is refused with."""
    with pytest.raises(error) as raised:
        call(*args)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_tensors_that_fit_are_taken():
    given = tensors()
    walk(ENGINE, given)
    assert (given["values"] != 1).all()
    assert (given["d_weights"] != 1).all()


@pytest.mark.parametrize("name", tensors())
@pytest.mark.parametrize(("change", "words"), [
    (lambda t: t.to("meta"), r'NAME is on meta, expected cpu, where the engine runs; move it with \.to\("cpu"\)'),
    (lambda t: t.double(), "inputs is torch.float(32|64) and [a-z_]+ is torch.float(32|64), expected one dtype; .*"),
    (lambda t: torch.stack([t, t], -1)[..., 0], r"NAME has strides \(.*\), expected one row .*; use \.contiguous\(\)"),
])  # fmt: skip
def test_tensors_that_kernels_cannot_read(name, change, words):
    given = tensors()
    given[name] = change(given[name])
    assert re.fullmatch(words.replace("NAME", name), refusal(ShapeError, walk, ENGINE, given))


@pytest.mark.parametrize(("name", "shape", "words"), [
    ("inputs", (3, 3), r"inputs has shape \(3, 3\) and weights \(4,\), expected \(B, 2\) and \(4,\) or \(B, 4\)"),
    ("weights", (2, 4), r"inputs has shape \(3, 2\) and weights \(2, 4\), expected .*"),
    ("values", (3, 1), r"values has shape \(3, 1\), expected \(3, 2\)"),
    ("cotangents", (2, 2), r"cotangents has shape \(2, 2\), expected \(3, 2\)"),
])  # fmt: skip
def test_shapes_that_do_not_fit(name, shape, words):
    given = tensors() | {name: torch.ones(shape)}
    assert re.fullmatch(words, refusal(ShapeError, walk, ENGINE, given))


@pytest.mark.parametrize("dtype", [torch.float16, torch.int64, torch.complex64])
def test_numbers_that_kernels_do_not_have(dtype):
    said = refusal(ShapeError, walk, ENGINE, tensors(dtype))
    assert said == f"inputs is {dtype}, expected torch.float32 or torch.float64; convert it"


def test_flips_that_do_not_fit():
    said = refusal(ShapeError, walk, ENGINE, tensors(), torch.zeros(3, 2, dtype=torch.int64))
    assert said == "flips has shape (3, 2), expected (3, 1)"


@pytest.mark.parametrize("most_shared", [0, 1000, 3000])
def test_devices_whose_blocks_have_too_little_memory(most_shared):
    engine = HostEngine(most_shared=most_shared)
    circuit = circuit_of(2)
    batch = make_batch(circuit, [[1.0, 2.0]], [0.1] * 4)
    said = refusal(UnsupportedError, engine.prepare(circuit).values, batch)
    assert said == (
        f"host gives a block {most_shared:,} bytes of shared memory, expected room for states of 8 qubits; "
        "use StatevectorEngine() on the CPU"
    )


def test_devices_whose_blocks_have_just_enough():
    circuit, variant = circuit_of(9), Variant("double", 2, 3)
    batch = make_batch(circuit, [[0.3] * 9], [0.1] * 18)
    right = ENGINE.prepare(circuit).values(batch)
    engine = HostEngine(most_shared=shape_of(variant, 8, back=True).shared)
    evaluator: Any = engine.prepare(circuit)
    assert not evaluator.packed(torch.float64, True).is_whole
    values, _ = evaluator.forward(batch, keep=True)
    torch.testing.assert_close(torch.tensor(values), torch.tensor(right), rtol=0, atol=1e-12)


# -- memory

LARGE = ql.encoders.angle(21, "y") + ql.encoders.angle(21, "x")


@pytest.fixture
def scarce(monkeypatch):
    """A device on which 10 million bytes are free, and no state is made."""
    monkeypatch.setattr(memory, "available_memory", lambda: 10_000_000)
    monkeypatch.setattr("qloom.engines.gpu.evaluator.run_swept", lambda *_: pytest.fail("states were made"))


@pytest.mark.usefixtures("scarce")
@pytest.mark.parametrize(("dtype", "keep", "n_samples", "needed"), [
    ("float32", False, 1, 16_777_216), ("float64", False, 2, 67_108_864), ("float32", True, 1, 33_554_432),
])  # fmt: skip
def test_states_that_have_no_room_are_not_begun(dtype, keep, n_samples, needed):
    inputs = torch.ones(n_samples, 42, dtype=getattr(torch, dtype))
    evaluator: Any = SWEPT.prepare(LARGE, Expectations((ql.pauli("Z" * 21, range(21)),)))
    values = inputs.new_empty(n_samples, 1)
    said = refusal(MemoryLimitError, evaluator.forward_into, values, inputs, inputs.new_empty(0), keep)
    assert said == (
        f"states of 21 qubits need {needed:,} bytes on host, 10,000,000 are free; use fewer qubits, samples or float32"
    )


@pytest.mark.usefixtures("scarce")
def test_walks_back_that_have_no_room_are_not_begun():
    inputs, cotangents = torch.ones(1, 42), torch.ones(1, 1)
    evaluator: Any = SWEPT.prepare(LARGE, Expectations((ql.pauli("Z" * 21, range(21)),)))
    args = torch.ones(1, 42), None, inputs, inputs.new_empty(0), cotangents, None
    assert "need 33,554,432 bytes" in refusal(MemoryLimitError, evaluator.backward_into, *args)


@pytest.mark.parametrize("kind", ["expectations", "state"])
def test_registers_that_no_state_is_made_for(kind):
    circuit = circuit_of(40, n_layers=1)
    refusal((MemoryLimitError, CircuitError), lambda: ENGINE.prepare(circuit, outputs_of(kind, 40)))


# -- devices


@pytest.mark.parametrize(("device", "words"), [
    ("cpu", """device='cpu', expected "cuda" or one such as "cuda:1"; on the CPU use StatevectorEngine()"""),
    ("meta", """device='meta', expected "cuda" or one such as "cuda:1"; on the CPU use StatevectorEngine()"""),
    ("nonsense", """device='nonsense', expected "cuda" or one of several such as "cuda:1\""""),
    (None, """device=None, expected "cuda" or one of several such as "cuda:1\""""),
    ([], """device=[], expected "cuda" or one of several such as "cuda:1\""""),
])  # fmt: skip
def test_what_is_no_gpu(device, words):
    assert refusal(CircuitError, GpuEngine, device) == words


@pytest.mark.skipif(torch.cuda.is_available(), reason="has a GPU")
def test_machines_without_a_gpu():
    said = refusal(UnsupportedError, GpuEngine)
    assert re.fullmatch(r"(torch .* is built without CUDA|no CUDA device: ).*, or use device='cpu'", said)


# -- what an engine's parts are not for


def test_evaluators_are_not_pickled():
    evaluator = ENGINE.prepare(circuit_of(2), FinalState(2))
    with pytest.raises(TypeError, match="an evaluator is not pickled; pickle the circuit and prepare it again"):
        pickle.dumps(evaluator)


def test_what_is_not_unitary_is_refused():
    noisy = circuit_of(2).depolarizing(0.1, 0)
    said = refusal(UnsupportedError, ENGINE.prepare, noisy)
    assert "HostEngine" in said
    refusal(UnsupportedError, ENGINE.sampler, noisy, (0, 1))


def test_engines_say_what_they_are():
    assert repr(ENGINE) == "HostEngine(device='cpu')"
    assert ENGINE.on("cpu") is ENGINE
