"""Which slot an angle is made of, and how: torch's autograd is asked, at numbers drawn by a seed.

A foreign layer is run on tensors that stand for its inputs and weights. An angle whose derivative by one entry is a,
and by all others 0, is a * entry + b there; one of inputs alone is the polynomial of degree two with its value and its
derivatives of both orders. That it is so everywhere is seen by doing it twice, at other numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from qloom.circuits.circuit import Circuit
from qloom.circuits.gate import Scalar
from qloom.circuits.operations import Operation
from qloom.circuits.parameters import Angle, Source
from qloom.circuits.slots import Slots
from qloom.errors import CircuitError, UnsupportedError
from qloom.nn.imported.polynomials import Polynomials

# Of float64: what is left of a * entry when it is taken off the angle, and how far two traces differ.
_ROUNDING, _SAME = 1e-12, 1e-6


class Traced:
    """Tensors in the place of a circuit's slots, leaves of a graph.

    Args:
        inputs: slots of a sample.
        weights: slots that all samples share.
        seed: of the numbers, uniform within a turn; they are float64.
        polynomials: get the angles of inputs; the same for all seeds, so that what differs has another slot.

    Attributes:
        inputs: (I,).
        weights: a tensor for each block, in its shape; a module's own parameters may be put in their place.
    """

    def __init__(self, inputs: Slots, weights: Slots, seed: int, polynomials: Polynomials):
        self.polynomials = polynomials
        generator = torch.Generator().manual_seed(seed)
        self.inputs = uniform(inputs.count, generator).requires_grad_()
        drawn = weights.named(uniform(weights.count, generator))
        self.weights = {name: tensor.clone().requires_grad_() for name, tensor in drawn.items()}
        self._starts = {block.name: block.start for block in weights}

    def angle(self, value: Any, what: str) -> Scalar:
        """A number, or a * slot + b, which may be the slot of a polynomial.

        Raises:
            CircuitError: for what is of higher degree in inputs, or made of several slots, weights among them; `what`
                names where it stands.
        """
        found = self._parts(value) if depends(value) else []
        number = float(value.detach() if depends(value) else value)
        if not found:
            return number
        if all(slot.source == "input" for slot, _, _ in found):
            return self._polynomial(value, what)
        if len(found) > 1:
            raise CircuitError(
                f"{what} has an angle made of {len(found)} slots ({found[0][0]!r} and {found[1][0]!r} among them), "
                "expected a * x + b of one, or inputs alone; give what it is as an input of its own"
            )
        slot, scale, at = found[0]
        scaled = slot if scale == 1 else scale * slot
        offset = number - scale * at
        return scaled if abs(offset) < _ROUNDING else scaled + offset

    def _polynomial(self, value: Tensor, what: str) -> Angle:
        slope = self._by_inputs(value)
        places = slope.nonzero().reshape(-1).tolist()
        x, slope = self.inputs[places], slope[places]
        hessian = torch.stack([self._by_inputs(one)[places] for one in slope])
        if (self._by_inputs(hessian.square().sum()).abs() > _SAME).any():
            raise CircuitError(
                f"{what} has an angle that is no polynomial of degree two in inputs, expected that or a * x + b of one "
                "slot; give what it is as an input of its own"
            )
        linear = slope - hessian @ x
        constant = float((value - (slope + linear) @ x / 2).detach())
        return self.polynomials.angle(places, constant, linear.numpy(force=True), hessian.numpy(force=True))

    def _by_inputs(self, value: Tensor) -> Tensor:
        """Derivatives (I,), which may be derived again."""
        if not depends(value):
            return torch.zeros_like(self.inputs)
        return torch.autograd.grad(value, self.inputs, create_graph=True, materialize_grads=True)[0]

    def _parts(self, value: Tensor) -> list[tuple[Angle, float, float]]:
        """Slot, derivative and number of every entry that a value depends on."""
        places: list[tuple[Source, int]] = [("input", 0), *(("weight", start) for start in self._starts.values())]
        tensors = [self.inputs, *self.weights.values()]
        slopes = torch.autograd.grad(value, tensors, retain_graph=True, allow_unused=True)
        return [
            (Angle(source, start + k), float(slope.reshape(-1)[k]), float(tensor.detach().reshape(-1)[k]))
            for (source, start), tensor, slope in zip(places, tensors, slopes, strict=True)
            if slope is not None
            for k in slope.reshape(-1).nonzero().reshape(-1).tolist()
        ]


def uniform(count: int, generator: torch.Generator, rows: tuple[int, ...] = ()) -> Tensor:
    """Numbers within a turn, (*rows, count) float64."""
    return torch.empty(*rows, count, dtype=torch.float64).uniform_(-torch.pi, torch.pi, generator=generator)


def depends(value: Any) -> bool:
    """Whether a value is made of what is traced."""
    return isinstance(value, Tensor) and value.requires_grad


def does_not_run(who: str, n_inputs: int, error: Exception) -> CircuitError:
    """What is said where a foreign layer fails on what is traced."""
    said = (str(error) or type(error).__name__).splitlines()[0]
    return CircuitError(
        f"{who} does not run on n_inputs={n_inputs} numbers ({said}), expected as many as it is made for"
    )


def traced_twice(trace: Callable[[int], tuple[Circuit, Any]], who: str) -> tuple[Circuit, Any]:
    """What a trace gives for a seed, once another seed gives the same.

    Raises:
        UnsupportedError: if the circuit depends on numbers in another way than by such angles.
    """
    (circuit, outputs), (again, others) = trace(0), trace(1)
    pairs = list(zip(circuit.operations, again.operations, strict=False))
    differing = next((one for one, other in pairs if not _same(one, other)), None)
    if differing is not None:
        raise UnsupportedError(
            f"{who} has a gate {differing.gate.name} on qubits {differing.qubits} whose angle is no a * x + b of one "
            "slot, nor of degree two in inputs alone, expected such angles; give what it is as an input of its own"
        )
    if len(circuit.operations) != len(again.operations):
        raise UnsupportedError(f"{who} has other gates for other numbers, expected one circuit; split it")
    if not _same_outputs(outputs, others):
        raise UnsupportedError(
            f"{who} returns what is no fixed sum of expectation values, expected one; let what comes after the "
            "measurement be a layer of its own"
        )
    return circuit, outputs


def _same(one: Operation, other: Operation) -> bool:
    return (one.gate, one.qubits) == (other.gate, other.qubits) and all(
        (a.source, a.index) == (b.source, b.index) and abs(a.scale - b.scale) + abs(a.offset - b.offset) < _SAME
        for a, b in zip(one.angles, other.angles, strict=True)
    )


def _same_outputs(one: Any, other: Any) -> bool:
    if not isinstance(one, list) or not isinstance(other, list):
        return bool(one == other)
    return len(one) == len(other) and all(
        sum(map(abs, (a - b).terms.values())) < _SAME for a, b in zip(one, other, strict=True)
    )


def flat(named: Mapping[str, Tensor]) -> Tensor:
    """Tensors by name as one, in their order."""
    parts = [tensor.reshape(-1).to(torch.float64) for tensor in named.values()]
    return torch.cat(parts) if parts else torch.zeros(0, dtype=torch.float64)
