"""Modules of TorchQuantum as a `QuantumLayer`.

A module is run once with its gates and its expectation values listened to: in their parameters autograd finds inputs
and weights, and in what the module returns the expectation values. TorchQuantum calculates in complex64.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from qloom.checks import checked_count
from qloom.circuits.circuit import Circuit
from qloom.circuits.parts import finished
from qloom.circuits.slots import Slots
from qloom.engines.base import Engine
from qloom.errors import CircuitError, QloomError, UnsupportedError
from qloom.extras import package
from qloom.nn.imported.listening import Listener, Measured
from qloom.nn.imported.polynomials import Polynomials
from qloom.nn.imported.torchquantum_gates import gate_part
from qloom.nn.imported.tracing import Traced, depends, does_not_run, flat, traced_twice
from qloom.nn.imported.verification import Foreign, verified_layer
from qloom.nn.layer import QuantumLayer
from qloom.observables import PauliSum

_WHO = "TorchQuantum's module"


def from_torchquantum(module: nn.Module, n_inputs: int, engine: Engine | None = None) -> QuantumLayer | nn.Sequential:
    """A TorchQuantum module with its weights, which are compared with the original's on the way, to 2e-5.

    It is called with x (B, I), or with nothing where I is 0, makes or resets its `QuantumDevice`, and returns
    expectation values, or fixed sums of them, (B, O). Trained parameters become blocks of weights in the order of
    `named_parameters`, "_" for the dots of their names; parameters that are not trained become numbers.

    Where angles are other polynomials of degree two in inputs, it is ``nn.Sequential``: `angles` computes them, `layer`
    is the `QuantumLayer`.

    While it is read its weights are set to others and then put back, and functions of TorchQuantum are exchanged: no
    other thread should run it.

    Args:
        module: angles are numbers, a * x + b of one input or weight, or of degree two in inputs alone.
        n_inputs: I, numbers a sample.
        engine: what runs the new layer; StatevectorEngine() by default.

    Raises:
        ExtraError: without TorchQuantum.
        CircuitError: for another object, or an angle that is made of several slots, weights among them.
        UnsupportedError: for other angles, for states, gates, noise, measurements or layers that have no place in a
            circuit, or where the two layers differ: by name.
    """
    tq = package("torchquantum", "from_torchquantum", "torchquantum")
    if not isinstance(module, nn.Module):
        raise CircuitError(f"from_torchquantum got a {type(module).__name__}, expected a torch module")
    tracer = _Tracer(tq, module, checked_count("n_inputs", n_inputs, 0))
    circuit, outputs = traced_twice(tracer.trace, _WHO)
    foreign = Foreign(_WHO, tracer.values, tracer.slopes)
    dtype = next((p.dtype for p in tracer.parameters.values()), torch.float32)
    weights = flat(tracer.parameters).detach()
    return verified_layer(foreign, circuit, outputs, weights, engine, dtype, tracer.polynomials)


class _Tracer:
    def __init__(self, tq: Any, module: nn.Module, n_inputs: int):
        self.tq, self.module, slots = tq, module, Circuit(1)
        named = {name.replace(".", "_"): p for name, p in module.named_parameters() if p.requires_grad}
        self.parameters: dict[str, nn.Parameter] = named
        slots.inputs(n_inputs, name="inputs")
        for name, parameter in self.parameters.items():
            slots.weights(*parameter.shape, name=name)
        self.inputs: Slots = slots.input_slots
        self.weights: Slots = slots.weight_slots
        self.polynomials = Polynomials(n_inputs)
        for part in module.modules():
            if getattr(part, "static_mode", False) or getattr(part, "noise_model_tq", None) is not None:
                raise UnsupportedError(
                    f"{_WHO} has a {type(part).__name__} that is static or noisy, expected neither; turn that off"
                )

    # -- the circuit

    def trace(self, seed: int) -> tuple[Circuit, Any]:
        traced = Traced(self.inputs, self.weights, seed, self.polynomials)
        x = torch.stack([traced.inputs, traced.inputs.detach().flip(0)])  # modules may squeeze a batch of one
        with self.at(traced.weights), Listener(self.tq, _WHO).listening(self.module) as heard:
            returned = self.run(x)
            traced.weights = dict(self.parameters)
            circuit = Circuit(heard.n_qubits)
            circuit.input_slots, circuit.weight_slots = self.inputs.copy(), self.weights.copy()
            part = [one for call in heard.gates for one in gate_part(call, traced, _WHO)]
            self.polynomials.declare(circuit.input_slots)
            finished(circuit, part)
            return self.with_all_used(circuit), _outputs(self.rows(returned, x)[0], heard.measured)

    def with_all_used(self, circuit: Circuit) -> Circuit:
        used = {angle.index for op in circuit.operations for angle in op.angles if angle.source == "weight"}
        for block in self.weights:
            if not used & set(range(block.start, block.start + block.size)):
                raise UnsupportedError(
                    f"{_WHO} has a parameter {block.name} that turns no gate, expected angles alone; import the "
                    "quantum part alone, or freeze it"
                )
        return circuit

    @contextmanager
    def at(self, weights: Mapping[str, Tensor]) -> Iterator[None]:
        """The module with other numbers, of any dtype, for its parameters."""
        kept = {name: parameter.data for name, parameter in self.parameters.items()}
        try:
            for name, parameter in self.parameters.items():
                parameter.data = weights[name].detach().clone()
            yield
        finally:
            for name, parameter in self.parameters.items():
                parameter.data = kept[name]

    def run(self, x: Tensor) -> Tensor:
        try:
            returned = self.module(x) if self.inputs.count else self.module()
        except (IndexError, TypeError, ValueError, RuntimeError) as error:
            if isinstance(error, QloomError):
                raise
            raise does_not_run(_WHO, self.inputs.count, error) from error
        if not isinstance(returned, Tensor):
            raise UnsupportedError(f"{_WHO} returns a {type(returned).__name__}, expected a tensor of measured values")
        return returned

    def rows(self, returned: Tensor, x: Tensor) -> Tensor:
        """(B, O), also of one output, and of a module without inputs."""
        return returned.reshape(len(x) if self.inputs.count else 1, -1)

    # -- the module as it is, to compare with

    def values(self, x: Tensor, weights: Tensor) -> Tensor:
        with self.at(self.weights.named(weights.float())):
            return self.rows(self.run(x.float()), x).expand(len(x), -1)

    def slopes(self, x: Tensor, weights: Tensor, cotangents: Tensor) -> Tensor:
        with self.at(self.weights.named(weights.float())):
            values = self.rows(self.run(x.float()), x)
            grads = torch.autograd.grad((values * cotangents).sum(), list(self.parameters.values()))
        return flat(dict(zip(self.parameters, grads, strict=True)))


def _outputs(row: Tensor, measured: list[Measured]) -> list[PauliSum]:
    """The sums of expectation values that a module returns for a sample."""
    if not measured or not depends(row):
        raise UnsupportedError(
            f"{_WHO} returns no exact expectation values, expected those of tq.MeasureAll, tq.expval or "
            "expval_joint_analytical"
        )
    return [_sum(value, measured) for value in row]


def _sum(value: Tensor, measured: list[Measured]) -> PauliSum:
    slopes = torch.autograd.grad(value, [leaf for leaf, _ in measured], retain_graph=True, allow_unused=True)
    total, rest = PauliSum({}), float(value.detach())
    for (leaf, sums), slope in zip(measured, slopes, strict=True):
        if slope is None:
            continue
        rest -= float((slope * leaf.detach()).sum())
        total += sum((float(factor) * one for factor, one in zip(slope[0], sums, strict=True)), PauliSum({}))
    return total + rest if abs(rest) > 1e-12 else total
