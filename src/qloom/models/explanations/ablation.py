"""What the parts of a trained circuit do: the predictions of a model with one part taken out, the others as they are.

Gates that are taken out are the identity. What is measured on a qubit, an angle that the encoder makes and a hidden
unit of the encoder are held at their means over the rows, so that what is lost is what they say of rows. Nothing is
trained anew: a part whose loss is small may still have a role that another one took over.

Circuits that differ in inputs alone are rows of one batch. Those that lack a gate are a circuit each: weights that all
rows share are faster than a batch in which every row has its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from qloom.circuits import Circuit
from qloom.engines.batch import Batch
from qloom.models.tables.forward import HEADS, encoder_angles, encoder_units
from qloom.models.tables.served import Served

Operations = frozenset[int]


@dataclass(frozen=True)
class Part:
    """Something of a model that can be taken out.

    Attributes:
        kind: "circuit", "trained gates", "entangling gates", "layer", "qubit", "angle", "unit" or "gate".
        name: for people.
        place: number of the layer from 1, of the qubit, the angle or the unit, or of the gate in the circuit, all from
            0; None for a part that there is one of.
    """

    kind: str
    name: str
    place: int | None = None


class Ablation:
    """A model opened up on some rows.

    Circuits that are measured or noisy in training are run without that here.

    Args:
        model: with a circuit.
        x: preprocessed rows.

    Attributes:
        model: as it is run.

    Shapes: x (B, F).
    """

    def __init__(self, model: Served, x: np.ndarray):
        assert model.engine_ is not None
        self.model = model.undisturbed()
        weights, (_, head) = model.network_weights(), model.network_kinds()
        self._weights, self._head = np.ascontiguousarray(weights["layer.weights"]), HEADS[head](weights)
        self._to_angles = encoder_angles(weights)
        self._units = encoder_units(weights)(x.astype(np.float32, copy=False))
        self._angles = self._to_angles(self._units)
        self._values = self._run(model.circuit_, self._angles)

    def predictions(self) -> np.ndarray:
        """Of the whole model: class probabilities (B, C), or values (B,)."""
        return self._read(self._values)

    def without_outputs(self) -> Iterator[tuple[Part, np.ndarray]]:
        """Predictions with what is measured held at its means, all of it or that of one qubit."""
        means = self._values.mean(axis=0)
        yield Part("circuit", "all that is measured"), self._read(np.tile(means, (len(self._values), 1)))
        for qubit in range(self.model.circuit_.n_qubits):
            read = [any((x | z) >> qubit & 1 for x, z in each.terms) for each in self.model.observables_]
            if any(read):
                yield Part("qubit", f"qubit {qubit}", qubit), self._read(np.where(read, means, self._values))

    def without_groups(self) -> Iterator[tuple[Part, np.ndarray]]:
        """Predictions without all trained gates, all entangling gates, and without each layer."""
        for part, operations in groups_of(self.model.circuit_):
            yield part, self._without(operations)

    def without_gates(self) -> Iterator[tuple[Part, np.ndarray]]:
        """Predictions without each gate."""
        for k in range(len(self.model.circuit_)):
            yield Part("gate", gate_name(self.model.circuit_, k), k), self._without(frozenset({k}))

    def without_inputs(self) -> Iterator[tuple[Part, np.ndarray]]:
        """Predictions with an angle that the encoder makes, or one of its hidden units, held at its mean."""
        n_angles, n_units = self._angles.shape[1], self._units.shape[1]
        kept = [_one_held(self._angles, k) for k in range(n_angles)]
        kept += [self._to_angles(_one_held(self._units, k)) for k in range(n_units)]
        found = self._run(self.model.circuit_, np.concatenate(kept)).reshape(len(kept), *self._values.shape)
        parts = [Part("angle", f"angle x[{k}] of the encoder", k) for k in range(n_angles)]
        parts += [Part("unit", f"hidden unit {k} of the encoder", k) for k in range(n_units)]
        for part, values in zip(parts, found, strict=True):
            yield part, self._read(values)

    def _without(self, operations: Operations) -> np.ndarray:
        circuit = self.model.circuit_.copy()
        circuit.operations = [op for k, op in enumerate(circuit.operations) if k not in operations]
        return self._read(self._run(circuit, self._angles))

    def _run(self, circuit: Circuit, angles: np.ndarray) -> np.ndarray:
        evaluator = self.model._engine.prepare(circuit, list(self.model.observables_))
        return evaluator.values(Batch(np.ascontiguousarray(angles), self._weights, False))

    def _read(self, values: np.ndarray) -> np.ndarray:
        return self.model.readout_.predictions(self.model.coding_, self._head(values.astype(np.float32, copy=False)))


def _one_held(columns: np.ndarray, k: int) -> np.ndarray:
    """Columns (B, K) with one at its mean."""
    held = columns.copy()
    held[:, k] = columns[:, k].mean()
    return held


def groups_of(circuit: Circuit) -> list[tuple[Part, Operations]]:
    """Gates that are taken out together: all that are trained, all that entangle, and those of each layer."""
    trained = _numbers_of(circuit, lambda op: any(angle.source == "weight" for angle in op.angles))
    entangling = _numbers_of(circuit, lambda op: len(op.qubits) > 1)
    found = [(Part("trained gates", "all trained gates"), trained)] if trained else []
    found += [(Part("entangling gates", "all entangling gates"), entangling)] if entangling else []
    layers = layers_of(circuit)
    return found + [(Part("layer", f"layer {k}", k), layer) for k, layer in enumerate(layers, 1) if len(layers) > 1]


def _numbers_of(circuit: Circuit, holds: Callable[..., bool]) -> Operations:
    return frozenset(k for k, op in enumerate(circuit.operations) if holds(op))


def layers_of(circuit: Circuit) -> list[Operations]:
    """Gates by the first index of their weights in the block that these were declared in.

    A gate without weights is of the layer of the gate before it; what stands before the first weight is of none.
    """
    layers: dict[tuple[str, int], set[int]] = {}
    layer = None
    for number, op in enumerate(circuit.operations):
        index = next((angle.index for angle in op.angles if angle.source == "weight"), None)
        layer = layer if index is None else _layer_of(circuit, index)
        if layer is not None:
            layers.setdefault(layer, set()).add(number)
    return [frozenset(numbers) for numbers in layers.values()]


def _layer_of(circuit: Circuit, index: int) -> tuple[str, int]:
    """The block of a weight and its first index there."""
    block = next(block for block in circuit.weight_slots if block.places.start <= index < block.places.stop)
    n_layers = block.shape[0] if block.shape else 1
    return block.name, (index - block.start) * n_layers // block.size


def gate_name(circuit: Circuit, number: int) -> str:
    """A gate with its angles and qubits, such as rot(w[0], w[1], w[2]) on qubit 0."""
    op = circuit.operations[number]
    angles = f"({', '.join(map(str, op.angles))})" if op.angles else ""
    return f"{op.gate.name}{angles} on qubit{'s' if len(op.qubits) > 1 else ''} {', '.join(map(str, op.qubits))}"
