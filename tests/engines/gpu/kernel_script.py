"""Every kernel of the engine for GPUs on the host: whole states, swept ones, many circuits, draws, flips.

Run as a script in a process of its own, for builds that watch memory and threads: "address,undefined" or "thread", and
the kernels' source where it is another. Prints "agreed" when all kernels were launched and gave what the CPU's engine
gives.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch

import qloom as ql
from qloom.engines import Batch, Engine, Expectations, FinalState, Outputs, Probabilities, StatevectorEngine
from qloom.engines.gpu import GpuBatch, launches, samplers
from qloom.engines.gpu.cuda import kernel_names
from qloom.engines.gpu.machine import KERNELS, Call, Variant
from tests.engines.gpu.host import HostMachine
from tests.engines.gpu.host_engine import HostEngine

KINDS = ("expectations", "probabilities", "state", "linear")
STARTS = ("zero", "fixed", "inputs")
TOLERANCE = {"f4": 1e-5, "f8": 1e-11}


def cut_small(set_attribute: Callable[[Any, str, int], None]) -> None:
    """Blocks have few threads, and those little to do: walks over states of seven qubits have several blocks."""
    for module in (launches, samplers):
        set_attribute(module, "MOST_THREADS", 64)
    set_attribute(launches, "LEAST_A_THREAD", 1)


def circuit_of(n_qubits: int, start: str = "zero", real: bool = False, n_layers: int = 2) -> ql.Circuit:
    """Slots several times, with scales and signs, in rotations about many words; gates between them.

    Args:
        start: where the state comes from, one of STARTS.
        real: whether its amplitudes stay real.
    """
    circuit = ql.Circuit(n_qubits)
    if start == "fixed":
        circuit.prepare_amplitudes(unit_vector(2**n_qubits, real))
    elif start == "inputs":
        circuit.prepare_amplitudes(*(circuit.inputs(2**n_qubits) for _ in range(1 if real else 2)))
    x, w = circuit.inputs(n_qubits), circuit.weights(2 * n_qubits)
    for q in range(n_qubits):
        circuit.h(q).ry(-1.5 * x[q], q).ry(w[q] + 0.3, q)
    for layer in range(n_layers):
        for q in range(n_qubits if n_qubits > 1 else 0):
            circuit.cz(q, (q + 1 + layer % (n_qubits - 1)) % n_qubits)
        for q in range(n_qubits):
            circuit.ry(w[n_qubits + q], q)
            if not real:
                circuit.rz(0.5 * w[q], q).rx(x[q], q)
    return circuit


def unit_vector(size: int, real: bool) -> np.ndarray:
    rng = np.random.default_rng(size)
    vector = rng.normal(size=size) + 1j * rng.normal(size=size) * (not real)
    return vector / np.linalg.norm(vector)


def outputs_of(kind: str, n_qubits: int, real: bool = False) -> Outputs:
    """Of a kind; words of a real state's expectations have no odd number of Y."""
    if kind == "probabilities":
        return Probabilities(tuple(range(n_qubits))[::-2])
    if kind != "expectations":
        return FinalState(n_qubits, linear=kind == "linear")
    last = n_qubits - 1
    words = [ql.Z(0), ql.X(last) @ ql.Z(0) - 0.7 * ql.Z(last) + 0.5 if last else ql.X(0), sum_of_many(n_qubits)]
    return Expectations(tuple(words if real else [*words, ql.Y(last) - 0.3 * ql.X(0)]))


def sum_of_many(n_qubits: int) -> ql.PauliSum:
    """More words of one kind than are measured in one walk over a state."""
    words = [ql.pauli("X" * k + "Y", range(k + 1)) @ ql.Z(n_qubits - 1) for k in range(min(2, n_qubits - 1))]
    ends = [ql.pauli("Z" * k + "I" * (n_qubits - k - 1) + "Z", range(n_qubits)) for k in range(n_qubits)]
    ones = [ql.Z(q) for q in range(n_qubits - 1)]
    return sum((0.1 * (k + 1) * word for k, word in enumerate(words + ends)), 0.25 * sum(ones, ql.Z(n_qubits - 1)))


def arrays_of(circuit: ql.Circuit, n_samples: int, dtype: str = "f8", own: bool = False, norm: float = 1) -> Batch:
    """Random inputs and weights, each sample's own ones or not; amplitudes among the inputs have this norm."""
    rng = np.random.default_rng(n_samples)
    inputs = rng.uniform(-3, 3, (n_samples, circuit.n_inputs))
    if circuit.initial is not None and circuit.initial.values is None:
        firsts = [first for first in (circuit.initial.real, circuit.initial.imaginary) if first is not None]
        columns = np.concatenate([first + np.arange(2**circuit.n_qubits) for first in firsts])
        inputs[:, columns] *= norm / np.linalg.norm(inputs[:, columns], axis=1, keepdims=True)
    weights = rng.uniform(-3, 3, (n_samples, circuit.n_weights) if own else circuit.n_weights)
    return Batch(inputs.astype(dtype), weights.astype(dtype), single=False)


def exact(batch: Batch) -> Batch:
    """The same numbers in double precision."""
    return Batch(batch.inputs.astype("f8"), batch.weights.astype("f8"), False)


def cotangents_of(batch: Batch, n_outputs: int) -> np.ndarray:
    return np.random.default_rng(n_outputs).normal(size=(batch.size, n_outputs)).astype("f4").astype(batch.dtype)


def results(engine: Engine, circuit: ql.Circuit, outputs: Outputs, batch: Batch) -> list[np.ndarray]:
    """Values, and derivatives by inputs and by weights."""
    evaluator = engine.prepare_adjoint(circuit, outputs)
    values, kept = evaluator.forward(batch, keep=True)
    cotangents = cotangents_of(batch, evaluator.n_outputs)
    d_inputs, d_weights = evaluator.backward(batch, cotangents, kept, (True, True))
    assert d_inputs is not None
    assert d_weights is not None
    return [values, d_inputs, d_weights]


def check_results(engine: Engine, circuit: ql.Circuit, outputs: Outputs, batch: Batch, near: float = 0) -> None:
    """Against the CPU's engine, in double precision at the same numbers."""
    right = results(StatevectorEngine(1), circuit, outputs, exact(batch))
    check_near(results(engine, circuit, outputs, batch), right, batch.dtype.str[1:], near)


def check_near(found: list[np.ndarray], right: list[np.ndarray], dtype: str, near: float = 0) -> None:
    """Values, d_inputs, d_weights; slopes are sums of many."""
    for mine, truth, wider in zip(found, right, (1, 4, 16), strict=True):
        assert mine.dtype == dtype
        size = max(1.0, float(np.abs(truth).max(initial=0)))
        np.testing.assert_allclose(mine, truth, rtol=0, atol=wider * size * (near or TOLERANCE[dtype]))


# -- the script


class Watched(HostMachine):
    """Remembers which kernels were launched: of a variant their names."""

    def __init__(self, source: Path, sanitizers: str):
        super().__init__(source, sanitizers=sanitizers)
        self.launched: dict[Variant, set[str]] = defaultdict(set)

    def launch(self, kernel: str, variant: Variant, blocks: int, threads: int, shared: int, call: Call) -> None:
        self.launched[variant].add(kernel)
        super().launch(kernel, variant, blocks, threads, shared, call)


def engine_on(machine: HostMachine, most_whole: int | None = None) -> HostEngine:
    engine = HostEngine(most_whole)
    engine.machine = machine
    return engine


def check_engines(machine: HostMachine, dtype: str, real: bool) -> None:
    """Samples that share a warp, blocks of one warp and of several, and swept states."""
    whole, swept = engine_on(machine), engine_on(machine, 6)
    for engine, n_qubits, n_samples in ((whole, 2, 5), (whole, 6, 3), (whole, 9, 1), (swept, 7, 1)):
        for kind, start in zip(KINDS, (*STARTS, "inputs"), strict=True):
            circuit, own = circuit_of(n_qubits, start, real, n_layers=1 + (engine is whole)), kind == "probabilities"
            batch = arrays_of(circuit, n_samples + own, dtype, own)
            check_results(engine, circuit, outputs_of(kind, n_qubits, real), batch)
    circuit = circuit_of(8, real=real, n_layers=1)
    check_results(swept, circuit, Probabilities((3,)), arrays_of(circuit, 1, dtype))


def check_flips(machine: HostMachine, dtype: str, real: bool) -> None:
    """Where every rotation turns the other way, it is as if all angles did."""
    for engine, n_qubits in ((engine_on(machine), 5), (engine_on(machine, 6), 7)):
        circuit = ql.encoders.angle(n_qubits, "y") + ql.ansatze.hardware_efficient(
            n_qubits, 1, ("ry",) if real else ("ry", "rz"), "ring", "cz"
        )
        batch, evaluator = arrays_of(circuit, 2, dtype), engine.prepare(circuit)
        inputs, weights = torch.from_numpy(batch.inputs), torch.from_numpy(batch.weights)
        values, cotangents = torch.empty(2, n_qubits, dtype=inputs.dtype), torch.ones(2, n_qubits, dtype=inputs.dtype)
        d_inputs, d_weights = torch.empty_like(inputs), torch.empty_like(weights)
        flips = torch.full((2, -(-evaluator.program.n_rotations // 64)), -1)
        kept = evaluator.forward_into(values, inputs, weights, True, flips)
        evaluator.backward_into(d_inputs, d_weights, inputs, weights, cotangents, kept, flips)
        turned = Batch(-exact(batch).inputs, -exact(batch).weights, False)
        right, (of_inputs, of_weights) = slopes_of_ones(circuit, turned)
        check_near([values.numpy(), d_inputs.numpy(), d_weights.numpy()], [right, -of_inputs, -of_weights], dtype)


def slopes_of_ones(circuit: ql.Circuit, batch: Batch) -> tuple[np.ndarray, Any]:
    evaluator = StatevectorEngine(1).prepare_adjoint(circuit)
    values = evaluator.values(batch)
    return values, evaluator.backward(batch, np.ones_like(values), None, (True, True))


def check_many(machine: HostMachine, dtype: str, real: bool) -> None:
    """Circuits of few and of many amplitudes, with weights that they share."""
    circuits = [circuit_of(n, real=real) for n in (1, 3, 8)]
    for k, circuit in enumerate(circuits):
        circuit.ry(0.1 * k, 0)
    batch = ql.CircuitBatch([named(circuit) for circuit in circuits], threads=1)
    one, rng = batch.prepare([ql.Z(0)]), np.random.default_rng(0)
    inputs, weights = rng.normal(size=(3, batch.n_inputs)).astype(dtype), rng.normal(size=batch.n_weights).astype(dtype)
    right = one.derivatives(None, inputs.astype("f8"), weights.astype("f8"))
    x, w = torch.from_numpy(inputs), torch.from_numpy(weights)
    values, d_inputs, d_weights = torch.empty(3, 1, dtype=x.dtype), torch.empty_like(x), torch.empty_like(w)
    gpu = GpuBatch(one, machine)
    kept = gpu.forward_into(values, x, w, True)
    gpu.backward_into(d_inputs, d_weights, x, w, torch.ones_like(values), kept)
    check_near([values.numpy(), d_inputs.numpy(), d_weights.numpy()], list(right), dtype)


def named(circuit: ql.Circuit) -> ql.Circuit:
    """With slots of its own among a batch's."""
    out = ql.Circuit(circuit.n_qubits)
    out.inputs(circuit.n_inputs, name=f"x{circuit.n_qubits}")
    out.weights(circuit.n_weights, name=f"w{circuit.n_qubits}")
    out.operations += circuit.operations
    return out


def check_draws(machine: HostMachine, dtype: str, real: bool) -> None:
    """Bits of a product: of so many outcomes that their sums are found in parts."""
    circuit = ql.Circuit(11)
    x = circuit.inputs(11)
    for q in range(11):
        circuit.ry(x[q], q)
        if not real:
            circuit.rx(x[q], q)
    inputs = np.linspace(0, np.pi, 22).reshape(2, 11)
    bits = ql.sample(circuit, 300, inputs.astype(dtype), seed=0, engine=engine_on(machine))
    right = (1 - np.cos(inputs) ** (1 if real else 2)) / 2
    assert np.abs(bits.mean(axis=1) - right).max() < 6 * 0.5 / np.sqrt(300)


def main(sanitizers: str = "", source: str = "") -> None:
    cut_small(setattr)
    machine = Watched(Path(source or KERNELS / "kernels.cu"), sanitizers)
    for dtype, real in product(TOLERANCE, (False, True)):
        for check in (check_engines, check_flips, check_many, check_draws):
            check(machine, dtype, real)
    names = set(kernel_names(KERNELS / "kernels.cu"))
    assert len(machine.launched) == 4
    for variant, launched in machine.launched.items():
        of_both = names - {"fill_tables"} if variant.components == 1 else names  # tables turn phases
        assert launched == of_both, f"{variant}: {sorted(of_both ^ launched)} were left out"
    print("agreed")


if __name__ == "__main__":
    main(*sys.argv[1:])
