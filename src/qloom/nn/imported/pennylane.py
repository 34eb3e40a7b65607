"""PennyLane's `qml.qnn.TorchLayer` as a `QuantumLayer`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from qloom.checks import checked_count
from qloom.circuits import exchange
from qloom.circuits.circuit import Circuit
from qloom.circuits.slots import Slots
from qloom.engines.base import Engine
from qloom.engines.outputs import Probabilities
from qloom.errors import CircuitError, UnsupportedError
from qloom.extras import package
from qloom.nn.imported.polynomials import Polynomials
from qloom.nn.imported.tracing import Traced, depends, does_not_run, flat, traced_twice
from qloom.nn.imported.verification import Foreign, quantum_layer, verified_layer
from qloom.nn.layer import QuantumLayer
from qloom.observables import PauliSum, hermitian, pauli

# Of these PennyLane has estimates of gradients alone.
_ESTIMATED = {"finite-diff", "spsa"}
_WHO = "PennyLane's layer"


def from_pennylane(layer: Any, n_inputs: int, engine: Engine | None = None) -> QuantumLayer | nn.Sequential:
    """A `qml.qnn.TorchLayer` with its weights, which are compared with the original's on the way.

    Blocks of weights have PennyLane's names, shapes and order, inputs one block of the QNode's name for them; weights
    that were frozen are not trained. Wires are qubits in the order of the device, or as they occur in the circuit where
    it has none. The QNode may return expectation values, in any form, or `qml.probs`; outputs are always (..., O), also
    where PennyLane leaves out the dimension of one output, or puts that of several in front.

    Where angles are other polynomials of degree two in inputs, such as the products of `IQPEmbedding`, it is
    ``nn.Sequential``: `angles` computes them, `layer` is the `QuantumLayer`.

    Args:
        layer: its angles are numbers, a * x + b of one input or weight, or of degree two in inputs alone.
        n_inputs: I, numbers a sample that the layer is given.
        engine: what runs the new layer; StatevectorEngine() by default, channels need one such as DensityEngine().

    Raises:
        ExtraError: without PennyLane.
        CircuitError: for another object, or an angle that is made of several slots, weights among them.
        UnsupportedError: for other angles, shots, other measurements, operations without a meaning here, or where the
            two layers differ: by name.
    """
    qml = package("pennylane", "from_pennylane", "exchange")
    if not isinstance(layer, qml.qnn.TorchLayer):
        raise CircuitError(f"from_pennylane got a {type(layer).__name__}, expected a qml.qnn.TorchLayer")
    tracer = _Tracer(qml, layer, checked_count("n_inputs", n_inputs, 0))
    circuit, outputs = traced_twice(tracer.trace, _WHO)
    foreign = Foreign(_WHO, tracer.values, None if layer.qnode.diff_method in _ESTIMATED else tracer.slopes)
    parameters = layer.qnode_weights
    dtype = next((p.dtype for p in parameters.values()), torch.get_default_dtype())
    new = verified_layer(foreign, circuit, outputs, flat(parameters).detach(), engine, dtype, tracer.polynomials)
    trained = [name for name, parameter in parameters.items() if parameter.requires_grad]
    if len(trained) < len(parameters):
        quantum_layer(new).train_weights(trained)
    return new


class _Tracer:
    def __init__(self, qml: Any, layer: Any, n_inputs: int):
        self.qml, self.qnode, self.input_name = qml, layer.qnode, layer.input_arg
        slots = Circuit(1)
        slots.inputs(n_inputs, name=self.input_name)
        for name, parameter in layer.qnode_weights.items():
            slots.weights(*parameter.shape, name=name)
        self.inputs: Slots = slots.input_slots
        self.weights: Slots = slots.weight_slots
        self.polynomials = Polynomials(n_inputs)
        self.rows: tuple[int, ...] = ()  # what stands in front of a sample's inputs: the QNode asks for a batch, or not

    # -- the circuit

    def trace(self, seed: int) -> tuple[Circuit, Any]:
        traced = Traced(self.inputs, self.weights, seed, self.polynomials)
        script = self.script(traced)
        wires = list(self.qnode.device.wires or script.wires)
        ops = [one for op in script.operations for one in self.with_slots(op, traced, f"{_WHO}: {op.name}")]
        slots = self.inputs.copy()
        self.polynomials.declare(slots)

        def queue(**_: Any) -> None:
            for one in ops:
                self.qml.apply(one)

        inputs, weights = ({block.name: block.shape for block in blocks} for blocks in (slots, self.weights))
        return exchange.from_pennylane(queue, inputs, weights, wires), self.outputs(script, wires)

    def script(self, traced: Traced) -> Any:
        """The QNode's gates and measurements on what is traced, on one sample or else on a batch of one."""
        tape = self.qml.workflow.construct_tape(self.qnode, level="top")
        try:
            found = tape(**{self.input_name: traced.inputs.reshape(*self.rows, -1)}, **traced.weights)
        except (IndexError, ValueError, RuntimeError, TypeError) as error:
            if self.rows:
                raise does_not_run(_WHO, self.inputs.count, error) from error
            self.rows = (1,)
            return self.script(traced)
        if found.shots:
            raise UnsupportedError(
                f"{_WHO} measures with {found.shots.total_shots} shots, expected exact values; set its shots to None "
                "and take layer.with_engine(Shots(...)) afterwards"
            )
        return self.qml.transforms.broadcast_expand(found)[0][0]

    def arguments(self, x: Tensor, weights: Tensor) -> dict[str, Tensor]:
        return {self.input_name: x, **self.weights.named(weights)}

    def with_slots(self, op: Any, traced: Traced, what: str) -> Iterator[Any]:
        """An operation with slots for what is traced; taken apart where that is no single angle."""
        if not any(map(depends, op.data)):
            yield op
        elif all(data.ndim == 0 for data in op.data if depends(data)):
            angles = [traced.angle(data, what) if depends(data) else data for data in op.data]
            with self.qml.QueuingManager.stop_recording():
                new = self.qml.ops.functions.bind_new_parameters(op, angles)
            yield new
        elif op.has_decomposition:
            with self.qml.QueuingManager.stop_recording():
                parts = op.decomposition()
            for one in parts:
                yield from self.with_slots(one, traced, what)
        else:
            raise UnsupportedError(f"{what} has inputs or weights that are no angles, expected angles; replace it")

    # -- what is measured

    def outputs(self, script: Any, wires: Sequence[Any]) -> Any:
        places = {wire: k for k, wire in enumerate(wires)}
        found = script.measurements
        if len(found) == 1 and type(found[0]) is self.qml.measurements.ProbabilityMP and found[0].eigvals() is None:
            return Probabilities(tuple(places[wire] for wire in found[0].wires or wires))
        return [self.observable(one, places) for one in found]

    def observable(self, measurement: Any, places: Mapping[Any, int]) -> PauliSum:
        if type(measurement) is not self.qml.measurements.ExpectationMP or measurement.obs is None:
            raise UnsupportedError(
                f"{_WHO} returns {measurement}, expected expectation values of observables, or qml.probs alone"
            )
        obs = measurement.obs
        if any(map(depends, obs.data)):
            raise UnsupportedError(f"{_WHO} measures {obs.name} with inputs or weights in it, expected numbers alone")
        if obs.pauli_rep is None:
            return hermitian(self.qml.matrix(obs, wire_order=obs.wires), [places[wire] for wire in obs.wires])
        words = [
            float(factor) * pauli("".join(word.values()), [places[wire] for wire in word])
            for word, factor in obs.pauli_rep.items()
        ]
        return sum(words, PauliSum({}))

    # -- the layer as it is, to compare with

    def values(self, x: Tensor, weights: Tensor) -> Tensor:
        """(B, O), of the batch at once or sample by sample, as the QNode takes them."""
        if self.rows:
            return _arranged(self.qnode(**self.arguments(x, weights)), len(x))
        return torch.cat([_arranged(self.qnode(**self.arguments(row, weights)), 1) for row in x])

    def slopes(self, x: Tensor, weights: Tensor, cotangents: Tensor) -> Tensor:
        leaf = weights.clone().requires_grad_()
        values = self.values(x, leaf)
        return torch.autograd.grad((values * cotangents).sum(), leaf)[0]


def _arranged(results: Any, rows: int) -> Tensor:
    """One result, or a tuple or list of them, as (B, O)."""
    parts = results if isinstance(results, tuple | list) else [results]
    return torch.cat([part.reshape(rows, -1) for part in parts], dim=1)
