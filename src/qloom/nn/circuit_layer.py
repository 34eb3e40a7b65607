"""A model circuit behind circuits that are the data: quantum data, and weights that are trained on it.

What TensorFlow Quantum calls PQC, and with weights that another network gives ControlledPQC.

Source: Broughton et al. 2020, arXiv 2003.02989.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from qloom.circuits.circuit import Circuit
from qloom.engines.base import checked_threads
from qloom.engines.circuit_batch import CircuitBatch, PreparedBatch
from qloom.engines.outputs import as_expectations
from qloom.errors import CircuitError, ShapeError, UnsupportedError
from qloom.nn.initialization import initial_weights
from qloom.nn.layer import DEVICES, in_full_precision

_FLOATS = (torch.float32, torch.float64)


class CircuitLayer(nn.Module):
    """Expectation values behind each of many data circuits, followed by one model circuit.

    A `CircuitBatch` is lowered when the layer first meets it, and not again as long as it lives: trainings that keep
    their batches from epoch to epoch are the quick ones.

    Args:
        circuit: the model, without inputs; copied.
        observables: Pauli sums, one output each; None for Z on every qubit.
        init: of the weights, as in `QuantumLayer`.
        dtype: of the weights and outputs; None for torch's default.
        seed: of the initial weights; None for torch's generator.
        threads: how many to use; None for those of the batch. Results do not depend on it.

    Shapes: circuits, C of them, of as many qubits as the model, without slots; values (C, W) or (W,), None for the
    layer's own weights -> (C, O), in the dtype of what the angles are.

    Attributes:
        weights: nn.Parameter (W,), in order of declaration.

    Raises:
        CircuitError: for a model with inputs, and for data circuits that do not fit.
        ShapeError: for a dtype that is neither float32 nor float64, an `init` that does not fit, and values of another
            shape.

    Source: Broughton et al. 2020, arXiv 2003.02989.
    """

    weights: nn.Parameter

    def __init__(
        self,
        circuit: Circuit,
        observables: Any = None,
        init: Any = "auto",
        dtype: torch.dtype | None = None,
        seed: int | None = None,
        threads: int | None = None,
    ):
        super().__init__()
        if not isinstance(circuit, Circuit):
            raise CircuitError(f"circuit is a {type(circuit).__name__}, expected a Circuit")
        if circuit.n_inputs:
            raise CircuitError(
                f"the model circuit has {circuit.n_inputs} inputs, expected none; the data are circuits, angles that "
                "another network gives are weights: layer(circuits, values)"
            )
        self.circuit, self.threads = circuit.copy(), checked_threads(threads)
        self._outputs = as_expectations(circuit, observables, "values behind data circuits")
        self.n_outputs = self._outputs.size
        dtype = dtype or torch.get_default_dtype()
        if dtype not in _FLOATS:
            raise ShapeError(f"dtype={dtype}, expected torch.float32 or torch.float64")
        first, self.initialization = initial_weights(init, circuit, dtype, seed)
        self.weights = nn.Parameter(first)
        self._known: WeakKeyDictionary[CircuitBatch, PreparedBatch] = WeakKeyDictionary()

    def forward(self, circuits: CircuitBatch | Iterable[Circuit], values: Tensor | None = None) -> Tensor:
        prepared = self.prepared(circuits)
        values = self._checked(values, len(prepared.batch))
        return _evaluate(values, prepared if values.is_cpu else prepared.on(str(values.device)))

    def prepared(self, circuits: CircuitBatch | Iterable[Circuit]) -> PreparedBatch:
        """Data circuits, each followed by the model, lowered; a batch that is known is not lowered again.

        Raises:
            CircuitError: for data circuits with slots, or of other numbers of qubits.
        """
        batch = circuits if isinstance(circuits, CircuitBatch) else CircuitBatch(circuits, self.threads)
        found = self._known.get(batch)
        if found is None:
            if batch.n_inputs or batch.n_weights:
                raise CircuitError(
                    f"data circuits have {batch.n_inputs} inputs and {batch.n_weights} weights, expected circuits "
                    "without slots; put numbers in their places"
                )
            followed = batch.followed_by(self.circuit)
            followed.threads = self.threads or batch.threads
            found = self._known[batch] = followed.prepare(list(self._outputs.observables))
        return found

    def _checked(self, values: Tensor | None, n_circuits: int) -> Tensor:
        """The angles of a call, (W,) or (C, W)."""
        n_weights = self.circuit.n_weights
        if values is None:
            values = self.weights
        if not isinstance(values, Tensor):
            raise ShapeError(f"values is a {type(values).__name__}, expected a torch.Tensor; use torch.as_tensor")
        values = in_full_precision(values, self.weights.dtype)
        if values.shape not in ((n_weights,), (n_circuits, n_weights)):
            raise ShapeError(
                f"values has shape {tuple(values.shape)}, expected ({n_circuits}, {n_weights}), a row of weights a "
                f"circuit, or ({n_weights},)"
            )
        if values.dtype not in _FLOATS or values.device.type not in DEVICES:
            raise ShapeError(
                f"the angles are {values.dtype} on {values.device}, expected torch.float32 or torch.float64 on cpu or "
                "a CUDA device; convert them with .float().cpu()"
            )
        return values

    # Native programs and weak references stay where they are: copies lower their batches themselves.
    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_known"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._known = WeakKeyDictionary()

    def extra_repr(self) -> str:
        return f"{self.circuit!r}, n_outputs={self.n_outputs}"


class _Behind(torch.autograd.Function):
    """Values (C, O) of prepared circuits without inputs, at weights (W,) or (C, W)."""

    @staticmethod
    def forward(ctx: Any, weights: Tensor, prepared: Any, keep: bool) -> Tensor:
        values = weights.new_empty((len(prepared.batch), prepared.n_outputs))
        given = (values, _nothing(weights, prepared), weights)
        ctx.kept = prepared.forward_into(*(_readable(tensor, prepared) for tensor in given), keep)
        ctx.save_for_backward(weights)
        ctx.prepared = prepared
        return values

    @staticmethod
    def backward(ctx: Any, cotangents: Tensor) -> tuple[Tensor | None, ...]:
        (weights,) = ctx.saved_tensors
        if torch.is_grad_enabled():  # create_graph: autograd must meet the refusal of second derivatives
            return _Slopes.apply(weights, cotangents, ctx.prepared), None, None
        # Used once, then let go; a second walk back runs forward again.
        kept, ctx.kept = ctx.kept, None
        return _slopes(weights, cotangents, ctx.prepared, kept), None, None


class _Slopes(torch.autograd.Function):
    """Derivatives of sum(cotangents * values); an end of the line for autograd."""

    @staticmethod
    def forward(ctx: Any, weights: Tensor, cotangents: Tensor, prepared: Any) -> Tensor:
        return _slopes(weights, cotangents, prepared, None)

    @staticmethod
    def backward(ctx: Any, *_: Any) -> Any:
        raise UnsupportedError(
            "second derivatives through a CircuitLayer are not available, expected one backward pass; leave "
            "create_graph out, or take differences of gradients"
        )


def _slopes(weights: Tensor, cotangents: Tensor, prepared: Any, kept: Any) -> Tensor:
    slopes = weights.new_empty(weights.shape)
    given = (slopes, _nothing(weights, prepared), weights, cotangents)
    prepared.backward_into(None, *(_readable(tensor, prepared) for tensor in given), kept)
    return slopes


@torch._disable_dynamo
def _evaluate(weights: Tensor, prepared: Any) -> Tensor:
    keep = torch.is_grad_enabled() and weights.requires_grad
    return _Behind.apply(weights, prepared, keep)  # type: ignore[no-any-return]


def _readable(tensor: Tensor, prepared: Any) -> Any:
    """Numbers one after the other in memory: as an array for circuits on the CPU, a tensor for those on a device."""
    plain = tensor.detach().contiguous().resolve_neg()
    return plain.numpy() if isinstance(prepared, PreparedBatch) else plain


def _nothing(like: Tensor, prepared: Any) -> Tensor:
    """Inputs (C, 0)."""
    return like.new_empty((len(prepared.batch), 0))
